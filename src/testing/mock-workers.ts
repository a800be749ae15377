import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { cpuQueue, remoteQueue } from '../contracts/queues.js';
import { withRequiredWorkflows } from '../plugin/require-workflows.js';
import type { MockActivities } from './mock-activities.js';
import { firstTaskDone } from './simulated-time.js';

/** The workers of a test. */
export interface MockWorkersOptions extends Pick<WorkerOptions, 'workflowsPath' | 'workflowBundle' | 'dataConverter'> {
  readonly env: TestWorkflowEnvironment;
  /** Queue of the workflows; the mocks of heavy steps and of services are served on `<taskQueue>-cpu` and `-remote`. */
  readonly taskQueue: string;
  readonly mocks: MockActivities;
  /** Activities of your own workflows. */
  readonly activities?: object;
}

/** With a cold worker the clock of the first workflow jumps ten years: one that is refused at once warms it up. */
async function warmUp({ client }: TestWorkflowEnvironment, taskQueue: string): Promise<void> {
  const workflowId = `warm-up-${randomUUID()}`;
  await firstTaskDone(await client.workflow.start('imagingCohort', { workflowId, taskQueue, args: [{}] }));
}

/**
 * Runs `body` while three workers serve your workflows beside ours: one on `taskQueue`, with your activities and the mocks,
 * one on `<taskQueue>-cpu` with the mocks of heavy steps, one on `<taskQueue>-remote` with those of services. All are
 * stopped afterwards.
 *
 * @throws CohortflowError `WorkflowsNotInBundle` when what you bundle does not re-export `cohortflow/workflows`
 */
export async function withMockWorkers<T>(options: MockWorkersOptions, body: () => Promise<T>): Promise<T> {
  const { env, taskQueue, mocks, activities, ...workflows } = options;
  const common = {
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    // Cancellations reach an activity with its heartbeats, which the SDK delays in real time.
    maxHeartbeatThrottleInterval: 100,
    ...(workflows.dataConverter === undefined ? {} : { dataConverter: workflows.dataConverter }),
  };
  const main = await withRequiredWorkflows(
    { ...common, ...workflows, taskQueue, activities: { ...activities, ...mocks.quick } },
    Runtime.instance().logger,
  );
  const ours = await Worker.create(main);
  const cpu = await Worker.create({ ...common, taskQueue: cpuQueue(taskQueue), activities: mocks.heavy });
  const remote = await Worker.create({ ...common, taskQueue: remoteQueue(taskQueue), activities: mocks.remote });
  return remote.runUntil(() =>
    cpu.runUntil(() =>
      ours.runUntil(async () => {
        await warmUp(env, taskQueue);
        return body();
      }),
    ),
  );
}
