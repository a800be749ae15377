import type { AwsSettings } from '../../../config/aws-settings.js';
import type { DragenChoice, GenomicsSampleInput } from '../../../contracts/inputs.js';
import { isRunAccession } from '../../../domain/cohort/cell-checks.js';
import { unitKey } from '../../../domain/cohort/manifest.js';
import { ASSUMPTIONS, dragenBytes } from '../../../domain/costs/index.js';
import { shownName } from '../../../domain/dicom/shown-name.js';
import { CohortflowError } from '../../../domain/errors.js';
import {
  type BoxObject,
  type BoxReads,
  type BoxSample,
  type BoxWork,
  dragenMachine,
  dragenProfile,
  type DragenSample,
  joinedReads,
  plainName,
  stagingCommands,
} from '../../../domain/genomics/dragen/index.js';
import type { Files } from '../../../ports/files.js';
import { isS3, locationOf } from '../s3-location.js';
import { archiveUri, SRA_ARCHIVE } from '../sra-archive.js';

/** Minutes that a machine stays when nobody ends it, or gives it more, after its work. */
const LINGER_MINUTES = 15;
/** Minutes that a machine has besides those of its work, to be ended by those who watch it. */
const WATCHDOG_MINUTES = 60;

type Source = Exclude<GenomicsSampleInput['unit']['source'], { readonly kind: 'quant' }>;

/** Prefix of a sample's results, and its name in them. */
export const sampleName = (unit: GenomicsSampleInput['unit']): string => unitKey(unit).replaceAll('/', '-');

/** How a machine fetches an object: as itself, as nobody, or paying for it. */
export function boxObject(uri: string, { s3 = {} }: AwsSettings): BoxObject {
  if (!isS3(uri)) {
    const message =
      'the executor dragen reads files in S3 only: copy reads, reference and annotation there and give s3://';
    throw new CohortflowError('InvalidInput', message);
  }
  const { bucket } = locationOf(uri);
  const ofArchive = bucket === SRA_ARCHIVE.bucket;
  const isPublic = ofArchive || s3.anonymous?.includes(bucket) === true;
  const pays = s3.requesterPays?.includes(bucket) === true;
  return {
    uri,
    options: [
      ...(isPublic ? ['--no-sign-request'] : []),
      ...(ofArchive ? ['--region', SRA_ARCHIVE.region] : []),
      ...(pays ? ['--request-payer', 'requester'] : []),
    ],
  };
}

const archiveOf = (run: string, settings: AwsSettings): BoxObject =>
  boxObject(isRunAccession(run) ? archiveUri(run) : run, settings);

function readsOf(source: Source, settings: AwsSettings): BoxReads {
  if (source.kind === 'sra') return { kind: 'sra', runs: source.runs.map((run) => archiveOf(run, settings)) };
  const lanes = source.lanes.map(({ fastq1, fastq2 }) => ({
    first: boxObject(fastq1, settings),
    ...(fastq2 === undefined ? {} : { second: boxObject(fastq2, settings) }),
  }));
  if (new Set(lanes.map(({ second }) => second === undefined)).size > 1) {
    throw new CohortflowError('UnpairedReads', 'some lanes of the sample are pairs and others are not');
  }
  return { kind: 'fastq', lanes };
}

/** The command by which a machine reads the licence: the credentials never pass through here. */
function licenceCommand(licence: string, settings: AwsSettings): readonly string[] {
  if (isS3(licence)) {
    return ['aws', 's3', 'cp', '--only-show-errors', ...boxObject(licence, settings).options, licence, '-'];
  }
  if (/^arn:aws[\w-]*:secretsmanager:/.test(licence)) {
    const secret = ['aws', 'secretsmanager', 'get-secret-value', '--secret-id', licence];
    return [...secret, '--query', 'SecretString', '--output', 'text'];
  }
  const name = licence.replace(/^arn:aws[\w-]*:ssm:[^:]*:\d*:parameter/, '');
  const parameter = ['aws', 'ssm', 'get-parameter', '--name', name, '--with-decryption'];
  return [...parameter, '--query', 'Parameter.Value', '--output', 'text'];
}

/** What the command line of a sample is made from. */
export function dragenSample(
  unit: GenomicsSampleInput['unit'],
  annotation: string,
  { dragen: { licence, alignments } = {} }: AwsSettings,
  paired: boolean,
): DragenSample {
  const name = sampleName(unit);
  return {
    name,
    annotation: plainName(annotation),
    paired,
    reads: joinedReads(name, paired),
    strandedness: (unit.source as Source).strandedness,
    keepAlignments: alignments !== undefined,
    licence: licence !== undefined,
  };
}

/** How a machine would fetch what a sample needs, for a plan; undefined for a sample that no machine could take. */
export function plannedStaging(
  unit: GenomicsSampleInput['unit'],
  annotation: string,
  settings: AwsSettings,
): readonly (readonly string[])[] | undefined {
  try {
    const reads = readsOf(unit.source as Source, settings);
    return stagingCommands({ annotation: boxObject(annotation, settings), reads });
  } catch (error) {
    if (error instanceof CohortflowError) return undefined;
    throw error;
  }
}

