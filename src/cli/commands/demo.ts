import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { Files } from '../../ports/files.js';
import { createFiles } from '../../app/create-files.js';
import { LocalToolRunner } from '../../adapters/local/tool-runner.js';
import { EXIT } from '../../contracts/exit-codes.js';
import type { CohortResult } from '../../contracts/results.js';
import { writeDemoCohort, type DemoTruth } from '../../demo/write-demo-cohort.js';
import { absolute } from '../options.js';
import { say } from '../output.js';
import { readOutcomes } from '../run-summary.js';
import { execute } from './run.js';

interface DemoOptions {
  readonly folder: string;
  readonly reads?: 'fastq' | 'quant';
}

/** Volumes are drawn as ellipsoids and measured in voxels: this much apart at most. */
const VOLUME_TOLERANCE = 0.05;

interface Features {
  readonly original_shape_VoxelVolume?: number;
}

/** Compares the measured tumours with the ones that were drawn; returns how many are off. */
async function checkTruth(output: string, truth: readonly DemoTruth[], files: Files): Promise<number> {
  let off = 0;
  say('');
  for (const { caseId, tumourVolumeMm3, expectedFailure } of truth) {
    if (expectedFailure !== undefined) continue;
    const path = join(output, 'imaging', caseId, 'features.json');
    if ((await files.stat(path)) === undefined) continue;
    const features = JSON.parse(await files.readText(path)) as Features;
    const measured = features.original_shape_VoxelVolume ?? NaN;
    const good = Math.abs(measured / tumourVolumeMm3 - 1) <= VOLUME_TOLERANCE;
    if (!good) off += 1;
    const shown = (mm3: number): string => `${(mm3 / 1000).toFixed(2)} ml`;
    say(
      `truth     ${caseId}: tumour drawn ${shown(tumourVolumeMm3)}, measured ${shown(measured)}${good ? '' : '  OFF'}`,
    );
  }
  return off;
}

/** True when exactly the failures that the cohort was made with occurred. */
async function onlyExpected(result: CohortResult, truth: readonly DemoTruth[]): Promise<boolean> {
  const { failed } = await readOutcomes(result.outcomes);
  const found = failed.map((row) => `${row.case_id} ${row.code}`);
  const expected = truth.flatMap(({ caseId, expectedFailure }) =>
    expectedFailure === undefined ? [] : [`${caseId} ${expectedFailure}`],
  );
  return result.failures === expected.length && [...found].sort().join() === [...expected].sort().join();
}

async function demo(options: DemoOptions): Promise<void> {
  const folder = absolute(options.folder);
  const files = createFiles();
  const hasSalmon = (await new LocalToolRunner().find('salmon')) !== undefined;
  const reads = options.reads ?? (hasSalmon ? 'fastq' : 'quant');
  if (reads === 'quant') say('demo: salmon is not installed, so the reads come already quantified');
  const output = join(folder, 'results');
  say(`demo: making a cohort of 12 cases in ${folder}`);
  const { truth, ...paths } = await writeDemoCohort(join(folder, 'cohort'), files, reads);
  const { result, exitCode } = await execute({ ...paths, output, worker: true, failOn: 'none' });
  if (result === undefined) {
    process.exitCode = exitCode;
    return;
  }
  const off = await checkTruth(output, truth, files);
  const expected = await onlyExpected(result, truth);
  say('');
  say(
    expected
      ? 'demo: one case has no segmentation, on purpose; it failed as SegNotFound and everything else is done'
      : 'demo: the failures are not the one that was expected',
  );
  say(`demo: open ${join(output, 'report.html')}`);
  process.exitCode = expected && off === 0 ? EXIT.ok : EXIT.other;
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('Make a cohort of 12 cases with known truth, run it, and compare. No account, no cloud.')
    .option('--folder <folder>', 'where the cohort and its results go', 'cohortflow-demo')
    .addOption(
      new Option('--reads <kind>', 'reads to quantify with Salmon, or quantified already').choices(['fastq', 'quant']),
    )
    .action(demo);
}
