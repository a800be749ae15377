import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import type { SeededRandom } from '../../src/domain/seeded-random.js';
import { readCsv } from './csv.js';
import { FileServer } from './file-server.js';
import type { SmallCohort } from './small-cohort.js';
import { TestWorker } from './worker-process.js';

const STEPS = ['imaging.convert', 'imaging.radiomics', 'imaging.overlay'];

/** What is done to a run while it is under way. */
export type Disturbance = 'kill worker' | 'kill server' | 'kill both' | 'cancel' | 'terminate';

/** One cohort run over and over on a server with a database and a worker, both of which are killed meanwhile. */
export class SoakRig {
  private worker: TestWorker | undefined;

  private constructor(
    private readonly root: string,
    private readonly cohort: SmallCohort,
    private readonly server: FileServer,
  ) {}

  static async start(cli: string, root: string, cohort: SmallCohort): Promise<SoakRig> {
    const rig = new SoakRig(root, cohort, await FileServer.start(cli, join(root, 'temporal.db')));
    await rig.startWorker();
    return rig;
  }

  async stop(): Promise<void> {
    await this.worker?.end('SIGKILL');
    await this.server.kill();
  }

  private async startWorker(): Promise<void> {
    this.worker = await TestWorker.start(this.server.address, this.root, ['--jobs', '2']);
  }

  private async withClient<T>(body: (client: Client) => Promise<T>): Promise<T> {
    const connection = await Connection.connect({ address: this.server.address });
    try {
      return await body(new Client({ connection }));
    } finally {
      await connection.close();
    }
  }

  /** Runs the cohort into a folder, disturbing it at the given moments (milliseconds from the start, in order). */
  async run(
    output: string,
    disturbances: readonly { readonly at: number; readonly what: Disturbance }[],
  ): Promise<void> {
    const workflowId = `soak-${createHash('sha256').update(output).digest('hex').slice(0, 12)}`;
    const start = (): Promise<unknown> =>
      this.withClient((client) =>
        client.workflow.start('imagingCohort', {
          workflowId,
          taskQueue: 'cohortflow',
          args: [{ cohort: this.cohort.sheet, output, concurrency: 8 }],
        }),
      );
    await start();
    const began = Date.now();
    for (const { at, what } of disturbances) {
      await sleep(Math.max(0, began + at - Date.now()));
      if (await this.disturb(workflowId, what)) await start();
    }
    await this.withClient((client) => client.workflow.getHandle(workflowId).result());
  }

  /** Returns true when the run ended by it: then the same run is started again, as an operator would. */
  private async disturb(workflowId: string, what: Disturbance): Promise<boolean> {
    if (what === 'cancel' || what === 'terminate') {
      return this.withClient(async (client) => {
        const handle = client.workflow.getHandle(workflowId);
        const { status } = await handle.describe();
        if (status.name !== 'RUNNING') return false;
        if (what === 'cancel') await handle.cancel();
        else await handle.terminate('soak');
        await handle.result().catch((error: unknown) => {
          if (!(error instanceof WorkflowFailedError)) throw error;
        });
        return true;
      });
    }
    if (what !== 'kill server') await this.worker?.end('SIGKILL');
    if (what !== 'kill worker') await this.server.kill();
    if (what !== 'kill worker') await this.server.up();
    if (what !== 'kill server') await this.startWorker();
    return false;
  }
}

/** Content of everything that a run is for: results of all cases and the data set, not when and how they came to be. */
export function resultsOf(output: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const folder of ['imaging', 'dataset.csv']) {
    const path = join(output, folder);
    if (!existsSync(path)) continue;
    const files = folder.includes('.')
      ? [path]
      : readdirSync(path, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name));
    for (const file of files) {
      found.set(relative(output, file), createHash('sha256').update(readFileSync(file)).digest('hex'));
    }
  }
  return found;
}

/** What is wrong with a run that was disturbed; nothing, if all is well. */
export function violations(output: string, cohort: SmallCohort, wanted: ReadonlyMap<string, string>): string[] {
  const wrong: string[] = [];
  const rows = readCsv(join(output, 'run', 'outcomes.csv'));
  for (const caseId of cohort.cases) {
    const own = rows.filter((row) => row['case_id'] === caseId);
    const steps = own.map((row) => row['step']).sort();
    if (steps.join() !== [...STEPS].sort().join())
      wrong.push(`${caseId}: outcomes of ${steps.join(', ') || 'nothing'}`);
    const bad = own.filter((row) => row['outcome'] !== 'done' && row['outcome'] !== 'reused');
    for (const row of bad) wrong.push(`${caseId}: ${row['step'] ?? ''} ${row['outcome'] ?? ''} ${row['code'] ?? ''}`);
  }
  if (rows.length !== STEPS.length * cohort.cases.length) wrong.push(`${rows.length} outcomes`);
  const found = resultsOf(output);
  for (const [file, hash] of wanted) {
    if (found.get(file) !== hash) wrong.push(`${file}: ${found.has(file) ? 'differs' : 'is missing'}`);
  }
  for (const file of found.keys()) if (!wanted.has(file)) wrong.push(`${file}: should not be there`);
  const work = join(output, 'run', '.work');
  const left = existsSync(work) ? readdirSync(work) : [];
  if (left.length > 0) wrong.push(`${left.length} left in run/.work`);
  const tables = readdirSync(join(output, 'features', 'imaging'), { recursive: true }).filter((name) =>
    String(name).endsWith('.parquet'),
  );
  if (tables.length !== 1) wrong.push(`${tables.length} files of the feature group`);
  return wrong;
}

/** When and how a round disturbs its run. */
export function disturbancesOf(
  random: SeededRandom,
  kinds: readonly Disturbance[],
  count: number,
  spreadMs: number,
): { readonly at: number; readonly what: Disturbance }[] {
  const moments = Array.from({ length: count }, () => Math.round(random.uniform() * spreadMs)).sort((a, b) => a - b);
  return moments.map((at) => ({ at, what: random.pick(kinds) }));
}

/** Removes what a round has made. */
export function forgetRound(output: string): void {
  rmSync(output, { recursive: true, force: true });
}
