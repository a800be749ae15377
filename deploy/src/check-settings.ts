import { DEFAULTS, FEATURE_TABLES, type Settings } from './settings.js';

/** A fault of the settings file: what was found, where, and what is wanted. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

export interface Rule {
  readonly wanted: string;
  readonly fits: (value: unknown) => boolean;
}
export type Shape = { readonly [name: string]: Rule | Shape };

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';
const text = (wanted: string, pattern: RegExp): Rule => ({
  wanted,
  fits: (value) => isText(value) && pattern.test(value),
});
const whole = (least: number, most: number): Rule => ({
  wanted: `a whole number from ${least} to ${most}`,
  fits: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
});
const list = (wanted: string, pattern: RegExp, least = 0): Rule => ({
  wanted: `a list of ${wanted}`,
  fits: (value) =>
    Array.isArray(value) && value.length >= least && value.every((one) => isText(one) && pattern.test(one)),
});
const oneOf = (...choices: readonly unknown[]): Rule => ({
  wanted: choices.map((choice) => JSON.stringify(choice)).join(' or '),
  fits: (value) => choices.includes(value),
});
const FLAG = oneOf(true, false);

const DIGEST = text('a digest, sha256: and 64 hexadecimal digits', /^sha256:[0-9a-f]{64}$/);
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const BUCKETS = list('names of buckets', BUCKET);
const PLACE = text('s3://bucket/key', /^s3:\/\/[a-z0-9][a-z0-9.-]+\/.+/);
/** Retentions that CloudWatch Logs has. */
const LOG_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const WORKER: Shape = {
  vcpu: oneOf(0.25, 0.5, 1, 2, 4, 8, 16),
  memoryGb: oneOf(0.5, 1, ...Array.from({ length: 119 }, (_, at) => at + 2)),
  diskGb: whole(21, 200),
  least: whole(1, 100),
  most: whole(1, 500),
};

/** Every setting and what it must be; docs/aws.md names them all. */
export const SHAPE: Shape = {
  name: text(
    'cohortflow, or a name that begins with it (lower case, digits, hyphens; 26 at most)',
    /^cohortflow[a-z0-9-]{0,15}[a-z0-9]$|^cohortflow$/,
  ),
  images: { worker: DIGEST, processing: DIGEST },
  temporal: {
    address: text('host:port', /^[A-Za-z0-9.-]+:\d{2,5}$/),
    namespace: text('a namespace', /^\S+$/),
    taskQueue: text('the name of a queue', /^\S+$/),
    auth: oneOf('none', 'apiKey', 'certificate'),
    tls: FLAG,
    secret: text('the name of a secret', /^[\w/+=.@-]+$/),
    privateLink: text('the name of an endpoint service, com.amazonaws.vpce.…', /^com\.amazonaws\.vpce\./),
  },
  network: {
    cidr: text('a network of /16 to /24, 10.40.0.0/16', /^\d{1,3}(\.\d{1,3}){3}\/(1[6-9]|2[0-4])$/),
    zones: list('at least two zones', /^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 2),
    wayOut: oneOf('endpoints', 'nat'),
  },
  storage: {
    readBuckets: BUCKETS,
    anonymous: BUCKETS,
    requesterPays: BUCKETS,
    oldVersionsDays: whole(1, 3650),
    onlyTaggedObjects: FLAG,
  },
  workers: { orchestration: WORKER, io: WORKER, cpu: WORKER },
  jobs: {
    instanceTypes: list('types of machines, ml.…', /^ml\.[a-z0-9-]+\.[a-z0-9-]+$/, 1),
    // What CreateProcessingJob takes: 16 TB, and nine days.
    volumeGb: whole(1, 16_384),
    maxMinutes: whole(1, 12_960),
    pollSeconds: whole(1, 3600),
    pollsPerSecond: whole(1, 100),
  },
  features: { tableFormat: oneOf('Glue', 'Iceberg'), online: FLAG, visibleWithinMinutes: whole(1, 1440) },
  dragen: {
    ami: text('the id of an image, ami-…', /^ami-[0-9a-f]+$/),
    amiParameter: text('a public parameter, /aws/service/…', /^\/aws\/service\/\S+$/),
    instanceTypes: list('types of machines', /^[a-z0-9-]+\.[a-z0-9-]+$/, 1),
    reference: PLACE,
    annotation: PLACE,
    licence: text(
      'the ARN of a secret, the name of a parameter (/…), or s3://bucket/key',
      /^(arn:aws[\w-]*:(secretsmanager|ssm):\S+|\/[\w./-]+|s3:\/\/[a-z0-9][a-z0-9.-]+\/\S+)$/,
    ),
    sraTools: PLACE,
    profile: oneOf('4.3', '4.6', 'seed'),
    spot: FLAG,
    rootVolume: { type: oneOf('gp3', 'gp2', 'standard'), gb: whole(1, 65_536) },
    maxMinutes: whole(1, 2880),
    keepAlignments: FLAG,
    instances: whole(1, 500),
  },
  sweepMinutes: oneOf(0, ...Array.from({ length: 1440 }, (_, at) => at + 1)),
  logDays: oneOf(...LOG_DAYS),
  watch: {
    emails: list('e-mail addresses', /^[^@\s]+@[^@\s]+$/),
    budgetUsd: whole(1, 10_000_000),
    failedSteps: whole(1, 1_000_000),
    machineHours: whole(1, 168),
  },
};

