import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CohortResult } from '../../src/contracts/results.js';
import { CohortflowError } from '../../src/domain/errors.js';
import type { CohortUnit } from '../../src/domain/cohort/manifest.js';
import { type RemoteBehaviour } from '../../src/testing/index.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { firstTaskDone } from '../support/temporal-history.js';
import { simulatedTime, timeSkippingServer } from '../support/temporal-servers.js';
import { simulate, simulatedStudies, untilCancelled, type Simulation } from '../support/temporal-simulation.js';
import { TEST_QUEUE, runToEnd, withWorkers } from '../support/temporal-workers.js';

const server = await timeSkippingServer();

/** Samples `G-0`, `G-1`, … of reads. */
function samplesOfReads(count: number): CohortUnit[] {
  return Array.from({ length: count }, (_, index) => ({
    modality: 'genomics',
    caseId: `G-${index}`,
    source: { kind: 'fastq', lanes: [{ fastq1: `s3://reads/${index}_1.fastq.gz` }], strandedness: 'auto' },
  }));
}

const waitFor = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
};

describe.skipIf(server === undefined)('units that a service computes', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([simulatedTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  async function cohort(
    workflowId: string,
    units: readonly CohortUnit[],
    behaveRemotely?: RemoteBehaviour,
  ): Promise<{ result: CohortResult; simulation: Simulation }> {
    const simulation = simulate(units, undefined, behaveRemotely);
    const input = {
      cohort: '/sheet.csv',
      output: `/out/${workflowId}`,
      imagingExecutor: 'sagemaker',
      genomicsExecutor: 'dragen',
    };
    return withWorkers(env, bundle, simulation, async () => {
      const result = await runToEnd<CohortResult>(env, 'multimodalCohort', workflowId, input);
      return { result, simulation };
    });
  }

  it('are given away once each and leave nothing alive', async () => {
    const { result, simulation } = await cohort('given', [...simulatedStudies(6), ...samplesOfReads(4)]);
    expect(result.imaging).toMatchObject({ total: 6, done: 6 });
    expect(result.genomics).toMatchObject({ total: 4, done: 4 });
    expect(new Set(simulation.given).size).toBe(10);
    expect(simulation.given).toHaveLength(10);
    expect(simulation.alive.size).toBe(0);
    // The results of a study are adopted whole; those of a sample are taken up by its own step.
    const steps = simulation.steps.filter(({ caseId }) => caseId !== '');
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 4 }, () => 'genomics.quantify'));
  });

  it('are given away again when the service lost them, with a name of its own each time', async () => {
    const { result, simulation } = await cohort('lost', simulatedStudies(4), ({ name }) => {
      if (name === 'S-1-1' || name === 'S-2-1' || name === 'S-2-2') throw new CohortflowError('JobKilled', 'killed');
    });
    expect(result.imaging).toMatchObject({ done: 4, failed: 0 });
    expect(simulation.given.filter((name) => name.startsWith('S-2'))).toEqual(['S-2-1', 'S-2-2', 'S-2-3']);
    expect(simulation.alive.size).toBe(0);
  });

  it('fail with the code and the step that the work failed with, and are not given away again for it', async () => {
    const { result, simulation } = await cohort('faulty', simulatedStudies(3), ({ name }) => {
      if (!name.startsWith('S-1')) return;
      throw new CohortflowError('MissingSlice', 'a slice is missing', { step: 'imaging.convert' });
    });
    expect(result.imaging).toMatchObject({ done: 2, failed: 1 });
    expect(simulation.given).toHaveLength(3);
    expect(simulation.records).toMatchObject([{ caseId: 'S-1', step: 'imaging.convert', code: 'MissingSlice' }]);
    expect(simulation.alive.size).toBe(0);
  });

  it('fail after three tries that the service lost', async () => {
    const { result, simulation } = await cohort('hopeless', simulatedStudies(1), () => {
      throw new CohortflowError('JobLost', 'lost');
    });
    expect(result.imaging).toMatchObject({ done: 0, failed: 1 });
    expect(simulation.records).toMatchObject([{ step: 'imaging.job', code: 'JobLost', attempts: 3 }]);
    expect(simulation.given).toHaveLength(3);
  });

  it('are stopped before a cancelled run ends, whether their submission was answered or not', async () => {
    const units = [...simulatedStudies(5), ...samplesOfReads(3)];
    const simulation = simulate(units, undefined, untilCancelled);
    const submit = simulation.submitWork;
    simulation.submitWork = async (request) => {
      const start = await submit(request);
      if (!('input' in request) || request.input.unit.caseId !== 'S-4') return start;
      throw ApplicationFailure.create({ message: 'the answer was lost', type: 'AwsUnavailable' });
    };
    await withWorkers(env, bundle, simulation, async () => {
      const input = {
        cohort: '/sheet.csv',
        output: '/out/stopped',
        imagingExecutor: 'sagemaker',
        genomicsExecutor: 'dragen',
      };
      const start = { workflowId: 'stopped', taskQueue: TEST_QUEUE, args: [input] };
      const handle = await env.client.workflow.start('multimodalCohort', start);
      await firstTaskDone(handle);
      const ended = handle.result().catch((error: unknown) => error);
      await waitFor(() => simulation.alive.size === 8);
      await handle.cancel();
      await ended;
      expect(await handle.describe()).toMatchObject({ status: { name: 'CANCELLED' } });
      expect(simulation.alive.size).toBe(0);
      expect(new Set(simulation.records.map(({ caseId }) => caseId)).size).toBe(8);
      expect(simulation.records.every(({ outcome }) => outcome === 'cancelled')).toBe(true);
    });
  });
});
