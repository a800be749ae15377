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

  it('are given away again when their results cannot be taken over, and leave no results behind', async () => {
    const simulation = simulate(simulatedStudies(2));
    const cleared: string[] = [];
    const { stopWork } = simulation;
    simulation.stopWork = async (request) => {
      cleared.push(`${'input' in request ? request.input.unit.caseId : ''}-${request.attempt}`);
      await stopWork(request);
    };
    simulation.adoptWork = ({ request }) => {
      if (!('input' in request) || request.input.unit.caseId !== 'S-1' || request.attempt > 1) {
        return Promise.resolve({ outcome: 'done' });
      }
      throw ApplicationFailure.create({ type: 'JobLost', message: 'gone', nonRetryable: true });
    };
    await withWorkers(env, bundle, simulation, async () => {
      const input = { cohort: '/sheet.csv', output: '/out/untaken', imagingExecutor: 'sagemaker' };
      const result = await runToEnd<CohortResult>(env, 'multimodalCohort', 'untaken', input);
      expect(result.imaging).toMatchObject({ done: 2, failed: 0 });
    });
    expect([...simulation.given].sort()).toEqual(['S-0-1', 'S-1-1', 'S-1-2']);
    expect(cleared).toEqual(['S-1-1']);
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

  it('are given away nine times where there was no machine for them, whatever else was lost between', async () => {
    const { result, simulation } = await cohort('no-room', simulatedStudies(3), ({ name }) => {
      if (name.startsWith('S-0') || (name.startsWith('S-1') && !/-[38]$/.test(name))) {
        throw new CohortflowError('AwsNoCapacity', 'no machine');
      }
      if (name === 'S-1-3') throw new CohortflowError('JobKilled', 'killed');
    });
    expect(result.imaging).toMatchObject({ done: 2, failed: 1 });
    expect(simulation.records).toMatchObject([{ step: 'imaging.job', code: 'AwsNoCapacity', attempts: 9 }]);
    const tries = (study: string): number => simulation.given.filter((name) => name.startsWith(study)).length;
    expect([tries('S-0'), tries('S-1'), tries('S-2')]).toEqual([9, 8, 1]);
    expect(simulation.alive.size).toBe(0);
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

  it('are not searched for where they were cancelled before anything of them was given away', async () => {
    const [unit] = simulatedStudies(1);
    const simulation = simulate([unit!], undefined, untilCancelled);
    const looked: string[] = [];
    const { stopWork } = simulation;
    simulation.stopWork = async (request) => {
      looked.push(request.executor);
      await stopWork(request);
    };
    const input = { output: '/out/early', runId: 'r', unit, executor: 'sagemaker' };
    const handle = await env.client.workflow.start('imagingStudy', {
      ...{ workflowId: 'early', taskQueue: TEST_QUEUE, args: [input] },
    });
    // Before any worker has seen it.
    await handle.cancel();
    await withWorkers(env, bundle, simulation, async () => {
      await expect(handle.result()).rejects.toThrow();
      expect(await handle.describe()).toMatchObject({ status: { name: 'CANCELLED' } });
    });
    expect(simulation.given).toEqual([]);
    expect(simulation.records).toMatchObject([{ caseId: 'S-0', step: 'imaging.job', outcome: 'cancelled' }]);
    expect(looked).toEqual([]);
  });

  describe('that DRAGEN computes', () => {
    const choice = { profile: '4.3', reference: 's3://ref/genome.fa', annotation: 's3://ref/genes.gtf' };

    /** A cohort of samples whose run knows what DRAGEN is to compute. */
    function withChoice(samples: number, behaveRemotely?: RemoteBehaviour): Simulation {
      const simulation = simulate(samplesOfReads(samples), undefined, behaveRemotely);
      const prepare = simulation.prepareCohort;
      simulation.prepareCohort = async (request) => ({ ...(await prepare(request)), dragen: choice });
      return simulation;
    }

    const inputOf = (workflowId: string) => {
      return { cohort: '/sheet.csv', output: `/out/${workflowId}`, genomicsExecutor: 'dragen' };
    };

    it('have one hash table, made before the first of them', async () => {
      const order: string[] = [];
      const simulation = withChoice(5, async ({ name }) => {
        order.push(`${name} begins`);
        await new Promise((resolve) => setTimeout(resolve, 50));
        order.push(`${name} ends`);
      });
      await withWorkers(env, bundle, simulation, async () => {
        const result = await runToEnd<CohortResult>(env, 'multimodalCohort', 'dragen-table', inputOf('dragen-table'));
        expect(result.genomics).toMatchObject({ total: 5, done: 5 });
      });
      expect(order.slice(0, 2)).toEqual(['hash-table-1 begins', 'hash-table-1 ends']);
      expect(simulation.given.filter((name) => name.startsWith('hash-table'))).toHaveLength(1);
      expect(new Set(simulation.given).size).toBe(6);
      expect(simulation.alive.size).toBe(0);
      // The sums by gene are of the annotation that DRAGEN reads.
      expect(simulation.steps.filter(({ step }) => step === 'genomics.annotate')).toHaveLength(1);
    });

    it('all fail with the code of the hash table, and cost no machine, when it cannot be made', async () => {
      const simulation = withChoice(3, ({ name }) => {
        if (name.startsWith('hash-table')) throw new CohortflowError('FileNotFound', 'no such reference');
      });
      await withWorkers(env, bundle, simulation, async () => {
        const result = await runToEnd<CohortResult>(env, 'multimodalCohort', 'no-table', inputOf('no-table'));
        expect(result.genomics).toMatchObject({ total: 3, done: 0, failed: 3 });
      });
      expect(simulation.given).toEqual(['hash-table-1']);
      expect(simulation.alive.size).toBe(0);
      expect(simulation.records.map(({ code }) => code)).toEqual(['FileNotFound', 'FileNotFound', 'FileNotFound']);
    });

    it('have no machine left when the run is cancelled while their hash table is made', async () => {
      const simulation = withChoice(3, untilCancelled);
      await withWorkers(env, bundle, simulation, async () => {
        const start = { workflowId: 'table-stopped', taskQueue: TEST_QUEUE, args: [inputOf('table-stopped')] };
        const handle = await env.client.workflow.start('multimodalCohort', start);
        const ended = handle.result().catch((error: unknown) => error);
        await waitFor(() => simulation.alive.size === 1);
        await handle.cancel();
        await ended;
        expect(await handle.describe()).toMatchObject({ status: { name: 'CANCELLED' } });
        expect(simulation.given).toEqual(['hash-table-1']);
        expect(simulation.alive.size).toBe(0);
      });
    });
  });
});
