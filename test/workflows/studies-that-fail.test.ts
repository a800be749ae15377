import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CohortflowError } from '../../src/domain/errors.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { simulatedTime, timeSkippingServer } from '../support/temporal-servers.js';
import { indexOf, simulate, simulatedStudies, type StepBehaviour } from '../support/temporal-simulation.js';
import { runToEnd, withWorkers } from '../support/temporal-workers.js';

const server = await timeSkippingServer();

describe.skipIf(server === undefined)('a cohort with studies that fail', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([simulatedTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  async function cohort(workflowId: string, studies: number, behave: StepBehaviour) {
    const simulation = simulate(simulatedStudies(studies), behave);
    const input = { cohort: '/sheet.csv', output: `/out/${workflowId}` };
    return withWorkers(env, bundle, simulation, async () => {
      const result = await runToEnd<CohortResult>(env, 'imagingCohort', workflowId, input);
      return { result, simulation };
    });
  }

  it('records the study that fails for good, with its code, and finishes the others', async () => {
    const { result, simulation } = await cohort('for-good', 12, (request) => {
      if (request.step === 'imaging.convert' && indexOf(request) === 7) {
        const details = [{ attempt: 1, started: '2026-01-01T00:00:00.000Z', seconds: 2.5 }];
        throw ApplicationFailure.nonRetryable('no segmentation in the study', 'SegNotFound', ...details);
      }
    });
    expect(result.imaging).toEqual({ total: 12, done: 11, reused: 0, failed: 1, cancelled: 0 });
    expect(result.failures).toBe(1);
    expect(simulation.records).toEqual([
      {
        caseId: 'S-7',
        modality: 'imaging',
        part: '',
        step: 'imaging.convert',
        outcome: 'failed',
        code: 'SegNotFound',
        why: '',
        attempts: 1,
        started: '2026-01-01T00:00:00.000Z',
        seconds: 2.5,
        message: 'no segmentation in the study',
      },
    ]);
    expect(simulation.steps.filter(({ caseId }) => caseId === 'S-7').map(({ step }) => step)).toEqual([
      'imaging.convert',
    ]);
  });

  it('tries again what may succeed later, gives up what failed four times, and bears the loss of many workers', async () => {
    const { result, simulation } = await cohort('retried', 3, (request, attempt) => {
      if (request.step !== 'imaging.radiomics') return;
      if (indexOf(request) === 0 && attempt < 3) throw ApplicationFailure.retryable('gone', 'ProcessLost');
      if (indexOf(request) === 1) throw new CohortflowError('ProcessLost', 'gone');
      if (indexOf(request) === 2 && attempt < 20) throw new CohortflowError('WorkerShutdown', 'given back');
    });
    expect(result.imaging).toMatchObject({ done: 2, failed: 1 });
    const attempts = (caseId: string): number[] =>
      simulation.steps
        .filter((step) => step.caseId === caseId && step.step === 'imaging.radiomics')
        .map((step) => step.attempt);
    expect(attempts('S-0')).toEqual([1, 2, 3]);
    expect(attempts('S-1')).toEqual([1, 2, 3, 4]);
    expect(attempts('S-2')).toHaveLength(20);
    expect(simulation.records).toMatchObject([
      { caseId: 'S-1', step: 'imaging.radiomics', code: 'ProcessLost', attempts: 4 },
    ]);
  });

  it('reports an error without a code as a fault of ours', async () => {
    const { result, simulation } = await cohort('unknown', 2, (request) => {
      if (indexOf(request) === 0) throw new TypeError('undefined is not a function');
    });
    expect(result.imaging).toMatchObject({ done: 1, failed: 1 });
    expect(simulation.records).toMatchObject([{ caseId: 'S-0', outcome: 'failed', code: 'InternalError' }]);
  });
});