function boxSample(unit: GenomicsSampleInput['unit'], choice: DragenChoice, settings: AwsSettings): BoxSample {
  const source = unit.source as Source;
  const profile = dragenProfile(choice.profile);
  const { licence, alignments, sraTools } = settings.dragen ?? {};
  if (licence !== undefined && !profile.takesLicence) {
    const message = `the DRAGEN profile ${choice.profile} takes no licence file: its machine image brings the licence; leave out aws.dragen.licence`;
    throw new CohortflowError('AwsNotConfigured', message);
  }
  const name = sampleName(unit);
  const annotation = boxObject(choice.annotation, settings);
  const command = (paired: boolean): readonly string[] =>
    profile.quantify(dragenSample(unit, choice.annotation, settings, paired));
  return {
    name,
    reads: readsOf(source, settings),
    annotation,
    lanesAsList: profile.lanesAsList,
    fastqDump: profile.fastqDump,
    ...(sraTools === undefined ? {} : { sraTools: boxObject(sraTools, settings) }),
    roomPerByte: ASSUMPTIONS.dragenDisk.value,
    quantify: { paired: command(true), single: command(false) },
    resultsFolder: profile.resultsFolder,
    ...(licence === undefined ? {} : { licence: licenceCommand(licence, settings) }),
    ...(alignments === undefined ? {} : { alignments: `${alignments.replace(/\/+$/, '')}/${name}/` }),
  };
}

/** Where objects are looked at before a machine is paid for. */
export interface Places {
  readonly files: Files;
  /** The public archive of reads: another Region, asked as nobody. */
  readonly archive: { head(uri: string): Promise<{ readonly size: number } | undefined> };
}

function archived(uri: string): CohortflowError {
  return new CohortflowError(
    'ObjectArchived',
    `${shownName(uri)}: it lies in an archive (S3 Glacier): restore it first`,
  );
}

/**
 * Bytes of an object that a machine is to fetch; looked at before a machine is paid for. Undefined for a public one that does
 * not answer from here: the machine may have another way to it.
 */
async function sizeOf({ uri, options }: BoxObject, { files, archive }: Places): Promise<number | undefined> {
  try {
    if (locationOf(uri).bucket === SRA_ARCHIVE.bucket) {
      const found = await archive.head(uri);
      if (found !== undefined) return found.size;
    } else {
      const found = await files.stat(uri);
      if (found?.archived === true) throw archived(uri);
      if (found?.kind === 'file') return found.size;
    }
  } catch (error) {
    const passes = error instanceof CohortflowError && error.code !== 'ObjectArchived';
    if (options.includes('--no-sign-request') && passes) return undefined;
    throw error;
  }
  throw new CohortflowError('FileNotFound', `${shownName(uri)}: there is no such object in S3`);
}

/** What there is to do, before it is known how much. */
export interface DragenTask {
  readonly place: string;
  readonly logs: string;
  readonly choice: DragenChoice;
  readonly table: BoxWork['table'];
  readonly unit?: GenomicsSampleInput['unit'];
}

/**
 * Everything that a machine has to know, checked as far as it can be before one is started; and what could not be.
 *
 * @throws CohortflowError `InvalidInput`, `AwsNotConfigured`, `FileNotFound`, `UnpairedReads`
 */
export async function boxWork(
  task: DragenTask,
  settings: AwsSettings,
  places: Places,
): Promise<{ readonly work: BoxWork; readonly unsized: readonly string[] }> {
  const { place, logs, choice, table, unit } = task;
  const reference = boxObject(choice.reference, settings);
  const sample = unit === undefined ? undefined : boxSample(unit, choice, settings);
  const objects = sample === undefined ? [] : [sample.annotation, ...objectsOf(sample.reads)];
  const staged = await Promise.all(objects.map((object) => sizeOf(object, places)));
  const unsized = objects.filter((_, at) => staged[at] === undefined).map(({ uri }) => shownName(uri));
  const bytes = dragenBytes({
    reads: staged.reduce<number>((sum, size = 0) => sum + size, 0),
    reference: (await sizeOf(reference, places)) ?? 0,
  });
  const work = {
    ...{ place, logs },
    ...(settings.kmsKey === undefined ? {} : { kmsKey: settings.kmsKey }),
    reference,
    table,
    buildTable: dragenProfile(choice.profile).hashTable(plainName(reference.uri)),
    bytes,
    lingerMinutes: LINGER_MINUTES,
    watchdogMinutes: dragenMachine(settings).maxMinutes + WATCHDOG_MINUTES,
    ...(sample === undefined ? {} : { sample }),
  };
  return { work, unsized };
}

function objectsOf(reads: BoxReads): readonly BoxObject[] {
  if (reads.kind === 'sra') return reads.runs;
  return reads.lanes.flatMap(({ first, second }) => (second === undefined ? [first] : [first, second]));
}