const isRule = (entry: Rule | Shape): entry is Rule => typeof entry['fits'] === 'function';
const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function check(shape: Shape, document: unknown, where: string): void {
  if (!isMapping(document)) {
    throw new SettingsError(`${where}: found ${JSON.stringify(document)}, wanted a mapping of settings`);
  }
  for (const [name, value] of Object.entries(document)) {
    const place = where === '' ? name : `${where}.${name}`;
    const entry = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (entry === undefined) {
      throw new SettingsError(`${place}: no such setting; known here: ${Object.keys(shape).join(', ')}`);
    }
    if (!isRule(entry)) check(entry, value, place);
    else if (!entry.fits(value)) {
      throw new SettingsError(`${place}: found ${JSON.stringify(value)}, wanted ${entry.wanted}`);
    }
  }
}

/** Given values over defaults, mapping by mapping. */
function over(defaults: unknown, given: unknown): unknown {
  if (!isMapping(defaults) || !isMapping(given)) return given ?? defaults;
  const names = new Set([...Object.keys(defaults), ...Object.keys(given)]);
  return Object.fromEntries([...names].map((name) => [name, over(defaults[name], given[name])]));
}

const OPTIONAL_DEFAULTS = {
  temporal: { namespace: 'default', taskQueue: 'cohortflow', auth: 'none', tls: false },
  dragen: { instanceTypes: ['f2.6xlarge'], spot: false, keepAlignments: false },
} as const;

/** What Fargate has: memory in GB, least, most and step, by vCPUs. */
const FARGATE: Readonly<Record<number, readonly [number, number, number]>> = {
  0.25: [0.5, 2, 0.5],
  0.5: [1, 4, 1],
  1: [2, 8, 1],
  2: [4, 16, 1],
  4: [8, 30, 1],
  8: [16, 60, 4],
  16: [32, 120, 8],
};

function checkTogether({ name, temporal, network, workers, dragen, images }: Settings): void {
  const table = FEATURE_TABLES.find((one) => `${name}-`.includes(`-${one}-`));
  if (table !== undefined) {
    throw new SettingsError(
      `name: found "${name}", wanted one without "-${table}": the feature groups of another installation could be named so`,
    );
  }
  for (const [role, { vcpu, memoryGb, least, most }] of Object.entries(workers)) {
    const [from, to, step] = FARGATE[vcpu] ?? [0, 0, 1];
    if (memoryGb < from || memoryGb > to || (memoryGb - from) % step !== 0) {
      const wanted = `${from} to ${to} GB in steps of ${step}`;
      throw new SettingsError(`workers.${role}: Fargate has no ${memoryGb} GB with ${vcpu} vCPU; wanted ${wanted}`);
    }
    if (most < least) throw new SettingsError(`workers.${role}: most (${most}) is less than least (${least})`);
  }
  if ((images.worker === undefined) !== (images.processing === undefined)) {
    throw new SettingsError('images: worker and processing go together: both are built from one release');
  }
  if (temporal !== undefined) {
    const { address, auth, secret, privateLink, tls } = temporal;
    if (address === undefined) throw new SettingsError('temporal.address is wanted: host:port of the Temporal server');
    if ((auth === 'none') !== (secret === undefined)) {
      throw new SettingsError(
        auth === 'none'
          ? 'temporal.secret is not used with auth none: give temporal.auth (apiKey or certificate)'
          : `temporal.auth ${auth} wants temporal.secret, the name of a secret in Secrets Manager`,
      );
    }
    const cloud = /\.(temporal\.io|tmprl\.cloud):\d+$/.test(address);
    if (cloud && privateLink === undefined && network.wayOut === 'endpoints') {
      throw new SettingsError(
        `temporal.address ${address} is Temporal Cloud, and the network has no way out: set network.wayOut to "nat", or ` +
          'temporal.privateLink to the endpoint service of your namespace',
      );
    }
    if (cloud && (!tls || auth === 'none')) {
      throw new SettingsError('Temporal Cloud wants temporal.tls true and temporal.auth apiKey or certificate');
    }
  }
  if (dragen !== undefined) {
    if (dragen.reference === undefined || dragen.annotation === undefined) {
      throw new SettingsError('dragen: reference (FASTA) and annotation (GTF) are wanted, both s3://bucket/key');
    }
    if ((dragen.ami === undefined) === (dragen.amiParameter === undefined)) {
      throw new SettingsError('dragen: one of ami and amiParameter is wanted');
    }
  }
}

/**
 * Checks a settings document and fills in what it does not say.
 *
 * @throws SettingsError naming the setting, what was found and what is wanted
 */
export function settingsOf(document: unknown): Settings {
  check(SHAPE, document, '');
  const given = document as Readonly<Record<string, unknown>>;
  const parts = Object.fromEntries(
    Object.entries(OPTIONAL_DEFAULTS)
      .filter(([name]) => given[name] !== undefined)
      .map(([name, defaults]) => [name, over(defaults, given[name])]),
  );
  const settings = { ...(over(DEFAULTS, given) as Settings), ...parts };
  checkTogether(settings);
  return settings;
}
