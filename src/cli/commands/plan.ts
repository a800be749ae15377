import { Command, InvalidArgumentError } from 'commander';
import { createFiles } from '../../app/create-files.js';
import { makePlan } from '../../app/plan/make-plan.js';
import { measureCohort, type CohortSizes } from '../../app/plan/measure-cohort.js';
import { sizeOfPlaces } from '../../app/plan/size-of.js';
import { readSizes } from '../../app/plan/sizes-file.js';
import type { AwsSettings } from '../../config/aws-settings.js';
import { loadConfig } from '../../config/load-config.js';
import type { WidthRequest } from '../../contracts/control.js';
import { layout } from '../../contracts/layout.js';
import { MB, expectedSizes } from '../../domain/costs/index.js';
import type { CohortManifest } from '../../domain/cohort/manifest.js';
import { CohortflowError } from '../../domain/errors.js';
import { readCheckedSheet } from '../../steps/cohort/check-sheet.js';
import { absolute, concurrency, existingFile, readGiven, jsonOption, wholeNumber } from '../options.js';
import { printJson, say } from '../output.js';
import { plannedJob } from '../../app/plan/job-request.js';
import { plannedMachine } from '../../app/plan/machine-request.js';
import { planLines } from '../plan-lines.js';

interface PlanOptions {
  readonly cohort?: string;
  readonly sizes?: string;
  readonly studies?: number;
  readonly medianMb: number;
  readonly samples?: number;
  readonly medianReadsMb: number;
  readonly concurrency?: WidthRequest;
  readonly jobs?: number;
  readonly region?: string;
  readonly dragenProfile?: string;
  readonly output?: string;
  readonly json?: boolean;
}

/** Cases at once of `run` where nobody says otherwise. */
const WIDTH = 50;

const DEFAULT_REGION = 'us-east-1';

function megabytes(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number of MB is wanted.');
  return value;
}

interface Measured {
  readonly sizes: CohortSizes;
  /** The units of the sheet, where there is a sheet. */
  readonly manifest?: Pick<CohortManifest, 'imaging' | 'genomics'>;
}

/** Sizes of the cohort: measured, given, or expected. */
async function sizesOf(options: PlanOptions, settings: AwsSettings): Promise<Measured> {
  const { cohort, sizes, studies, samples } = options;
  const given = [cohort, sizes, studies ?? samples].filter((source) => source !== undefined);
  if (given.length !== 1) {
    const ways = '--cohort, --sizes, or --studies and --samples';
    throw new CohortflowError('InvalidInput', `plan: give ${given.length === 0 ? '' : 'one of '}${ways}`);
  }
  const usual = { imaging: options.medianMb * MB, genomics: options.medianReadsMb * MB };
  if (sizes !== undefined) return { sizes: readSizes(await readGiven(sizes, '--sizes'), '--sizes') };
  if (cohort !== undefined) {
    const files = createFiles(settings);
    const { manifest } = await readCheckedSheet(existingFile(cohort, '--cohort'), files);
    const measured = await measureCohort(manifest, sizeOfPlaces(files), usual, new AbortController().signal);
    return { sizes: measured, manifest };
  }
  const reads = expectedSizes(samples ?? 0, usual.genomics);
  const imaging = expectedSizes(studies ?? 0, usual.imaging);
  return { sizes: { imaging, genomics: reads.map((bytes) => ({ bytes, fromSra: false })), unknown: 0 } };
}

function widths(request: WidthRequest | undefined): { readonly imaging: number; readonly genomics: number } {
  if (typeof request === 'number') return { imaging: request, genomics: request };
  return { imaging: request?.imaging ?? WIDTH, genomics: request?.genomics ?? WIDTH };
}

async function plan(options: PlanOptions): Promise<void> {
  const config = loadConfig(process.env, options.jobs === undefined ? {} : { jobs: options.jobs });
  const settings = config.aws;
  const environment = process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
  const { sizes: measured, manifest } = await sizesOf(options, settings);
  const made = makePlan(measured, {
    concurrency: widths(options.concurrency),
    jobs: config.jobs,
    region: options.region ?? settings.region ?? environment ?? DEFAULT_REGION,
    settings,
    ...(options.dragenProfile === undefined ? {} : { dragenProfile: options.dragenProfile }),
  });
  const { imaging, genomics } = measured;
  const machines =
    genomics.length === 0
      ? undefined
      : plannedMachine(manifest?.genomics ?? genomics.length, options.dragenProfile, settings);
  const requests = {
    ...(imaging.length === 0 ? {} : { sagemaker: plannedJob(manifest?.imaging[0], settings) }),
    ...(machines === undefined ? {} : { dragen: machines }),
  };
  if (options.output !== undefined) {
    const { estimates, prices } = made;
    const kept = { plannedAt: new Date().toISOString(), estimates, prices };
    const place = layout.plan(absolute(options.output));
    await createFiles(settings).write(place, `${JSON.stringify(kept, null, 1)}\n`);
  }
  if (options.json === true) printJson({ ...made, requests });
  else for (const line of planLines(made)) say(line);
}

export function planCommand(): Command {
  return new Command('plan')
    .description('Say what a cohort takes, in hours and dollars, with each executor; nothing is started.')
    .option('--cohort <sheet>', 'cohort sheet (CSV); the sizes of what it names are looked up')
    .option('--sizes <table>', 'sizes instead of a sheet: a CSV with the columns case and bytes, and modality')
    .option('--studies <n>', 'so many studies of the usual spread of sizes', wholeNumber)
    .option('--median-mb <MB>', 'their median size', megabytes, 352)
    .option('--samples <n>', 'so many samples of reads', wholeNumber)
    .option('--median-reads-mb <MB>', 'their median size, compressed', megabytes, 8000)
    .option('--concurrency <n>', 'cases at once, or imaging=N,genomics=N (default: 50)', concurrency)
    .option('--jobs <n>', 'heavy steps at once on this machine (default: its cores)', wholeNumber)
    .option('--region <name>', 'Region whose prices are taken (default: that of the settings, else us-east-1)')
    .option(
      '--dragen-profile <name>',
      'commands and machines of which DRAGEN version; --json lists them (default: that of the settings)',
    )
    .option('--output <folder>', 'keep the plan in that folder of results, for the report of the run there')
    .addOption(jsonOption())
    .action(plan);
}
