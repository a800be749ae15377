import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { DuckDbTables } from '../../../src/adapters/local/duckdb-tables.js';
import { FileLedger } from '../../../src/adapters/local/file-ledger.js';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import { LocalFingerprints } from '../../../src/adapters/local/fingerprints.js';
import { unitWorkflowIds } from '../../../src/app/case-histories.js';
import { findCase, forgetCase, type ForgetServices } from '../../../src/app/forget-case.js';
import type { ColumnSpec } from '../../../src/ports/table-engine.js';
import { temporaryFolder } from '../../support/run-step.js';
import { folderText } from '../../support/visible-text.js';

const never = new AbortController().signal;
const files = new LocalFiles();
const tables = new DuckDbTables();

let output = '';
let root = '';
/** Ids of workflows that histories were asked for. */
let asked: readonly string[] = [];
let services: ForgetServices;

function put(name: string, text: string): void {
  const path = join(output, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

async function putParquet(name: string, columns: readonly ColumnSpec[], csv: string): Promise<void> {
  put(`${name}.csv`, csv);
  await tables.csvToParquet(join(output, `${name}.csv`), columns, join(output, name), never);
  await files.remove(join(output, `${name}.csv`));
}

const text = (name: string): ColumnSpec => ({ name, type: 'text' });
const STORE = [text('time'), text('write_time'), text('api_invocation_time'), text('is_deleted')];

beforeEach(() => {
  root = temporaryFolder('forget-unit');
  output = join(root, 'out');
  asked = [];
  mkdirSync(join(output, 'run'), { recursive: true });
  services = {
    ...{ files, tables, ledger: new FileLedger(files) },
    fingerprints: new LocalFingerprints(files, join(root, 'hashes')),
    store: {
      made: () => Promise.reject(new Error('no feature store was in use')),
      remove: () => Promise.reject(new Error('no feature store was in use')),
    },
    now: () => new Date('2030-01-02T03:04:05.678Z'),
    unique: () => 'abc',
    isOpen: async () => false,
    histories: async (ids) => {
      asked = ids;
      return [];
    },
    retentionDays: async () => 3,
    workflowIdOf: () => 'cohortflow-output',
  };
});

describe('forgetting a case', () => {
  test('takes what machines said of samples, since nobody knows of which', async () => {
    put('dataset.csv', 'case_id,note\nC-1,x\n');
    put('run/logs/r/cohortflow-1.log', '--output-file-prefix C-1');
    const { traces } = await findCase({ output, caseId: 'C-1' }, services);
    await forgetCase(traces);
    expect(existsSync(join(output, 'run/logs'))).toBe(false);
  });

  test('takes its rows out of tables with quoted cells and line ends, and leaves the others as they were', async () => {
    const rest = 'case_id,note\nC-10,"one, ""two""\nthree"\nC-2,C-1\n';
    put('dataset.csv', `${rest}C-1,"mine\nC-1"\n`);
    const { traces } = await findCase({ output, caseId: 'C-1' }, services);
    expect(traces.find(({ where }) => where.endsWith('dataset.csv'))).toMatchObject({ count: 1 });
    await forgetCase(traces);
    expect(readFileSync(join(output, 'dataset.csv'), 'utf8')).toBe(rest);
  });

  test('finds its row of the clinical features whatever the specification calls the id column', async () => {
    put('clinical/features.csv', 'Sex_f,case_id,pid\n1,7,C-1\n0,8,C-2\n');
    put('clinical/encoding.json', JSON.stringify({ columns: [{ kind: 'id', column: 'Patient', name: 'pid' }] }));
    const { traces } = await findCase({ output, caseId: 'C-1' }, services);
    await forgetCase(traces);
    expect(readFileSync(join(output, 'clinical/features.csv'), 'utf8')).toBe('Sex_f,case_id,pid\n0,8,C-2\n');
  });

  test('removes every study of it from the features, each with a deletion record that is the latest', async () => {
    const group = 'features/imaging/data/year=2029/month=12/day=31/hour=23/a.parquet';
    const columns = [text('Patient'), text('subject_id'), { name: 'x', type: 'number' } as const, ...STORE];
    const row = (id: string, x: number): string => `${id},${id.split('/')[0]},${x},2029,2029,2029,false\n`;
    const csv = `${columns.map(({ name }) => name).join(',')}\n`;
    await putParquet(group, columns, csv + row('C-1/early', 1) + row('C-1/late', 2) + row('C-10', 3));
    const found = await findCase({ output, caseId: 'C-1' }, services);
    await forgetCase(found.traces);
    const rowsOf = (path: string): Promise<readonly string[]> =>
      tables.keysOf(join(output, path), { column: 'Patient', key: 'C-1' }, never);
    expect(await rowsOf(group)).toEqual([]);
    const deletions = 'features/imaging/data/year=2030/month=01/day=02/hour=03/20300102T030405Z_abc.parquet';
    expect(await rowsOf(deletions)).toEqual(['C-1/early', 'C-1/late']);
    const gone = { column: 'is_deleted', key: 'true' };
    expect(await tables.keysOf(join(output, deletions), gone, never)).toHaveLength(2);
    const at = { column: 'time', key: '2030-01-02T03:04:05Z' };
    expect(await tables.keysOf(join(output, deletions), at, never)).toHaveLength(2);
    expect(await tables.columns(join(output, deletions), never)).toEqual(columns);
    await expect(findCase({ output, caseId: 'C-1' }, services)).rejects.toMatchObject({ code: 'CaseNotFound' });
  });

  test('asks for the histories of all its studies, by their keys and their pseudonyms', async () => {
    put('run/cohort.valid.csv', 'case_id,study_id,imaging\nC-1,early,/d/1\nC-1,late,/d/2\nC-2,other,/d/3\n');
    put('run/run.json', JSON.stringify({ workflowId: 'mine', runId: 'r', startedAt: '', state: 'finished' }));
    // One that ran here before, under an id that someone gave it.
    put('run/owners/after-none.json', JSON.stringify({ workflowId: 'theirs', runId: 'q', startedAt: '' }));
    await findCase({ output, caseId: 'C-1' }, { ...services, pseudonym: (key) => `p-${key.length}` });
    expect(asked).toContain('mine/imaging/C-1/late');
    expect(asked).toContain('theirs/imaging/C-1/late');
    expect(asked).toContain('cohortflow-output/imaging/C-1/early');
    expect(asked).toContain('mine/p-8');
    expect(asked.filter((id) => id.includes('other'))).toEqual([]);
    expect(unitWorkflowIds(['r'], ['C'])).toEqual(['r/C', 'r/imaging/C', 'r/genomics/C']);
  });

  test('drops what is remembered of its inputs, whose paths may name a person', async () => {
    const study = join(root, 'archive', 'Somebody');
    mkdirSync(study, { recursive: true });
    writeFileSync(join(study, 'Somebody-1.dcm'), 'x');
    await services.fingerprints.of(study);
    expect(folderText(join(root, 'hashes'))).toContain('Somebody');
    put('run/cohort.valid.csv', `case_id,imaging\nC-1,${study}\n`);
    await forgetCase((await findCase({ output, caseId: 'C-1' }, services)).traces);
    expect(folderText(join(root, 'hashes'))).not.toContain('Somebody');
    expect(existsSync(study)).toBe(true);
  });

  test('refuses while a run is open there, where no run ever was, and a case that left nothing', async () => {
    put('dataset.csv', 'case_id\nC-1\n');
    const place = { output, caseId: 'C-1' };
    const open = findCase(place, { ...services, isOpen: async (id) => id === 'cohortflow-output' });
    await expect(open).rejects.toMatchObject({ code: 'OutputBusy' });
    await expect(findCase({ ...place, output: root }, services)).rejects.toMatchObject({ code: 'FileNotFound' });
    await expect(findCase({ ...place, caseId: 'c-1' }, services)).rejects.toMatchObject({ code: 'CaseNotFound' });
    expect(readFileSync(join(output, 'dataset.csv'), 'utf8')).toContain('C-1');
  });

  test('says what remains, where, and for how long', async () => {
    put('dataset.csv', 'case_id\nC-1\n');
    const { remains } = await findCase({ output, caseId: 'C-1' }, services);
    expect(remains.join('\n')).toMatch(/cohort sheet[^]*3 day[^]*cohortflow-output[^]*deletion records/);
  });
});
