import { DRAGEN_PROFILES } from '../domain/genomics/dragen/profiles.js';

/**
 * What the product may know of an AWS account: where things go and on what they run. Credentials and endpoints are not
 * among it: they come from the SDK's own chain (environment, profile, role) and its own variables (`AWS_ENDPOINT_URL…`).
 */
export interface AwsSettings {
  /** Region of all services; the SDK's own (`AWS_REGION`, profile) when absent. */
  readonly region?: string;
  /** `s3://bucket/folder` for what jobs read and leave, when the run's output is not in S3 itself. */
  readonly work?: string;
  /** KMS key (id, ARN or alias) that encrypts what is written: objects, volumes of jobs and machines, feature stores. */
  readonly kmsKey?: string;
  /** Tags on everything that is made, beside our own (`cohortflow:…`). */
  readonly tags?: Readonly<Record<string, string>>;
  readonly s3?: S3Settings;
  readonly sagemaker?: SageMakerSettings;
  readonly dragen?: DragenSettings;
  readonly features?: FeatureStoreSettings;
  readonly athena?: AthenaSettings;
}

export interface S3Settings {
  /** Buckets read without credentials (public data sets). */
  readonly anonymous?: readonly string[];
  /** Buckets whose reader pays. */
  readonly requesterPays?: readonly string[];
  /** Tags put on every object that is written, as `sagemaker: "true"` for a role that reads by tag. */
  readonly objectTags?: Readonly<Record<string, string>>;
}

export interface NetworkSettings {
  readonly subnets?: readonly string[];
  readonly securityGroups?: readonly string[];
}

export interface SageMakerSettings extends NetworkSettings {
  /** Image of the processing container, by digest where it matters. */
  readonly image?: string;
  readonly roleArn?: string;
  /** One type, or up to five in order of preference; `ml.r5.large`. */
  readonly instanceTypes?: readonly string[];
  /** GB; 5. */
  readonly volumeGb?: number;
  /** Minutes; 60. */
  readonly maxMinutes?: number;
  /** No network for the container; true. */
  readonly networkIsolation?: boolean;
  /** Seconds between two looks at one job; 30. */
  readonly pollSeconds?: number;
  /** Looks a second at all jobs of a worker together, and jobs begun a second; 2. */
  readonly pollsPerSecond?: number;
}

export interface DragenSettings extends NetworkSettings {
  /** AMI by id, or `ami` by public parameter (`/aws/service/…`). */
  readonly ami?: string;
  readonly amiParameter?: string;
  /** Tried in turn; `f2.6xlarge`. */
  readonly instanceTypes?: readonly string[];
  /** Name or ARN. */
  readonly instanceProfile?: string;
  readonly spot?: boolean;
  readonly rootVolume?: { readonly type?: string; readonly gb?: number };
  /** Command profile: which DRAGEN the machine image has. */
  readonly profile?: string;
  /** Reference genome (FASTA) and where its hash table is kept, both s3://. */
  readonly reference?: string;
  readonly hashTable?: string;
  /** Gene annotation (GTF) for the quantification, s3://. */
  readonly annotation?: string;
  /** DRAGEN's licence credentials: the ARN of a secret, the name of a parameter, or an object; never the licence itself. */
  readonly licence?: string;
  /** `s3://…tar.gz` of the SRA tools (Linux, x86-64), for machine images that have no fastq-dump. */
  readonly sraTools?: string;
  /** Minutes a sample may take; 360. */
  readonly maxMinutes?: number;
  /** `s3://bucket/folder` that keeps the alignments (BAM); they are not kept when absent. */
  readonly alignments?: string;
  /** So many machines take all samples, one after another, instead of one machine for each sample. */
  readonly instances?: number;
  readonly pollSeconds?: number;
}

export interface FeatureStoreSettings {
  /** `s3://bucket/folder` of the offline store. */
  readonly offlineStore?: string;
  readonly roleArn?: string;
  /** `Glue` (the service's default) or `Iceberg`. */
  readonly tableFormat?: 'Glue' | 'Iceberg';
  readonly online?: boolean;
  /** First part of the names of the feature groups; `cohortflow`. */
  readonly prefix?: string;
  /** Minutes that `dataset` waits for ingested records to be seen in the offline store; 20. */
  readonly visibleWithinMinutes?: number;
}

export interface AthenaSettings {
  readonly workgroup?: string;
  /** `s3://bucket/folder` of query results; the workgroup's own when absent. */
  readonly results?: string;
  readonly catalog?: string;
  readonly database?: string;
}

type Kind = 'text' | 's3' | 'count' | 'flag' | 'texts' | 'map' | 'tags' | 'types' | Range | readonly string[] | Shape;
/** A whole number within what a service takes. */
interface Range {
  readonly least: number;
  readonly most: number;
}
/** Names and kinds of a mapping's values. */
export interface Shape {
  readonly [name: string]: Kind;
}

const NETWORK = { subnets: 'texts', securityGroups: 'texts' } as const;

