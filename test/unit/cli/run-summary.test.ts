import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OUTCOME_COLUMNS } from '../../../src/activities/outcomes-csv.js';
import { readOutcomes, summaryLines } from '../../../src/cli/run-summary.js';
import type { CohortResult } from '../../../src/contracts/results.js';
import { csvText } from '../../../src/domain/csv/index.js';
import { temporaryFolder } from '../../support/run-step.js';

function table(rows: readonly Readonly<Record<string, string>>[]): string {
  const path = join(temporaryFolder('summary'), 'outcomes.csv');
  const cells = rows.map((row) => OUTCOME_COLUMNS.map((name) => row[name] ?? ''));
  writeFileSync(path, csvText([...OUTCOME_COLUMNS], cells));
  return path;
}

const row = (id: string, step: string, changes: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  ...{ case_id: id, modality: 'imaging', step, outcome: 'done' },
  ...changes,
});
const failed = { outcome: 'failed', code: 'SegNotFound', message: 'none, "really"' };

describe('what a person is told at the end of a run', () => {
  it('lists failures first, then each case with its steps', async () => {
    const outcomes = table([
      row('A', 'imaging.convert'),
      row('A', 'imaging.radiomics', { outcome: 'reused' }),
      row('B', 'imaging.convert', { ...failed, study_or_sample: 'pre' }),
      row('', 'clinical.features', { ...failed, modality: 'clinical' }),
    ]);
    const result = { runId: 'r', output: '/o', cases: 2, featureGroups: [], outcomes, failures: 2 } as CohortResult;
    const lines = await summaryLines(result);
    expect(lines[1]).toBe('FAILED    B (imaging pre, imaging.convert) SegNotFound: none, "really"');
    expect(lines).toContain('A            imaging.convert done, imaging.radiomics reused');
    expect(lines).toContain('B            pre imaging.convert failed SegNotFound');
  });

  it('says what the feature store was sent', async () => {
    const groups = { featureGroups: ['c-genomics-1', 'c-genomics-2'] };
    const ingested = { outcome: 'done', records: 2, form: 'parts', said: '4000 columns in 2 groups', ...groups };
    const said = '2490 of 6000 genes: those that vary most';
    const result = {
      ...{ runId: 'r', output: '/o', cases: 2, outcomes: table([]), failures: 0 },
      featureGroups: [
        { group: 'genomics', outcome: 'done', file: '/o/g.parquet', rows: 2, columns: 4000, said, ingested },
        {
          group: 'imaging',
          outcome: 'done',
          ingested: { ...ingested, outcome: 'reused', form: 'whole', featureGroups: ['c-imaging'] },
        },
      ],
    } as CohortResult;
    const lines = await summaryLines(result);
    expect(lines).toContain(`features  genomics: 2 rows in /o/g.parquet (${said})`);
    expect(lines).toContain('store     genomics: 2 rows sent, c-genomics-1, c-genomics-2 (4000 columns in 2 groups)');
    expect(lines).toContain('store     imaging: 2 rows were there already, c-imaging');
  });

  it('keeps the first cases and failures of a large table and counts the rest', async () => {
    const rows = Array.from({ length: 12_000 }, (_, index) => row(`C${index}`, 'imaging.convert', failed));
    const outcomes = table(rows);
    const digest = await readOutcomes(outcomes);
    expect([digest.failed.length, digest.failedInAll]).toEqual([10_000, 12_000]);
    expect([digest.cases.length, digest.casesInAll]).toEqual([60, 12_000]);
    const result = {
      runId: 'r',
      output: '/o',
      cases: 2,
      featureGroups: [],
      outcomes,
      failures: 12_000,
    } as CohortResult;
    const lines = await summaryLines(result);
    expect(lines).toContain(`FAILED    … and 11500 more in ${outcomes}`);
    expect(lines).toContain(`… and 11940 more in ${outcomes}`);
  });
});
