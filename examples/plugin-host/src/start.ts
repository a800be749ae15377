import { resolve } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { CohortflowPlugin } from 'cohortflow';
import type { nightlyCohort } from './workflows.js';

const [cohort, output] = process.argv.slice(2);
if (cohort === undefined || output === undefined) throw new Error('usage: npm start -- <cohort sheet> <output folder>');

const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? 'localhost:7233' });
try {
  // In a client the plugin does one thing: with an encryption key in the environment, payloads are encrypted as the
  // worker's are.
  const client = new Client({ connection, plugins: [new CohortflowPlugin()] });
  const result = await client.workflow.execute<typeof nightlyCohort>('nightlyCohort', {
    taskQueue: 'radiology',
    workflowId: `nightly-${Date.now()}`,
    args: [{ cohort: resolve(cohort), output: resolve(output) }],
  });
  console.log(result);
} finally {
  await connection.close();
}