/** What may stand under `aws` in the settings file; docs and the error for an unknown key are made from this table. */
export const AWS_SHAPE = {
  region: 'text',
  work: 's3',
  kmsKey: 'text',
  tags: 'tags',
  s3: { anonymous: 'texts', requesterPays: 'texts', objectTags: 'map' },
  sagemaker: {
    ...NETWORK,
    image: 'text',
    roleArn: 'text',
    instanceTypes: 'types',
    // What CreateProcessingJob takes: 16 TB, and nine days.
    volumeGb: { least: 1, most: 16_384 },
    maxMinutes: { least: 1, most: 12_960 },
    networkIsolation: 'flag',
    pollSeconds: 'count',
    pollsPerSecond: 'count',
  },
  dragen: {
    ...NETWORK,
    ami: 'text',
    amiParameter: 'text',
    instanceTypes: 'texts',
    instanceProfile: 'text',
    spot: 'flag',
    // Of the kinds that a machine boots from, those that want no other setting.
    rootVolume: { type: ['gp3', 'gp2', 'standard'], gb: 'count' },
    profile: DRAGEN_PROFILES,
    reference: 's3',
    hashTable: 's3',
    annotation: 's3',
    alignments: 's3',
    licence: 'text',
    sraTools: 's3',
    maxMinutes: 'count',
    instances: 'count',
    pollSeconds: 'count',
  },
  features: {
    offlineStore: 's3',
    roleArn: 'text',
    tableFormat: ['Glue', 'Iceberg'],
    online: 'flag',
    prefix: 'text',
    visibleWithinMinutes: 'count',
  },
  athena: { workgroup: 'text', results: 's3', catalog: 'text', database: 'text' },
} as const satisfies Shape;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What services take of a tag: the characters of all of them, and the first part of names that are theirs or ours. The
 * settings that a deployment prints name the installation.
 */
const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const TAG_OF_OTHERS = /^(aws:|cohortflow:(?!installation$))/i;
/** Fifty go on a job or machine; the rest is for our own. */
const MOST_TAGS = 30;

function tagFits([name, value]: readonly [string, unknown]): boolean {
  if (!isText(name) || name.length > 128 || !TAG_TEXT.test(name) || TAG_OF_OTHERS.test(name)) return false;
  return typeof value === 'string' && value.length <= 256 && TAG_TEXT.test(value);
}

/** Most types that a job may list. */
const MOST_TYPES = 5;

const CHECKS: Readonly<Record<string, { readonly wanted: string; readonly fits: (value: unknown) => boolean }>> = {
  text: { wanted: 'a text', fits: isText },
  s3: { wanted: 's3://bucket/folder', fits: (value) => isText(value) && /^s3:\/\/[a-z0-9][a-z0-9.-]+/.test(value) },
  count: {
    wanted: 'a whole number from 1',
    fits: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 1,
  },
  flag: { wanted: 'true or false', fits: (value) => typeof value === 'boolean' },
  texts: {
    wanted: 'a list of texts',
    fits: (value) => Array.isArray(value) && value.length > 0 && value.every(isText),
  },
  map: {
    wanted: 'a mapping of names to texts',
    fits: (value) => isMapping(value) && Object.values(value).every((entry) => typeof entry === 'string'),
  },
  tags: {
    wanted:
      `a mapping of at most ${MOST_TAGS} names (128 characters, not beginning with aws:, ` +
      'or cohortflow: but for cohortflow:installation) to texts ' +
      '(256 characters), of letters, digits, spaces and _.:/=+-@',
    fits: (value) => isMapping(value) && Object.keys(value).length <= MOST_TAGS && Object.entries(value).every(tagFits),
  },
  types: {
    wanted: `a list of one to ${MOST_TYPES} types, each once`,
    fits: (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.length <= MOST_TYPES &&
      value.every(isText) &&
      new Set(value).size === value.length,
  },
};

function isRange(kind: Kind): kind is Range {
  return typeof kind === 'object' && 'least' in kind && typeof kind.least === 'number';
}

function faultOf(kind: Kind, value: unknown, where: string): string | undefined {
  if (Array.isArray(kind)) {
    const choices = kind as readonly string[];
    // A version that is written as a number is another thing than its name.
    const wanted = choices.map((one) => (typeof value === 'string' ? one : JSON.stringify(one))).join(' or ');
    return choices.includes(value as string) ? undefined : `${where}: found ${JSON.stringify(value)}, wanted ${wanted}`;
  }
  if (isRange(kind)) {
    const { least, most } = kind;
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
    return fits
      ? undefined
      : `${where}: found ${JSON.stringify(value)}, wanted a whole number from ${least} to ${most}`;
  }
  if (typeof kind === 'string') {
    const check = CHECKS[kind];
    if (check === undefined || check.fits(value)) return undefined;
    return `${where}: found ${JSON.stringify(value)}, wanted ${check.wanted}`;
  }
  const shape = kind as Shape;
  if (!isMapping(value)) return `${where}: found ${JSON.stringify(value)}, wanted a mapping of settings`;
  for (const [name, entry] of Object.entries(value)) {
    const known = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (known === undefined) return `${where}: unknown setting ${name}; known: ${Object.keys(shape).join(', ')}`;
    const fault = faultOf(known, entry, `${where}.${name}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** What is wrong with a document as AWS settings, or undefined when nothing is. */
export function awsSettingsFault(document: unknown): string | undefined {
  return faultOf(AWS_SHAPE, document, 'aws');
}
