import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { cli, cliJson } from '../support/cli.js';
import { temporaryFolder } from '../support/run-step.js';
import { SEGMENTATION, writeSmallCohort } from '../support/small-cohort.js';
import { temporalCli } from '../support/temporal-servers.js';

const temporal = await temporalCli();

/** Command lines of all processes, where the system shows them. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        return [];
      }
    });
}

describe.skipIf(temporal === undefined || process.platform !== 'linux')('a run on the embedded server', () => {
  const root = temporaryFolder('run-ends');
  const env = { COHORTFLOW_STATE: join(root, 'state') };

  afterAll(async () => {
    await cli(['server', 'stop'], env);
    rmSync(root, { recursive: true, force: true });
  });

  async function workersOf(workflowId: string): Promise<number> {
    const count = (): number => commandLines().filter((line) => line.includes(`--follow ${workflowId}`)).length;
    for (let tries = 0; count() > 0 && tries < 40; tries += 1) await sleep(250);
    return count();
  }

  it('leaves no worker behind when it is done, even if the server is stopped at once', async () => {
    const { sheet } = writeSmallCohort(root, 2);
    const run = await cliJson(['run', '--cohort', sheet, '--output', join(root, 'out')], env);
    expect(run.exitCode).toBe(0);
    await cli(['server', 'stop'], env);
    expect(await workersOf(String(run.document['workflowId']))).toBe(0);
  }, 120_000);

  it('leaves none behind when cases failed', async () => {
    rmSync(join(root, 'dicom', 'C-02', SEGMENTATION));
    const sheet = join(root, 'cohort.csv');
    const run = await cliJson(['run', '--cohort', sheet, '--output', join(root, 'out')], env);
    expect(run.exitCode).toBe(3);
    expect(await workersOf(String(run.document['workflowId']))).toBe(0);
  }, 120_000);
});
