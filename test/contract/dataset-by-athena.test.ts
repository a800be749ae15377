import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingestFeatures } from '../../src/activities/ingest-features.js';
import { AwsHoldingsReader } from '../../src/adapters/aws/account/holdings.js';
import { SageMakerFeatureStore } from '../../src/adapters/aws/sagemaker-feature-store.js';
import { FileLedger } from '../../src/adapters/local/file-ledger.js';
import { LocalFiles } from '../../src/adapters/local/files.js';
import { createProgram } from '../../src/cli/main.js';
import { readCsvText } from '../support/csv.js';
import { shortFloat } from '../support/fake-feature-store.js';
import { ACCOUNT_NAME, hasSettings, inStandInOnly, REAL_ACCOUNT, TEST_RUN } from '../support/aws/real-account.js';
import { hasAccount, openAccount, patience, type TestAccount } from '../support/aws/test-account.js';
import { ServiceFault, type FeatureStoreServer } from '../support/feature-store-server.js';
import { finishedRun } from '../support/finished-run.js';
import { inProcessRunner } from '../support/in-process-runner.js';

const { signal } = new AbortController();
const { offlineStore, roleArn } = REAL_ACCOUNT?.features ?? {};
const able = hasAccount() && hasSettings('Feature Store', offlineStore, roleArn);

/** A third of the calls throttled, every twentieth answer lost and more of the writes'; the same each time. */
function troubled(server: FeatureStoreServer): void {
  let seed = 7;
  server.faultOf = (action, call) => {
    if (action === 'BatchWriteRecord' && call % 5 === 2) return 'lose';
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    const chance = seed / 2_147_483_648;
    if (chance < 0.3) return new ServiceFault('ThrottlingException', 'Rate exceeded');
    return chance < 0.35 ? 'lose' : undefined;
  };
}

const cohort = {
  cases: Array.from({ length: 120 }, (_, at) => ({
    caseId: `C-${at}`,
    carried: { site: at % 3 === 0 ? 'a, "b"' : '' },
    imaging: [
      { part: '', features: { original_shape_Elongation: at / 3, tiny: at * 1e-9, huge: at * 1e21, none: null } },
    ],
    genomics: at % 2 === 0 ? [{ part: '', tpm: { 'ENSG0001.17': at, 'ENSG0002.3': at / 7 } }] : [],
  })),
  clinical: `Weight,Case_ID,Flag,Note\n${Array.from({ length: 120 }, (_, at) => `${at}.0,C-${at},${at % 2},"é's ""${at}"", so"\n`).join('')}`,
};

/** A finished run whose groups were sent. */
async function sentRun({ settings, alone }: TestAccount, prefix: string): Promise<string> {
  const output = await finishedRun(cohort);
  const files = new LocalFiles();
  // A real service is waited for; the stand-in has no faults that pass with time.
  const pause = alone === undefined ? [] : [async () => undefined];
  for (const group of ['imaging', 'genomics', 'clinical']) {
    const result = await ingestFeatures(
      { output, group },
      {
        files,
        ledger: new FileLedger(files),
        runner: inProcessRunner,
        store: new SageMakerFeatureStore(settings, ...pause),
        prefix,
        workFolder: mkdtempSync(join(tmpdir(), 'cohortflow-work-')),
      },
      signal,
      () => undefined,
    );
    expect(result.failed).toBe(0);
  }
  return output;
}

async function by(engine: string, output: string): Promise<string> {
  const to = join(mkdtempSync(join(tmpdir(), 'cohortflow-to-')), `${engine}.csv`);
  const program = createProgram().exitOverride();
  await program.parseAsync(['node', 'cohortflow', 'dataset', '--output', output, '--engine', engine, '--to', to]);
  return readFileSync(to, 'utf8');
}

describe.skipIf(!able)(`cohortflow dataset (${ACCOUNT_NAME})`, () => {
  let account: TestAccount;

  beforeAll(async () => {
    account = await openAccount();
    const { features } = account.alone ?? {};
    if (features !== undefined) Object.assign(features, { looksNeeded: 0, results: 'file' });
    process.env['COHORTFLOW_AWS'] = JSON.stringify(account.settings);
  }, 120_000);

  afterAll(async () => {
    if (account === undefined) return;
    const holdings = new AwsHoldingsReader(account.settings);
    for (const name of await holdings.groupNames(TEST_RUN, signal)) {
      const held = await holdings.group(name, TEST_RUN, signal);
      await holdings.removeGroup(name, signal);
      if (held?.records !== undefined) await account.files.remove(held.records);
    }
    await account.close();
  }, patience(10));

  it(
    'has the same bytes by Athena, by DuckDB and of the run itself, whatever the service does',
    async () => {
      const server = account.alone?.features;
      if (server !== undefined) troubled(server);
      const output = await sentRun(account, TEST_RUN);
      if (server !== undefined) {
        // Answers that were lost left records twice.
        const written = [...server.store.written.values()].reduce((sum, rows) => sum + rows.length, 0);
        expect(written).toBeGreaterThan(300);
      }
      const own = readFileSync(join(output, 'dataset.csv'), 'utf8');
      expect(await by('athena', output)).toBe(own);
      expect(await by('duckdb', output)).toBe(own);
      expect(own.split('\n').length).toBe(122);
      if (server !== undefined) server.faultOf = () => undefined;
    },
    patience(60),
  );

  inStandInOnly('where the catalogue has FLOAT', () => {
    it('has numbers as near as FLOAT can hold them where the catalogue has that, and everything else exactly', async () => {
      const { store } = account.alone!.features;
      store.groups.clear();
      store.fractional = 'FLOAT';
      const output = await sentRun(account, TEST_RUN);
      const own = readCsvText(readFileSync(join(output, 'dataset.csv'), 'utf8'));
      const asked = readCsvText(await by('athena', output));
      expect(asked).toHaveLength(own.length);
      let [short, long] = [0, 0];
      for (const [at, row] of own.entries()) {
        for (const [name, value] of Object.entries(row)) {
          const found = asked[at]![name]!;
          if (found === value) {
            short += 1;
            continue;
          }
          // The shortest number of that FLOAT, spelt as ever: not 0.10000000149011612 for 0.1.
          long += 1;
          expect(`${name} ${String(Number(found))}`).toBe(`${name} ${String(shortFloat(Number(value)))}`);
          expect(Math.abs(Number(found) / Number(value) - 1)).toBeLessThan(2 ** -23);
        }
      }
      // Thirds do not fit; whole numbers, short ones and texts do.
      expect(long).toBeGreaterThan(50);
      expect(short).toBeGreaterThan(10 * 50);
      expect(asked.map((row) => row['case_id'])).toEqual(own.map((row) => row['case_id']));
    });
  });
});
