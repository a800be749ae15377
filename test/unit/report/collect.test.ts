import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { OUTCOME_COLUMNS } from '../../../src/activities/outcomes-csv.js';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import { runCosts } from '../../../src/domain/costs/index.js';
import { csvText } from '../../../src/domain/csv/index.js';
import { NO_QUALITY } from '../../../src/domain/genomics/sample-quality.js';
import { collectReport } from '../../../src/report/collect.js';
import type { ReportModel } from '../../../src/report/model.js';
import { temporaryFolder } from '../../support/run-step.js';

const COSTS = runCosts([{ executor: 'dragen', instanceType: 'f2.6xlarge', seconds: 60, spot: false }])!;

describe('what the report is made from', () => {
  let output: string;

  beforeEach(() => {
    output = temporaryFolder('collect');
  });

  function write(path: string, text: string): string {
    const full = join(output, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  }

  const collect = (): Promise<ReportModel> => collectReport(output, new LocalFiles(), new AbortController().signal, 1);

  function writeRun(ids: readonly string[], failed: readonly string[]): void {
    const outcomes = failed.map((id) =>
      OUTCOME_COLUMNS.map((name) => ({ case_id: id, outcome: 'failed', code: 'SegNotFound' })[name as 'case_id'] ?? ''),
    );
    write('run/outcomes.csv', csvText([...OUTCOME_COLUMNS], outcomes));
    const cases = ids.map((caseId) => {
      const folder = join(output, 'imaging', caseId);
      const files = failed.includes(caseId) ? [] : [{ path: `${folder}/features.json`, sha256: 'x' }];
      return JSON.stringify({
        caseId,
        carried: {},
        imaging: [{ part: '', status: 'done', code: '', files }],
        genomics: [],
      });
    });
    write('run/cases.jsonl', `${cases.join('\n')}\n`);
    const head = ['case_id', 'imaging_status', 'imaging_reason', 'genomics_status', 'genomics_reason'];
    const statuses = ids.map((id) => [
      id,
      failed.includes(id) ? 'failed' : 'done',
      '',
      'absent',
      'NotInSheet',
      'done',
      '',
      '1',
    ]);
    write('dataset.csv', csvText([...head, 'clinical_status', 'clinical_reason', 'age'], statuses));
    for (const id of ids.slice(0, 3)) {
      write(`imaging/${id}/features.json`, JSON.stringify({ original_firstorder_Mean: id.length }));
      write(`imaging/${id}/overlay-ortho.png`, 'png');
    }
  }

  it('shows failed cases first, statuses of the data set, a few pictures', async () => {
    writeRun(['A', 'B', 'C'], ['C']);
    const model = await collect();
    expect(model.cases.map(({ caseId }) => caseId)).toEqual(['C', 'A', 'B']);
    expect(model.cases[0]?.statuses).toMatchObject({ imaging: { status: 'failed' }, clinical: { status: 'done' } });
    expect(model.failures).toMatchObject([{ caseId: 'C', code: 'SegNotFound', kind: { fault: 'data' } }]);
    expect(model.pictures).toEqual({ shown: 1, total: 2 });
    expect(model.cases.map(({ picture }) => picture !== undefined)).toEqual([false, true, false]);
    expect(model.distributions).toEqual([{ name: 'original_firstorder_Mean', values: [1, 1] }]);
  });

  it('shows the first of a large cohort and counts the rest', async () => {
    const ids = Array.from({ length: 3_000 }, (_, index) => `C${index}`);
    writeRun(ids, ['C2900', 'C2950']);
    for (const id of ids.slice(3, 2_000)) write(`imaging/${id}/features.json`, '{}');
    const model = await collect();
    expect(model.cases).toHaveLength(2_000);
    expect(model.cases.slice(0, 3).map(({ caseId }) => caseId)).toEqual(['C2900', 'C2950', 'C0']);
    expect(model.casesLeftOut).toBe(1_000);
    expect(model.pictures.total).toBe(2_998);
  });

  it('counts every failed case, those that it does not list too, and no table as a case', async () => {
    const ids = Array.from({ length: 2_500 }, (_, index) => `C${index}`);
    writeRun(ids, ['', ...ids.slice(0, 2_200)]);
    const model = await collect();
    expect(model.failures).toHaveLength(2_000);
    expect(model.failedCases).toBe(2_200);
    expect(model.failuresByCode.map(({ count }) => count)).toEqual([2_201]);
  });

  it('takes the cases of the data set where there was no sheet', async () => {
    writeRun(['A', 'B'], []);
    write('run/cases.jsonl', '');
    expect((await collect()).cases.map(({ caseId }) => caseId)).toEqual(['A', 'B']);
  });

  it('shows how samples went and what this run cost, and nothing of another run’s costs', async () => {
    const quant = write('genomics/A/quant.json', JSON.stringify({ reads: 20, spot: 'no', warnings: ['LowMapping'] }));
    const unit = { part: '', status: 'done', code: '', files: [{ path: quant, sha256: 'x' }] };
    write('run/cases.jsonl', `${JSON.stringify({ caseId: 'A', carried: {}, imaging: [], genomics: [unit] })}\n`);
    const done = { case_id: 'A', step: 'genomics.quantify', outcome: 'done', seconds: '7.5' };
    const row = OUTCOME_COLUMNS.map((name) => done[name as 'step'] ?? '');
    write('run/outcomes.csv', csvText([...OUTCOME_COLUMNS], [row]));
    write('run/run.json', JSON.stringify({ runId: 'run-1' }));
    write('run/costs.json', JSON.stringify({ runId: 'run-1', ...COSTS }));
    const model = await collect();
    expect(model.samples).toEqual([
      { caseId: 'A', part: '', quality: { ...NO_QUALITY, reads: 20 }, warnings: ['LowMapping'], stepSeconds: 7.5 },
    ]);
    expect(model.costs).toMatchObject(COSTS);
    expect(model.planned).toEqual([]);
    const estimates = ['local', 'dragen'].map((executor) => ({ executor, units: 1, dollars: 2, hours: 1 }));
    write('run/plan.json', JSON.stringify({ plannedAt: '2026-01-02', estimates }));
    const planned = [{ plannedAt: '2026-01-02', executor: 'dragen', units: 1, dollars: 2 }];
    expect((await collect()).planned).toEqual(planned);
    write('run/costs.json', JSON.stringify({ runId: 'run-0', ...COSTS }));
    expect((await collect()).costs).toBeUndefined();
  });

  it('makes do with an empty folder', async () => {
    expect(await collect()).toMatchObject({ cases: [], failures: [], casesLeftOut: 0, tables: [] });
  });

  it('takes what is told of a run whose end is not written yet, and of one that has ended when its data set was joined', async () => {
    writeRun(['A'], []);
    const owner = { workflowId: 'w', runId: 'r', startedAt: '2026-01-01T00:00:00Z' };
    write('run/run.json', JSON.stringify({ ...owner, state: 'running' }));
    const joinedAt = '2026-01-01T00:01:00Z';
    const result = { imaging: { total: 1, done: 1 }, clinical: { outcome: 'failed', code: 'X', message: 'y' } };
    const model = await collectReport(output, new LocalFiles(), new AbortController().signal, 1, { result, joinedAt });
    const counts = [
      { modality: 'imaging', counts: { total: 1, done: 1 } },
      { modality: 'clinical', counts: {} },
    ];
    expect(model).toMatchObject({ runId: 'r', joinedAt, counts, clinicalProblem: 'X: y' });
    // The report had to wait for hours.
    write(
      'run/run.json',
      JSON.stringify({ ...owner, state: 'finished', joinedAt, endedAt: '2026-01-01T09:00:00Z', result }),
    );
    expect(await collect()).toMatchObject({ joinedAt, counts });
  });
});
