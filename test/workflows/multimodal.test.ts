import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROGRESS_QUERY, type CohortProgress } from '../../src/contracts/progress.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { modalityWorkflowId } from '../../src/contracts/workflow-ids.js';
import type { CohortUnit, GenomicsUnit } from '../../src/domain/cohort/manifest.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { simulatedTime, timeSkippingServer } from '../support/temporal-servers.js';
import { simulate, simulatedStudies, type Simulation, type StepBehaviour } from '../support/temporal-simulation.js';
import { TEST_QUEUE, runToEnd, withWorkers } from '../support/temporal-workers.js';

const server = await timeSkippingServer();

function samples(count: number): GenomicsUnit[] {
  return Array.from({ length: count }, (_, index) => ({
    modality: 'genomics',
    caseId: `S-${index}`,
    source: {
      kind: 'fastq',
      lanes: [{ fastq1: `/reads/${index}_1.fq`, fastq2: `/reads/${index}_2.fq` }],
      strandedness: 'auto',
    },
  }));
}

/** A behaviour in which one step of the whole cohort fails for good. */
function failing(step: string, code: string): StepBehaviour {
  return (request) => {
    if (request.step === step) throw ApplicationFailure.nonRetryable(`${step} cannot be done`, code);
  };
}

describe.skipIf(server === undefined)('multimodalCohort', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;
  const units: CohortUnit[] = [...simulatedStudies(4), ...samples(3)];

  beforeAll(async () => {
    [env, bundle] = await Promise.all([simulatedTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  async function cohort(
    workflowId: string,
    behave: StepBehaviour = () => undefined,
    more: { readonly genes?: readonly string[] } = {},
  ) {
    const simulation = simulate(units, behave);
    const input = {
      cohort: '/sheet.csv',
      clinical: '/table.csv',
      transcripts: '/t.fa',
      annotation: '/a.gtf',
      output: '/out',
      ...more,
    };
    const result = await withWorkers(env, bundle, simulation, () =>
      runToEnd<CohortResult>(env, 'multimodalCohort', workflowId, input),
    );
    return { result, simulation };
  }

  const ran = ({ steps }: Simulation, step: string): number => steps.filter((one) => one.step === step).length;

  it('brings all modalities together: one index, features, groups, one data set, one report', async () => {
    const { result, simulation } = await cohort('whole');
    expect(result).toMatchObject({
      output: '/out',
      cases: 4,
      imaging: { total: 4, done: 4, failed: 0 },
      genomics: { total: 3, done: 3, failed: 0 },
      clinical: { outcome: 'done' },
      dataset: { outcome: 'done' },
      report: '/out/report.html',
      failures: 0,
    });
    expect(result.featureGroups.map(({ group }) => group).sort()).toEqual(['clinical', 'genomics', 'imaging']);
    expect(ran(simulation, 'genomics.index')).toBe(1);
    expect(ran(simulation, 'genomics.quantify')).toBe(3);
    for (const step of ['genomics.matrix', 'clinical.features', 'dataset.join', 'report.render']) {
      expect(ran(simulation, step), step).toBe(1);
    }
    expect(simulation.steps.at(-1)?.step).toBe('report.render');
    expect(simulation.closed).toEqual(['finished']);
    // What travels through histories stays small whatever the cohort holds.
    expect(JSON.stringify(result).length).toBeLessThan(2_000);
  });

  it('has the genes that are named in the feature group too, not only in the data set', async () => {
    const asked: unknown[] = [];
    const note: StepBehaviour = ({ step, params }) => {
      if (params['genes'] !== undefined) asked.push([step, params['group'], params['genes']]);
    };
    await cohort('named-genes', note, { genes: ['G1'] });
    expect(asked).toEqual([
      ['features.write', 'genomics', ['G1']],
      ['dataset.join', undefined, ['G1']],
    ]);
  });

  it('tells group and data set what the clinical step says its id column is called', async () => {
    const simulation = simulate(units);
    const { runStep } = simulation;
    const asked: [string, unknown][] = [];
    const telling: Simulation = {
      ...simulation,
      runStep: async (request) => {
        const { step, params } = request;
        asked.push([step, params['idColumn'] ?? params['clinicalId']]);
        const report = await runStep(request);
        return step === 'clinical.features' ? { ...report, summary: { ...report.summary, idColumn: 'pid' } } : report;
      },
    };
    const input = { cohort: '/sheet.csv', clinical: '/table.csv', transcripts: '/t.fa', output: '/out' };
    await withWorkers(env, bundle, telling, () => runToEnd<CohortResult>(env, 'multimodalCohort', 'id-column', input));
    expect(asked.filter(([, name]) => name !== undefined)).toEqual([
      ['features.write', 'pid'],
      ['dataset.join', 'pid'],
    ]);
  });

  it('ends every sample with the code of the index that could not be built; imaging is not touched', async () => {
    const { result, simulation } = await cohort('no-index', failing('genomics.index', 'DamagedReference'));
    expect(result.imaging).toMatchObject({ done: 4, failed: 0 });
    expect(result.genomics).toMatchObject({ done: 0, failed: 3 });
    expect(ran(simulation, 'genomics.quantify')).toBe(0);
    expect(simulation.records.map(({ caseId, code }) => `${caseId} ${code}`).sort()).toEqual([
      'S-0 DamagedReference',
      'S-1 DamagedReference',
      'S-2 DamagedReference',
    ]);
    expect(result.dataset).toMatchObject({ outcome: 'done' });
  });

  it.each([
    [
      'clinical.features',
      'ClinicalIdColumnMissing',
      { clinical: { outcome: 'failed', code: 'ClinicalIdColumnMissing' } },
    ],
    ['genomics.matrix', 'DamagedQuantification', { genomics: { done: 3 } }],
    ['dataset.join', 'InternalError', { dataset: { outcome: 'failed', code: 'InternalError' } }],
    ['report.render', 'InternalError', { dataset: { outcome: 'done' } }],
  ])('goes on without %s, and counts it as the one failure', async (step, code, expected) => {
    const { result } = await cohort(`without-${step}`, failing(step, code));
    expect(result).toMatchObject({ ...expected, imaging: { done: 4 }, failures: 1 });
  });

  it('tells its progress while it runs, and the modality’s workflow the numbers', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const simulation = simulate(units, async (request) => {
      if (request.step === 'imaging.radiomics' && request.unit?.caseId === 'S-1') await gate;
      if (request.unit?.caseId === 'S-3') throw ApplicationFailure.nonRetryable('no SEG', 'SegNotFound');
    });
    await withWorkers(env, bundle, simulation, async () => {
      const input = {
        cohort: '/sheet.csv',
        output: '/out',
        transcripts: '/t.fa',
        concurrency: { imaging: 3, genomics: 2 },
      };
      const workflowId = 'asked';
      const handle = await env.client.workflow.start('multimodalCohort', {
        workflowId,
        taskQueue: TEST_QUEUE,
        args: [input],
      });
      const imaging = env.client.workflow.getHandle(modalityWorkflowId(workflowId, 'imaging'));
      const ask = (): Promise<CohortProgress | undefined> =>
        imaging.query<CohortProgress>(PROGRESS_QUERY).catch(() => undefined);
      let progress = await ask();
      while ((progress?.fanOut?.done ?? 0) + (progress?.fanOut?.failed ?? 0) < 3) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        progress = await ask();
      }
      expect(progress).toMatchObject({
        phase: 'running',
        fanOut: {
          total: 4,
          done: 2,
          failed: 1,
          running: 1,
          width: 3,
          lanes: [],
          lastFailures: ['S-3: imaging.convert SegNotFound'],
        },
      });
      expect(await handle.query(PROGRESS_QUERY)).toMatchObject({ phase: 'running', children: ['imaging', 'genomics'] });
      release();
      expect(await handle.result()).toMatchObject({ imaging: { done: 3, failed: 1 } });
      expect(await handle.query(PROGRESS_QUERY)).toMatchObject({ phase: 'finished' });
    });
  });
});
