import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PoolClaim } from '../../src/contracts/activities.js';
import { CLAIM_SIGNAL, POOL_QUERY, type PoolHolder } from '../../src/contracts/pools.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { firstTaskDone } from '../support/temporal-history.js';
import { simulatedTime, timeSkippingServer } from '../support/temporal-servers.js';
import { simulate, simulatedStudies } from '../support/temporal-simulation.js';
import { TEST_QUEUE, withWorkers } from '../support/temporal-workers.js';

const server = await timeSkippingServer();

describe.skipIf(server === undefined)('a pool one of whose holders has ended without a word', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([simulatedTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  it('gives its slots on within minutes, also when the others never stop claiming', async () => {
    const activities = { ...simulate(simulatedStudies(1)), openWorkflows: async () => ({ open: ['busy'] }) };
    await withWorkers(env, bundle, activities, async () => {
      const handle = await env.client.workflow.start('resourcePool', {
        workflowId: 'pool-with-leases',
        taskQueue: TEST_QUEUE,
        args: [{ pool: 'leases' }],
      });
      await firstTaskDone(handle);
      const claim = (holder: string, want: number): Promise<void> => {
        const one: PoolClaim = { pool: 'leases', size: 10, holder, want, using: 0, seq: 0, leaves: false };
        return handle.signal(CLAIM_SIGNAL, one);
      };
      const granted = async (holder: string): Promise<number | undefined> =>
        (await handle.query<readonly PoolHolder[], []>(POOL_QUERY)).find((one) => one.holder === holder)?.granted;

      await claim('gone', 10);
      expect(await granted('gone')).toBe(10);
      for (let minute = 0; minute < 8; minute += 1) {
        await claim('busy', 10 - (minute % 2));
        await env.sleep('1 minute');
      }
      expect(await granted('gone')).toBeUndefined();
      expect(await granted('busy')).toBeGreaterThanOrEqual(9);
      await handle.terminate();
    });
  }, 60_000);
});
