import type { WorkflowFailedError, WorkflowHandle } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CohortResult } from '../../src/contracts/results.js';
import { unitWorkflowId } from '../../src/contracts/workflow-ids.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { parentHistory } from '../support/temporal-history.js';
import { simulatedTime, timeSkippingServer } from '../support/temporal-servers.js';
import {
  indexOf,
  simulate,
  simulatedStudies,
  untilCancelled,
  type Simulation,
} from '../support/temporal-simulation.js';
import { TEST_QUEUE, startWorkers } from '../support/temporal-workers.js';

const server = await timeSkippingServer();
const STUDIES = 12;
const WIDTH = 5;

describe.skipIf(server === undefined)('a cohort that is ended from outside', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;
  let stop: () => Promise<void>;
  let simulation: Simulation;
  /** Studies at work; the others end at once. */
  let working: (index: number) => boolean;

  beforeAll(async () => {
    bundle = await sourceBundle();
  });

  // A fresh server each time: the clock is global, and what one test leaves running would move it for the next.
  beforeEach(async () => {
    env = await simulatedTime(server!);
    working = () => true;
    simulation = simulate(simulatedStudies(STUDIES), async (request) => {
      if (request.step === 'imaging.radiomics' && working(indexOf(request))) await untilCancelled();
    });
    stop = await startWorkers(env, bundle, { quick: simulation, heavy: simulation });
  });

  afterEach(async () => {
    await stop();
    await env.teardown();
  });

  function started(type = 'imagingCohort'): Promise<WorkflowHandle> {
    const input = { cohort: '/sheet.csv', output: '/out', concurrency: WIDTH };
    return env.client.workflow.start(type, { workflowId: 'root', taskQueue: TEST_QUEUE, args: [input] });
  }

  async function measuring(count: number): Promise<void> {
    const at = (): number => simulation.steps.filter(({ step }) => step === 'imaging.radiomics').length;
    while (at() < count) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  async function statusOf(workflowId: string): Promise<string> {
    return (await env.client.workflow.getHandle(workflowId).describe()).status.name;
  }

  it.each(['imagingCohort', 'multimodalCohort'])(
    'cancelled, %s ends all its children and records them',
    async (type) => {
      const handle = await started(type);
      await measuring(WIDTH);
      await handle.cancel();
      const error: unknown = await handle.result().catch((thrown: unknown) => thrown);
      expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
      const parent = type === 'imagingCohort' ? 'root' : 'root/imaging';
      expect((await parentHistory(env.client.workflow.getHandle(parent))).children).toBe(WIDTH);
      for (let index = 0; index < WIDTH; index += 1) {
        expect(await statusOf(unitWorkflowId(parent, `S-${index}`))).toBe('CANCELLED');
      }
      expect(simulation.records.map(({ caseId, step, outcome }) => `${caseId} ${step} ${outcome}`).sort()).toEqual(
        Array.from({ length: WIDTH }, (_, index) => `S-${index} imaging.radiomics cancelled`),
      );
      expect(simulation.closed).toEqual(['cancelled']);
    },
  );

  it('goes on when one study is cancelled alone', async () => {
    working = (index) => index === 3;
    const handle = await started();
    await measuring(WIDTH);
    await env.client.workflow.getHandle(unitWorkflowId('root', 'S-3')).cancel();
    const result = (await handle.result()) as CohortResult;
    expect(result.imaging).toEqual({ total: STUDIES, done: STUDIES - 1, reused: 0, failed: 0, cancelled: 1 });
    expect(simulation.records).toMatchObject([{ caseId: 'S-3', outcome: 'cancelled' }]);
  });

  it('waits for a study of an earlier run that still holds its id', async () => {
    working = (index) => index === 0;
    const unit = { ...simulatedStudies(1)[0], caseId: 'S-0' };
    const workflowId = unitWorkflowId('root', 'S-4');
    const earlier = await env.client.workflow.start('imagingStudy', {
      workflowId,
      taskQueue: TEST_QUEUE,
      args: [{ unit, output: '/out' }],
    });
    await measuring(1);
    working = () => false;
    const handle = await started();
    await measuring(STUDIES);
    await earlier.cancel();
    const result = (await handle.result()) as CohortResult;
    expect(result.imaging).toMatchObject({ total: STUDIES, done: STUDIES });
  });
});
