import { join } from 'node:path';
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';
import { bundleOf } from '../support/temporal-bundle.js';
import { firstTaskDone } from '../support/temporal-history.js';
import { simulatedTime, timeSkippingServer } from '../support/temporal-servers.js';

const server = await timeSkippingServer();
const TASK_QUEUE = 'submits';

describe.skipIf(server === undefined)('a submit that the service throttles', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    const workflows = join(PACKAGE_ROOT, 'test/support/temporal-submit.ts');
    [env, bundle] = await Promise.all([simulatedTime(server!), bundleOf(workflows)]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  /** Simulated seconds at which each attempt was made, when the service throttles all but the last `granted`. */
  async function attempts(workflowId: string, throttled: number): Promise<{ times: number[]; result: unknown }> {
    const times: number[] = [];
    const submit = async (): Promise<string> => {
      times.push((await env.currentTimeMs()) / 1000);
      if (Context.current().info.attempt <= throttled) throw ApplicationFailure.retryable('rate exceeded', 'Throttled');
      return 'job-1';
    };
    const worker = await Worker.create({
      connection: env.nativeConnection,
      taskQueue: TASK_QUEUE,
      workflowBundle: bundle,
      activities: { submit },
    });
    return worker.runUntil(async () => {
      const handle = await env.client.workflow.start('submitOnce', { workflowId, taskQueue: TASK_QUEUE });
      await firstTaskDone(handle);
      const result: unknown = await handle.result().catch((error: unknown) => error);
      return { times, result };
    });
  }

  const gaps = (times: readonly number[]): number[] => times.slice(1).map((time, index) => time - times[index]!);

  it('waits 15 seconds, then half as long again each time, and goes through', async () => {
    const { times, result } = await attempts('throttled-thrice', 3);
    expect(result).toBe('job-1');
    expect(gaps(times)).toHaveLength(3);
    gaps(times).forEach((gap, index) => expect(gap / (15 * 1.5 ** index)).toBeCloseTo(1, 1));
  });

  it('is given up after eight retries', async () => {
    const { times, result } = await attempts('throttled-for-good', Infinity);
    expect(times).toHaveLength(9);
    gaps(times).forEach((gap, index) => expect(gap / (15 * 1.5 ** index)).toBeCloseTo(1, 1));
    expect(result).toMatchObject({ cause: { cause: { type: 'Throttled' } } });
  });
});
