import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, cliJson } from '../support/cli.js';
import { leftOf, processesWith } from '../support/own-processes.js';
import { temporaryFolder } from '../support/run-step.js';
import { writeSmallCohort, type SmallCohort } from '../support/small-cohort.js';
import { SmallDisk, canHaveSmallDisk } from '../support/small-disk.js';
import { resultsOf, violations } from '../support/soak.js';
import { temporalCli } from '../support/temporal-servers.js';

const temporal = await temporalCli();
const root = temporaryFolder('disk-full');
const mounts = canHaveSmallDisk(root);
const CASES = 10;
/** What a run writes before its first case, and room to write aside. */
const HEAD_BYTES = 150_000;

describe.skipIf(temporal === undefined || !mounts)('a run whose disk is full', () => {
  const state = join(root, 'state');
  const env = { COHORTFLOW_STATE: state, COHORTFLOW_CACHE: join(root, 'cache') };
  let cohort: SmallCohort;
  let disk: SmallDisk;
  let wanted: ReadonlyMap<string, string>;
  let bytesOfACase: number;

  beforeAll(async () => {
    cohort = writeSmallCohort(root, CASES);
    const output = join(root, 'undisturbed');
    expect((await run(output)).exitCode).toBe(0);
    wanted = resultsOf(output);
    const first = join(output, 'imaging', cohort.cases[0]!);
    bytesOfACase = readdirSync(first).reduce((total, name) => total + statSync(join(first, name)).size, 0);
    const folder = join(root, 'disk');
    mkdirSync(folder);
    disk = await SmallDisk.mount(folder, 64);
  }, 180_000);

  afterAll(async () => {
    await cli(['server', 'stop'], env);
    await disk?.end();
    rmSync(root, { recursive: true, force: true });
  });

  function run(output: string, through: readonly string[] = []): ReturnType<typeof cliJson> {
    const limits = ['--jobs', '2', '--pause-after', '3', '--concurrency', '4'];
    return cliJson(['run', '--cohort', cohort.sheet, '--output', output, ...limits], env, through);
  }

  it('pauses with exit code 4 instead of failing its cases, and does all of them once there is space', async () => {
    disk.fillUpTo(HEAD_BYTES + 2 * bytesOfACase);
    const output = join(disk.folder, 'out');
    const paused = await run(output, disk.through);
    expect(paused).toMatchObject({
      exitCode: 4,
      document: { state: 'paused', breaker: { code: 'DiskFull', failures: 3 } },
    });
    expect(paused.stderr).toContain('Free space on the volume');

    disk.free();
    const whole = await run(output, disk.through);
    expect(whole).toMatchObject({ exitCode: 0, document: { imaging: { total: CASES, failed: 0, cancelled: 0 } } });
    expect(whole.stderr).toContain('goes on now');
    expect(violations(join(disk.seen, 'out'), cohort, wanted)).toEqual([]);
    const left = readdirSync(join(disk.seen, 'out'), { recursive: true }).filter((name) =>
      String(name).endsWith('.part'),
    );
    expect(left).toEqual([]);
    const ours = (): ReturnType<typeof processesWith> =>
      processesWith('COHORTFLOW_STATE', state).filter(({ command }) => !command.includes('server start-dev'));
    expect(await leftOf(ours, 20)).toEqual([]);
  }, 300_000);
});
