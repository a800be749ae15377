import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CohortResult } from '../../src/contracts/results.js';
import { readCsv } from '../support/csv.js';
import { FileServer } from '../support/file-server.js';
import { temporaryFolder } from '../support/run-step.js';
import { writeSmallCohort, type SmallCohort } from '../support/small-cohort.js';
import { temporalCli } from '../support/temporal-servers.js';
import { TestWorker } from '../support/worker-process.js';

const cli = await temporalCli();
const CASES = 6;
/** 600 for the ten minutes that the full form takes. */
const SECONDS_AWAY = Number(process.env['COHORTFLOW_SOAK_SECONDS_AWAY'] ?? 5);

describe.skipIf(cli === undefined)('a server that is away in the middle of a cohort and comes back', () => {
  const root = temporaryFolder('server-killed');
  let server: FileServer;
  let worker: TestWorker | undefined;
  let cohort: SmallCohort;

  beforeAll(async () => {
    cohort = writeSmallCohort(root, CASES);
    server = await FileServer.start(cli!, join(root, 'temporal.db'));
    worker = await TestWorker.start(server.address, root, ['--jobs', '1']);
  });

  afterAll(async () => {
    await worker?.end('SIGKILL');
    await server?.kill();
    rmSync(root, { recursive: true, force: true });
  });

  async function withClient<T>(body: (client: Client) => Promise<T>): Promise<T> {
    const connection = await Connection.connect({ address: server.address });
    try {
      return await body(new Client({ connection }));
    } finally {
      await connection.close();
    }
  }

  // Standing still is the harder case: connections stay open, heartbeats get no answer and time out meanwhile.
  it.each([
    ['killed', () => server.kill(), () => server.up()],
    ['standing still', async () => server.standStill(), async () => server.goOn()],
  ])(
    'finds its worker still there (%s), and the cohort goes on to one outcome for every case',
    async (how, leave, comeBack) => {
      const output = join(root, how);
      const input = { cohort: cohort.sheet, output };
      await withClient((client) =>
        client.workflow.start('imagingCohort', { workflowId: how, taskQueue: 'cohortflow', args: [input] }),
      );
      const first = join(output, 'run', 'steps', 'imaging', cohort.cases[0]!, 'imaging.overlay.json');
      while (!existsSync(first)) await sleep(20);
      await leave();
      await sleep(SECONDS_AWAY * 1000);
      await comeBack();

      const result = await withClient((client) => client.workflow.getHandle(how).result() as Promise<CohortResult>);
      expect(result).toMatchObject({ imaging: { total: CASES, failed: 0, cancelled: 0 }, failures: 0 });
      const outcomes = readCsv(join(output, 'run', 'outcomes.csv'));
      const keys = outcomes.map((row) => `${row['case_id']} ${row['step']}`);
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys).toHaveLength(3 * CASES);
      expect(new Set(outcomes.map((row) => row['outcome']))).toEqual(new Set(['done']));
    },
    240_000 + 1_000 * SECONDS_AWAY,
  );
});
