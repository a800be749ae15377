import { ApplicationFailure } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CONTROL_UPDATES,
  type RetryAnswer,
  type RetryRequest,
  type SteeringState,
} from '../../src/contracts/control.js';
import { PROGRESS_QUERY, type CohortProgress } from '../../src/contracts/progress.js';
import type { CohortResult } from '../../src/contracts/results.js';
import type { CohortUnit } from '../../src/domain/cohort/manifest.js';
import { Gate, through, until } from '../support/gate.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { indexOf, simulate, simulatedStudies } from '../support/temporal-simulation.js';
import { TEST_QUEUE, withWorkers } from '../support/temporal-workers.js';

const server = await temporalCli();
const diskFull = (): Error => ApplicationFailure.nonRetryable('no space is left on the volume', 'DiskFull');

describe.skipIf(server === undefined)('work for a whole cohort that the environment fails', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([realTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  const progressOf = (handle: WorkflowHandle): Promise<CohortProgress> =>
    handle.query<CohortProgress, []>(PROGRESS_QUERY);
  const resume = (handle: WorkflowHandle): Promise<SteeringState> =>
    handle.executeUpdate<SteeringState, []>(CONTROL_UPDATES.resume);
  const retry = (handle: WorkflowHandle): Promise<RetryAnswer> =>
    handle.executeUpdate<RetryAnswer, [RetryRequest]>(CONTROL_UPDATES.retryFailed, { args: [{}] });
  const start = (type: string, workflowId: string, input: object = {}): Promise<WorkflowHandle> =>
    env.client.workflow.start(type, {
      workflowId,
      taskQueue: TEST_QUEUE,
      args: [{ cohort: '/sheet.csv', output: '/out', ...input }],
    });

  it('waits for someone: a page of units, the list of what is finished, the outcomes, the end of the run', async () => {
    const simulation = simulate(simulatedStudies(3));
    const failing = new Set(['nextUnits', 'listFinished', 'compactOutcomes', 'closeRun']);
    const unlessFull =
      <A extends readonly unknown[], R>(name: string, work: (...args: A) => Promise<R>) =>
      (...args: A): Promise<R> => {
        if (failing.has(name)) throw diskFull();
        return work(...args);
      };
    const { nextUnits, listFinished, compactOutcomes, closeRun } = simulation;
    const limited = {
      ...simulation,
      nextUnits: unlessFull('nextUnits', nextUnits),
      listFinished: unlessFull('listFinished', listFinished),
      compactOutcomes: unlessFull('compactOutcomes', compactOutcomes),
      closeRun: unlessFull('closeRun', closeRun),
    };
    await withWorkers(env, bundle, limited, async () => {
      const handle = await start('imagingCohort', 'tables');
      const seen: string[] = [];
      for (const name of [...failing]) {
        let breaker: CohortProgress['breaker'];
        await until(async () => {
          const { fanOut, ...root } = await progressOf(handle);
          breaker = fanOut?.breaker ?? root.breaker;
          return breaker !== undefined;
        });
        seen.push(`${name} ${breaker?.code}`);
        failing.delete(name);
        await resume(handle);
      }
      expect(seen).toEqual(
        ['nextUnits', 'listFinished', 'compactOutcomes', 'closeRun'].map((name) => `${name} DiskFull`),
      );
      expect(await handle.result()).toMatchObject({ imaging: { total: 3, done: 3, failed: 0 }, failures: 0 });
      expect(simulation.closed).toEqual(['finished']);
    });
  }, 60_000);

  const reads = (index: number): CohortUnit => ({
    modality: 'genomics',
    caseId: `S-${index}`,
    source: { kind: 'fastq', lanes: [{ fastq1: `/reads/${index}.fq` }], strandedness: 'auto' },
  });

  it('is asked about before a sample is lost to a reference that cannot be prepared, which is then prepared again', async () => {
    let fault: 'ToolMissing' | 'DamagedReference' | undefined = 'ToolMissing';
    const gate = new Gate();
    const simulation = simulate([reads(0), reads(1), ...simulatedStudies(1)], ({ step, unit }) => {
      if (step === 'genomics.index' && fault !== undefined) throw ApplicationFailure.nonRetryable('no index', fault);
      return step === 'imaging.convert' && unit !== undefined ? gate.enter() : undefined;
    });
    const genomics = (): Promise<CohortProgress> => progressOf(env.client.workflow.getHandle('reference/genomics'));
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        const handle = await start('multimodalCohort', 'reference', { transcripts: '/t.fa', annotation: '/a.gtf' });
        const tripped = async (): Promise<boolean> =>
          (await genomics().catch(() => undefined))?.fanOut?.breaker?.code === 'ToolMissing';
        await until(tripped);
        expect((await genomics()).fanOut).toMatchObject({ failed: 0, paused: true });
        // Of the reference itself the samples fail, and a retry prepares it again.
        fault = 'DamagedReference';
        await resume(handle);
        await until(async () => (await genomics()).fanOut?.failed === 2 || simulation.records.length === 2);
        fault = undefined;
        expect(await retry(handle)).toMatchObject({ genomics: 2 });
        gate.openForAll();
        expect(((await handle.result()) as CohortResult).genomics).toMatchObject({ total: 2, done: 2, failed: 0 });
      }),
    );
  }, 60_000);

  it('waits for someone: every table, the data set and the report, which are then made again', async () => {
    const full = new Set(['clinical.features', 'features.write', 'genomics.matrix', 'dataset.join', 'report.render']);
    const simulation = simulate([reads(0), ...simulatedStudies(1)], ({ step }) => {
      if (full.has(step)) throw diskFull();
    });
    await withWorkers(env, bundle, simulation, async () => {
      const handle = await start('multimodalCohort', 'every-table', { clinical: '/c.csv', annotation: '/a.gtf' });
      const codeOf = async (part: string): Promise<string | undefined> => {
        const progress = await progressOf(env.client.workflow.getHandle(`every-table${part}`)).catch(() => undefined);
        return (progress?.fanOut?.breaker ?? progress?.breaker)?.code;
      };
      const waits = async (...parts: readonly string[]): Promise<boolean> =>
        (await Promise.all(parts.map(codeOf))).every((code) => code === 'DiskFull');
      // All three at once; whoever resumes the cohort resumes them.
      await until(() => waits('/clinical', '/imaging', '/genomics'));
      for (const step of ['clinical.features', 'features.write', 'genomics.matrix']) full.delete(step);
      await resume(handle);
      await until(() => waits(''));
      full.delete('dataset.join');
      await resume(handle);
      await until(async () => (await progressOf(handle)).phase === 'reporting' && (await waits('')));
      // The folder stays this run's as long as it waits: only then does run.json say that it is over.
      expect(simulation.closed).toEqual([]);
      full.delete('report.render');
      await resume(handle);
      const result = (await handle.result()) as CohortResult;
      expect(simulation.closed).toEqual(['finished']);
      expect(result).toMatchObject({ failures: 0, dataset: { outcome: 'done' }, clinical: { outcome: 'done' } });
      expect(result.featureGroups.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done']);
    });
  }, 60_000);

  it('does not wait for a table that outgrows the memory, as it would again', async () => {
    const simulation = simulate(simulatedStudies(1), ({ step }) => {
      if (step === 'dataset.join') throw ApplicationFailure.nonRetryable('too large', 'OutOfMemory');
    });
    await withWorkers(env, bundle, simulation, async () => {
      const handle = await start('imagingCohort', 'too-large');
      expect(await handle.result()).toMatchObject({
        ...{ failures: 1, dataset: { outcome: 'failed', code: 'OutOfMemory' }, report: '/out/report.html' },
      });
    });
  }, 60_000);

  it('does not cost what was done already when the workflow of a modality is lost', async () => {
    const gate = new Gate();
    const simulation = simulate(simulatedStudies(4), (request) =>
      request.step === 'imaging.convert' && indexOf(request) === 3 ? gate.enter() : undefined,
    );
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        const handle = await start('multimodalCohort', 'lost');
        await until(async () => (await progressOf(handle)).parts.imaging?.done === 3);
        await env.client.workflow.getHandle('lost/imaging').terminate('by a test');
        gate.openForAll();
        expect(((await handle.result()) as CohortResult).imaging).toEqual({
          ...{ total: 4, done: 3, reused: 0, failed: 1, cancelled: 0 },
        });
      }),
    );
  }, 60_000);
});
