import { Command, Option } from 'commander';
import type { RunStart } from '../../app/cohort-run.js';
import type { AwsSettings } from '../../config/aws-settings.js';
import { isUnwritable } from '../../adapters/local/io-errors.js';
import { fanOutChoice } from '../../contracts/fan-out-choice.js';
import type { RunPlaces } from '../../app/doctor/aws/wanted.js';
import { checkProfile } from '../../app/doctor/check-profile.js';
import { createFiles } from '../../app/create-files.js';
import { loadConfig } from '../../config/load-config.js';
import { EXIT, type ExitCode } from '../../contracts/exit-codes.js';
import { FEATURE_STORES, type MultimodalInput } from '../../contracts/inputs.js';
import { GENOMICS_EXECUTORS, IMAGING_EXECUTORS } from '../../contracts/remote-work.js';
import type { CohortResult } from '../../contracts/results.js';
import { BUILT_IN_SPECS, clinicalFeatures, overlapNotes, readClinicalTable } from '../../domain/clinical/index.js';
import { refuseRequesterPays } from '../../domain/cohort/index.js';
import { isUri } from '../../domain/cohort/sheet-paths.js';
import { CohortflowError } from '../../domain/errors.js';
import { parseRadiomicsSettings, parseParameterText } from '../../domain/radiomics/index.js';
import { readCheckedSheet } from '../../steps/cohort/check-sheet.js';
import {
  absolute,
  concurrency,
  existing,
  existingFile,
  jsonOption,
  pool,
  readDocument,
  readGiven,
  refuseFileAsFolder,
  wholeNumber,
} from '../options.js';
import { printJson, say } from '../output.js';
import { runCohort } from '../run-cohort.js';
import { readOutcomes, summaryLines } from '../run-summary.js';

export interface RunOptions {
  readonly cohort?: string;
  readonly clinical?: string;
  readonly clinicalSpec?: string;
  readonly transcripts?: string;
  readonly annotation?: string;
  readonly index?: string;
  readonly output: string;
  readonly radiomics?: string;
  readonly set?: 'default' | 'seed';
  readonly roi?: string;
  readonly series?: string;
  readonly profile?: 'local' | 'aws';
  readonly imagingExecutor?: MultimodalInput['imagingExecutor'];
  readonly genomicsExecutor?: MultimodalInput['genomicsExecutor'];
  readonly dragenProfile?: string;
  readonly featureStore?: MultimodalInput['featureStore'];
  readonly concurrency?: MultimodalInput['concurrency'];
  readonly jobs?: number;
  readonly memoryPerJob?: number;
  readonly genes?: number | string;
  readonly population?: 'sheet' | 'union';
  readonly startRate?: MultimodalInput['startRate'];
  readonly pool?: MultimodalInput['pool'];
  readonly pauseAfter?: number;
  readonly force?: boolean;
  readonly verifyInputs?: boolean;
  readonly pseudonymise?: boolean;
  readonly takeOver?: boolean;
  readonly worker: boolean;
  readonly failOn: 'any' | 'none';
  readonly json?: boolean;
}

/** A number of genes, or a file of them. */
function genes(text: string): number | string {
  return /^\d+$/.test(text) ? wholeNumber(text) : text;
}

