import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalToolRunner } from '../../src/adapters/local/tool-runner.js';
import { cli as cohortflow } from '../support/cli.js';
import { imageStages } from '../support/compose-file.js';
import { readCsvText } from '../support/csv.js';
import { readOnlyRoot } from '../support/read-only-root.js';
import { temporaryFolder } from '../support/run-step.js';
import { writeSmallCohort } from '../support/small-cohort.js';
import { writeSmallTranscriptome } from '../support/small-transcriptome.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';

const cli = await temporalCli();
const salmon = await new LocalToolRunner().find('salmon');
const root = temporaryFolder('read-only');
const folders = Object.fromEntries(['volume', 'tmp', 'data'].map((name) => [name, join(root, name)]));
for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
const through = cli === undefined ? undefined : readOnlyRoot(Object.values(folders), root);

/** Docker compose and ECS run the image so: what it writes is in its volumes and with the data, and it has no privileges. */
describe.skipIf(through === undefined)('a whole run where only the volumes of the image can be written', () => {
  let env: TestWorkflowEnvironment;

  beforeAll(async () => {
    env = await realTime(cli!);
  }, 120_000);

  afterAll(async () => {
    await env?.teardown();
    rmSync(root, { recursive: true, force: true });
  });

  const call = (...args: string[]) => {
    const volume = folders['volume']!;
    const environment = {
      TEMPORAL_ADDRESS: env.address,
      // As the image sets them, below its volumes.
      COHORTFLOW_STATE: join(volume, 'state'),
      COHORTFLOW_CACHE: join(volume, 'cache'),
      TMPDIR: folders['tmp']!,
      HOME: root,
      NODE_ENV: 'production',
    };
    return cohortflow(args, environment, through);
  };

  it('is how the image is made: its settings point below the volumes', () => {
    const lines = imageStages().get('worker')!.lines.join('\n');
    expect(lines).toMatch(/^VOLUME \["\/var\/lib\/cohortflow", "\/tmp"\]$/m);
    expect(lines).toMatch(
      /COHORTFLOW_STATE=\/var\/lib\/cohortflow\/state\s+COHORTFLOW_CACHE=\/var\/lib\/cohortflow\/cache/,
    );
  });

  it('computes images and tables, joins them and writes the report', async () => {
    const { sheet, clinical, cases } = writeSmallCohort(folders['data']!, 3, [1]);
    const output = join(folders['data']!, 'results');
    const run = await call('run', '--cohort', sheet, '--clinical', clinical, '--output', output, '--fail-on', 'none');
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    const rows = readCsvText(readFileSync(join(output, 'dataset.csv'), 'utf8'));
    expect(rows.map((row) => row['case_id'])).toEqual(cases);
    expect(existsSync(join(output, 'report.html'))).toBe(true);
  }, 300_000);

  it.skipIf(salmon === undefined)(
    'quantifies reads with Salmon, whose index is kept in the volume',
    async () => {
      const small = writeSmallTranscriptome(folders['data']!, 2);
      const output = join(folders['data']!, 'reads-results');
      const reference = ['--transcripts', small.transcripts, '--annotation', small.annotation];
      const run = await call('run', '--cohort', small.sheet, '--output', output, ...reference);
      expect(run.exitCode, run.stdout + run.stderr).toBe(0);
      expect(readCsvText(readFileSync(join(output, 'genomics/expression-tpm.csv'), 'utf8'))).toHaveLength(2);
    },
    300_000,
  );

  it('writes nowhere else', () => {
    expect(readdirSync(root).sort()).toEqual(Object.keys(folders).sort());
  });
});
