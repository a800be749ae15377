import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { CohortflowPlugin } from 'cohortflow';
import * as activities from './activities.js';

const connection = await NativeConnection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? 'localhost:7233' });
try {
  const worker = await Worker.create({
    connection,
    taskQueue: 'radiology',
    workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
    activities,
    // Heavy steps that run get as long to end.
    shutdownGraceTime: '60 seconds',
    // Adds cohortflow's activities to ours, and serves heavy steps on radiology-cpu beside this worker.
    plugins: [new CohortflowPlugin({ jobs: 2 })],
  });
  console.log('the worker is made');
  await worker.run();
} finally {
  await connection.close();
}
