import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadPseudonymKey } from '../../src/codec/pseudonym.js';
import { cli, cliJson } from '../support/cli.js';
import { readCsv } from '../support/csv.js';
import { temporaryFolder } from '../support/run-step.js';
import { writeSmallCohort, type SmallCohort } from '../support/small-cohort.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { folderText, foundIn } from '../support/visible-text.js';

const program = await temporalCli();

/** Rows of all files of a feature group by DuckDB, with the file each is from. */
async function groupRows(output: string, group: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  const files = `${output}/features/${group}/data/**/*.parquet`;
  const found = await connection.runAndReadAll(
    `SELECT Case_ID, "timestamp" AS event_time, is_deleted, filename
     FROM read_parquet('${files}', union_by_name = true, filename = true, hive_partitioning = false)`,
  );
  return found.getRowObjects();
}

/** What a reader of the group sees: the latest record of each id, deleted ones left out after ranking. */
async function latest(output: string, group: string): Promise<string[]> {
  const newest = new Map<string, Record<string, unknown>>();
  for (const row of await groupRows(output, group)) {
    const id = String(row['Case_ID']);
    if (String(row['event_time']) >= String(newest.get(id)?.['event_time'] ?? '')) newest.set(id, row);
  }
  return [...newest].filter(([, row]) => row['is_deleted'] !== 'true').map(([id]) => id);
}

describe.skipIf(program === undefined)('forgetting a case', () => {
  const root = temporaryFolder('forget');
  const output = join(root, 'out');
  let env: TestWorkflowEnvironment;
  let cohort: SmallCohort;
  let settings: Readonly<Record<string, string>>;
  const [kept = '', forgotten = '', broken = ''] = ['C-01', 'C-02', 'C-03'];

  const forget = (id: string, ...more: string[]) => cliJson(['forget', id, '--output', output, ...more], settings);
  const ids = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { workflowId } of env.client.workflow.list()) found.push(workflowId);
    return found;
  };

  beforeAll(async () => {
    cohort = writeSmallCohort(root, 3, [2]);
    env = await realTime(program!);
    settings = {
      TEMPORAL_ADDRESS: env.address,
      COHORTFLOW_STATE: join(root, 'state'),
      COHORTFLOW_CACHE: join(root, 'cache'),
      COHORTFLOW_PSEUDONYM_KEY: randomBytes(32).toString('hex'),
    };
    const args = ['run', '--cohort', cohort.sheet, '--clinical', cohort.clinical, '--output', output, '--jobs', '2'];
    // Twice, the second time with other ids of workflows: records of several runs.
    for (const more of [[], ['--pseudonymise', '--force']]) {
      const { exitCode, stderr } = await cli([...args, ...more], settings);
      expect(exitCode, stderr).toBe(3);
    }
  }, 240_000);

  afterAll(async () => {
    await env?.teardown();
    rmSync(root, { recursive: true, force: true });
  });

  test('lists what it would remove, and removes nothing', async () => {
    // The server lists a workflow a moment after it has ended.
    await expect.poll(async () => (await ids()).filter((id) => id.endsWith(forgotten)).length).toBe(1);
    const before = folderText(output);
    const { exitCode, document } = await forget(forgotten);
    expect(exitCode).toBe(0);
    expect(document).toMatchObject({ caseId: forgotten, removed: false });
    const items = document['items'] as { what: string; where: string; count: number }[];
    const about = new Set(items.map(({ what }) => what));
    for (const what of ['results', 'rows', 'lines', 'histories on the Temporal server', 'deletion records, written']) {
      expect([...about]).toContain(what);
    }
    expect(items.filter(({ where }) => where.endsWith('dataset.parquet'))).toMatchObject([{ count: 1 }]);
    expect(folderText(output)).toBe(before);
    expect((await forget('C-99')).document).toMatchObject({ error: { code: 'CaseNotFound' } });
    expect((await forget('../C-02')).document).toMatchObject({ error: { code: 'InvalidInput' } });
  });

  test('removes the case from every file, from the latest view of the features, and its histories', async () => {
    const pseudonym = loadPseudonymKey(settings)!(forgotten);
    expect((await ids()).filter((id) => id.endsWith(pseudonym))).toHaveLength(1);
    expect(await latest(output, 'imaging')).toEqual([kept, forgotten]);

    const { exitCode, document } = await forget(forgotten, '--yes');
    expect(document).toMatchObject({ removed: true });
    expect(exitCode).toBe(0);
    expect(String(document['remains'])).toMatch(/cohort sheet.*retention|cohort sheet.*day/s);

    // Only the deletion records, one file a group, may still name it.
    const deletions: string[] = [];
    for (const group of ['imaging', 'clinical']) {
      const rows = await groupRows(output, group);
      const own = rows.filter((row) => row['Case_ID'] === forgotten);
      expect(own).toMatchObject([{ is_deleted: 'true' }]);
      deletions.push(String(own[0]!['filename']));
      expect(rows.filter((row) => row['Case_ID'] === kept).length).toBeGreaterThan(0);
      expect(await latest(output, group)).not.toContain(forgotten);
      expect(await latest(output, group)).toContain(kept);
    }
    expect(
      foundIn(
        folderText(output, (path) => !deletions.includes(path)),
        [forgotten],
      ),
    ).toEqual([]);
    expect(foundIn(folderText(join(root, 'cache', 'hashes')), [`/${forgotten}`])).toEqual([]);
    const left = await ids();
    expect(left.filter((id) => id.endsWith(forgotten) || id.endsWith(pseudonym))).toEqual([]);
    expect(left.filter((id) => id.endsWith(kept))).toHaveLength(1);

    expect(readCsv(join(output, 'dataset.csv')).map((row) => row['case_id'])).toEqual([kept, broken]);
    expect(existsSync(join(output, 'imaging', kept, 'features.json'))).toBe(true);
    expect((await forget(forgotten)).document).toMatchObject({ error: { code: 'CaseNotFound' } });
  }, 600_000);

  test('a failed case is forgotten too; the next run over the shortened sheet reuses the rest and makes whole again what was removed', async () => {
    expect((await forget(broken, '--yes')).document).toMatchObject({ removed: true });
    const sheet = readFileSync(cohort.sheet, 'utf8').split('\n');
    writeFileSync(cohort.sheet, sheet.filter((line) => !/^C-0[23],/.test(line)).join('\n'));
    const table = readFileSync(cohort.clinical, 'utf8').split('\n');
    writeFileSync(cohort.clinical, table.filter((line) => !/^C-0[23],/.test(line)).join('\n'));
    const args = ['run', '--cohort', cohort.sheet, '--clinical', cohort.clinical, '--output', output];
    const { exitCode, document } = await cliJson(args, settings);
    expect(exitCode).toBe(0);
    expect(document['imaging']).toMatchObject({ total: 1, reused: 1, failed: 0 });
    expect(existsSync(join(output, 'report.html'))).toBe(true);
    expect(existsSync(join(output, 'clinical', 'encoding.json'))).toBe(true);
    expect(await latest(output, 'imaging')).toEqual([kept]);
    expect(readCsv(join(output, 'dataset.csv')).map((row) => row['case_id'])).toEqual([kept]);
  }, 600_000);
});
