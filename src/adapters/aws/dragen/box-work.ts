import type { AwsSettings } from '../../../config/aws-settings.js';
import type { DragenChoice, GenomicsSampleInput } from '../../../contracts/inputs.js';
import { isRunAccession } from '../../../domain/cohort/cell-checks.js';
import { unitKey } from '../../../domain/cohort/manifest.js';
import { dragenBytes } from '../../../domain/costs/index.js';
import { CohortflowError } from '../../../domain/errors.js';
import {
  baseName,
  type BoxObject,
  type BoxReads,
  type BoxSample,
  type BoxWork,
  dragenMachine,
  dragenProfile,
  type DragenSample,
  joinedReads,
  plainName,
} from '../../../domain/genomics/dragen/index.js';
import type { Files } from '../../../ports/files.js';
import { isS3, locationOf } from '../s3-location.js';

/** Where the archives of public accessions lie. */
const SRA = 's3://sra-pub-run-odp/sra';
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
  const isPublic = s3.anonymous?.includes(bucket) === true || uri.startsWith(`${SRA}/`);
  const pays = s3.requesterPays?.includes(bucket) === true;
  return {
    uri,
    options: [...(isPublic ? ['--no-sign-request'] : []), ...(pays ? ['--request-payer', 'requester'] : [])],
  };
}

/** The archive of an accession lies under its name twice. */
function archiveOf(run: string, settings: AwsSettings): BoxObject {
  return boxObject(isRunAccession(run) ? `${SRA}/${run.toUpperCase()}/${run.toUpperCase()}` : run, settings);
}

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
export function licenceCommand(licence: string): readonly string[] {
  if (licence.startsWith('s3://')) return ['aws', 's3', 'cp', '--only-show-errors', licence, '-'];
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

function boxSample(unit: GenomicsSampleInput['unit'], choice: DragenChoice, settings: AwsSettings): BoxSample {
  const source = unit.source as Source;
  const profile = dragenProfile(choice.profile);
  const { licence, alignments } = settings.dragen ?? {};
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
    quantify: { paired: command(true), single: command(false) },
    resultsFolder: profile.resultsFolder,
    ...(licence === undefined ? {} : { licence: licenceCommand(licence) }),
    ...(alignments === undefined ? {} : { alignments: `${alignments.replace(/\/+$/, '')}/${name}/` }),
  };
}

/** Bytes of an object that a machine is to fetch; looked at before a machine is paid for. */
async function sizeOf({ uri, options }: BoxObject, files: Files): Promise<number> {
  // What is public is not ours to list; an archive that is not there ends the work on its machine.
  if (options.includes('--no-sign-request')) return (await files.stat(uri).catch(() => undefined))?.size ?? 0;
  const found = await files.stat(uri);
  if (found?.kind === 'file') return found.size;
  throw new CohortflowError('FileNotFound', `${baseName(uri)}: there is no such object in S3`);
}

/** What there is to do, before it is known how much. */
export interface DragenTask {
  readonly place: string;
  readonly choice: DragenChoice;
  /** `s3://…/` of the hash table. */
  readonly table: string;
  readonly unit?: GenomicsSampleInput['unit'];
}

/**
 * Everything that a machine has to know, checked as far as it can be before one is started.
 *
 * @throws CohortflowError `InvalidInput`, `AwsNotConfigured`, `FileNotFound`, `UnpairedReads`
 */
export async function boxWork(task: DragenTask, settings: AwsSettings, files: Files): Promise<BoxWork> {
  const { place, choice, table, unit } = task;
  const reference = boxObject(choice.reference, settings);
  const sample = unit === undefined ? undefined : boxSample(unit, choice, settings);
  const objects = sample === undefined ? [] : [sample.annotation, ...objectsOf(sample.reads)];
  const staged = await Promise.all(objects.map((object) => sizeOf(object, files)));
  const bytes = dragenBytes({
    reads: staged.reduce((sum, size) => sum + size, 0),
    reference: await sizeOf(reference, files),
  });
  return {
    place,
    ...(settings.kmsKey === undefined ? {} : { kmsKey: settings.kmsKey }),
    reference,
    table,
    buildTable: dragenProfile(choice.profile).hashTable(plainName(reference.uri)),
    bytes,
    lingerMinutes: LINGER_MINUTES,
    watchdogMinutes: dragenMachine(settings).maxMinutes + WATCHDOG_MINUTES,
    ...(sample === undefined ? {} : { sample }),
  };
}

function objectsOf(reads: BoxReads): readonly BoxObject[] {
  if (reads.kind === 'sra') return reads.runs;
  return reads.lanes.flatMap(({ first, second }) => (second === undefined ? [first] : [first, second]));
}