/** The genes of a file with one id a line. */
async function namedGenes(path: string): Promise<readonly string[]> {
  return new TextDecoder()
    .decode(await readGiven(path, '--genes'))
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Options that go into the workflow's input as they are. */
const AS_GIVEN = [
  ...(['roi', 'series', 'population', 'force', 'verifyInputs', 'pseudonymise', 'takeOver'] as const),
  ...(['concurrency', 'startRate', 'pool', 'pauseAfter'] as const),
  ...(['imagingExecutor', 'genomicsExecutor', 'dragenProfile', 'featureStore'] as const),
] as const;

/** Where everything runs when the options do not say otherwise. */
const PROFILES: Readonly<Record<'local' | 'aws', Partial<MultimodalInput>>> = {
  local: {},
  // Reads are quantified by Salmon, beside S3: DRAGEN has a licence of its own, and is asked for by name.
  aws: { imagingExecutor: 'sagemaker', featureStore: 'sagemaker' },
};

/** The workflow's input of the options that were given; paths absolute and looked for. */
export async function workflowInput(options: RunOptions): Promise<MultimodalInput> {
  const input: Record<string, unknown> = {
    output: absolute(options.output),
    ...PROFILES[options.profile ?? 'local'],
  };
  for (const name of ['cohort', 'clinical', 'transcripts', 'annotation', 'index', 'radiomics'] as const) {
    const path = options[name];
    const wanted = name === 'index' ? existing : existingFile;
    if (path !== undefined) input[name] = wanted(path, `--${name}`);
  }
  const { clinicalSpec, set, genes: wanted } = options;
  if (clinicalSpec !== undefined) {
    input['clinicalSpec'] = Object.hasOwn(BUILT_IN_SPECS, clinicalSpec)
      ? clinicalSpec
      : await readDocument(clinicalSpec, '--clinical-spec');
  }
  if (set !== undefined) input['featureSet'] = set;
  if (wanted !== undefined) input['genes'] = typeof wanted === 'number' ? wanted : await namedGenes(wanted);
  for (const name of AS_GIVEN) if (options[name] !== undefined) input[name] = options[name];
  if (input['cohort'] === undefined && input['clinical'] === undefined) {
    throw new CohortflowError('InvalidInput', 'run: give --cohort, --clinical, or both');
  }
  return input as unknown as MultimodalInput;
}

/** What can be refused is refused before a server is started. */
async function checkFirst(input: MultimodalInput, { s3 = {} }: AwsSettings): Promise<void> {
  if (input.radiomics !== undefined && !isUri(input.radiomics)) {
    parseRadiomicsSettings(await readDocument(input.radiomics, '--radiomics', parseParameterText));
  }
  let cases: readonly string[] = [];
  if (input.cohort !== undefined) {
    const reading = await readCheckedSheet(input.cohort, createFiles());
    if (input.imagingExecutor === 'sagemaker') refuseRequesterPays(input.cohort, reading, s3.requesterPays ?? []);
    cases = reading.manifest.cases.map(({ caseId }) => caseId);
  }
  if (input.clinical !== undefined && !isUri(input.clinical)) {
    const table = readClinicalTable(await readGiven(input.clinical, '--clinical'));
    const { caseIds, warnings } = clinicalFeatures(table, input.clinicalSpec);
    for (const warning of [...warnings, ...overlapNotes(cases, caseIds)]) say(`Clinical table: ${warning}`);
  }
}

/** Inputs that no check of ours has read before the start, where they are in S3. */
const PLACES = ['clinical', 'radiomics', 'transcripts', 'annotation', 'index'] as const;

/** What a run reads and writes in S3; undefined where it does neither. */
function placesOf(input: MultimodalInput): RunPlaces | undefined {
  const inS3 = (path: string | undefined): path is string => path?.startsWith('s3://') === true;
  const inputs = PLACES.flatMap((name) => {
    const uri = input[name];
    return inS3(uri) ? [{ option: `--${name}`, uri }] : [];
  });
  if (!inS3(input.output)) return inputs.length === 0 ? undefined : { inputs };
  return { output: input.output, inputs };
}

/** What a run needs of an account is looked at before anything of it is started. */
async function checkAccount(input: MultimodalInput, settings: AwsSettings, worker: boolean): Promise<void> {
  const { imagingExecutor = 'local', genomicsExecutor = 'local', featureStore = 'local' } = input;
  const local = [imagingExecutor, genomicsExecutor, featureStore].every((where) => where === 'local');
  // Other workers may read and write where this machine cannot.
  const places = worker ? placesOf(input) : undefined;
  if (local && places === undefined) return;
  const { sagemaker, dragen, features } = settings;
  if (!worker && [sagemaker, dragen, features].every((one) => one === undefined)) {
    say('Account: not looked at, there are no aws settings here; the workers look at theirs');
    return;
  }
  const atOnce = {
    imaging: fanOutChoice(input, 'imaging').concurrency,
    genomics: fanOutChoice(input, 'genomics').concurrency,
  };
  const wanted = {
    ...{ imaging: imagingExecutor, genomics: genomicsExecutor, atOnce },
    featureStore: featureStore !== 'local',
    ...(input.dragenProfile === undefined ? {} : { dragenProfile: input.dragenProfile }),
    ...(places === undefined ? {} : { places }),
  };
  const findings = await checkProfile(settings, wanted, new AbortController().signal);
  for (const { name, state, found, fix } of findings) {
    if (state !== 'ok') say(`${name}: ${found}${fix === undefined ? '' : ` (${fix})`}`);
  }
}

/** The exit code of a finished run. */
function exitCodeOfRun(result: CohortResult, failOn: RunOptions['failOn']): ExitCode {
  return result.failures > 0 && failOn === 'any' ? EXIT.failedCases : EXIT.ok;
}

/** Runs a cohort and prints how it ended; sets nothing, returns the result and its exit code. */
export async function execute(
  options: RunOptions,
): Promise<{ readonly result: CohortResult | undefined; readonly exitCode: ExitCode }> {
  const input = await workflowInput(options);
  // Another worker may write where this machine cannot.
  if (options.worker) refuseFileAsFolder(input.output);
  if (options.worker && !isUri(input.output) && (await isUnwritable(input.output))) {
    throw new CohortflowError('InvalidInput', `--output: ${input.output} cannot be written to by this user`);
  }
  await checkFirst(input, loadConfig().aws);
  return executeInput(input, options);
}

/** Runs a cohort of which the input is known whole. */
export async function executeInput(
  input: MultimodalInput,
  options: Pick<RunOptions, 'jobs' | 'memoryPerJob' | 'worker' | 'failOn' | 'json'>,
  start?: RunStart,
): Promise<{ readonly result: CohortResult | undefined; readonly exitCode: ExitCode }> {
  const { jobs, memoryPerJob, worker } = options;
  const config = loadConfig(process.env, {
    ...(jobs === undefined ? {} : { jobs }),
    ...(memoryPerJob === undefined ? {} : { memoryPerJobMb: memoryPerJob }),
  });
  await checkAccount(input, config.aws, worker);
  const { result, workflowId, uiUrl, paused } = await runCohort(input, config, worker, start);
  if (paused !== undefined) {
    if (options.json === true) printJson({ workflowId, output: input.output, state: 'paused', breaker: paused });
    return { result, exitCode: EXIT.paused };
  }
  if (result === undefined) {
    if (options.json === true) printJson({ workflowId, output: input.output, state: 'running' });
    return { result, exitCode: EXIT.cancelled };
  }
  const exitCode = exitCodeOfRun(result, options.failOn);
  if (options.json === true) {
    const { failed } = await readOutcomes(result.outcomes);
    printJson({ workflowId, ...result, failed, exitCode });
  } else {
    for (const line of await summaryLines(result)) say(line);
    if (uiUrl !== undefined) say(`Temporal  ${uiUrl}/namespaces/default/workflows/${workflowId}`);
  }
  return { result, exitCode };
}

async function run(options: RunOptions): Promise<void> {
  process.exitCode = (await execute(options)).exitCode;
}

export function runCommand(): Command {
  return new Command('run')
    .description(
      'Run a cohort to features, one data set and a report. Run again, it does what is new, changed or failed.',
    )
    .option('--cohort <sheet>', 'cohort sheet (CSV)')
    .option('--clinical <table>', 'clinical table (CSV)')
    .option('--clinical-spec <name or file>', `how to read it: ${Object.keys(BUILT_IN_SPECS).join(', ')}, or a file`)
    .option('--transcripts <fasta>', 'transcripts to quantify reads against')
    .option('--annotation <file>', 'which transcript is of which gene (GTF, GFF3 or a table)')
    .option('--index <folder>', 'a ready Salmon index, instead of --transcripts')
    .requiredOption('--output <folder>', 'where the results go')
    .option('--radiomics <file>', 'pyradiomics parameter file (YAML), unchanged')
    .addOption(new Option('--set <name>', 'which features').choices(['default', 'seed']))
    .option('--roi <name>', 'name or pattern of the segments to measure')
    .option('--series <name>', 'the segmentation or CT series to take, where several fit')
    .option('--genes <n or file>', 'how many genes, or which (a file of ids), go into the data set', genes)
    .addOption(new Option('--population <whose>', 'whose rows the data set has').choices(['sheet', 'union']))
    .addOption(
      new Option('--profile <name>', 'where everything runs, where the options below do not say otherwise').choices([
        'local',
        'aws',
      ]),
    )
    .addOption(
      new Option('--imaging-executor <name>', 'where studies are computed (default: local)').choices(IMAGING_EXECUTORS),
    )
    .addOption(
      new Option('--genomics-executor <name>', 'where reads are quantified (default: local)').choices(
        GENOMICS_EXECUTORS,
      ),
    )
    .option('--dragen-profile <name>', 'the commands of which DRAGEN version')
    .addOption(
      new Option('--feature-store <name>', 'where feature groups go besides the output (default: local)').choices(
        FEATURE_STORES,
      ),
    )
    .option('--concurrency <n>', 'cases at once, or imaging=N,genomics=N (default: 50)', concurrency)
    .option('--start-rate <n>', 'cases started in a minute at most, or imaging=N,genomics=N', concurrency)
    .option('--pool <name:slots>', 'slots shared with every cohort that names this pool', pool)
    .option('--pause-after <n>', 'pause when so many in a row fail for one reason of the environment (5)', wholeNumber)
    .option('--jobs <n>', 'heavy steps at once on this machine (default: its cores)', wholeNumber)
    .option('--memory-per-job <MB>', 'most memory of one heavy step', wholeNumber)
    .option('--force', 'run every step again, reuse nothing')
    .option('--verify-inputs', 'read every input again instead of trusting size and times')
    .option('--pseudonymise', 'workflow ids carry keyed hashes instead of case ids')
    .option('--take-over', 'take the output from a run on another Temporal server that is gone for good')
    .option('--no-worker', 'start no worker here: others serve the queue')
    .addOption(
      new Option('--fail-on <what>', 'whether failed cases make the exit code 3')
        .choices(['any', 'none'])
        .default('any'),
    )
    .addOption(jsonOption())
    .action(run);
}
