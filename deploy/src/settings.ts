/** Digest of an image in the repository that `<name>-data` makes: `sha256:…`. */
export type Digest = string;

/** Size and number of the tasks of one worker role. */
export interface WorkerSettings {
  readonly vcpu: number;
  readonly memoryGb: number;
  readonly diskGb: number;
  readonly least: number;
  readonly most: number;
}

/** The worker roles, as `cohortflow worker --role` knows them. */
export const WORKER_ROLES = ['orchestration', 'io', 'cpu'] as const;
export type WorkerRole = (typeof WORKER_ROLES)[number];

/** Tables of features, as the product names its feature groups after the name of the installation. */
export const FEATURE_TABLES = ['imaging', 'imaging_segments', 'genomics', 'clinical'] as const;

export interface TemporalSettings {
  /** `host:port` of the frontend: Temporal Cloud's, or your own server's. */
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  /** `none`: no sign-in; `apiKey`: the secret has `apiKey`; `certificate`: the secret has `certificate` and `key`. */
  readonly auth: 'none' | 'apiKey' | 'certificate';
  readonly tls: boolean;
  /** Name of the secret in Secrets Manager. */
  readonly secret?: string;
  /** Name of the PrivateLink service by which the server is reached (`com.amazonaws.vpce.…`). */
  readonly privateLink?: string;
}

export interface NetworkSettings {
  readonly cidr: string;
  /** Names of zones; two of the Region when not given. */
  readonly zones?: readonly string[];
  /** `endpoints`: no way out, the services are reached inside; `nat`: a NAT gateway. */
  readonly wayOut: 'endpoints' | 'nat';
}

export interface StorageSettings {
  /** Buckets, made by others, that cohorts are read from. */
  readonly readBuckets: readonly string[];
  readonly oldVersionsDays: number;
  /** Public buckets that are read without credentials. */
  readonly anonymous: readonly string[];
  /** Buckets of others whose reader pays; read by workers and machines, not by jobs of SageMaker. */
  readonly requesterPays: readonly string[];
  /** Jobs read only objects that carry `sagemaker=true`, as in the published original. */
  readonly onlyTaggedObjects: boolean;
}

/** Processing jobs, where they are not to be as they come. */
export interface JobsSettings {
  /** In order of preference. */
  readonly instanceTypes?: readonly string[];
  readonly volumeGb?: number;
  readonly maxMinutes?: number;
  readonly pollSeconds?: number;
  readonly pollsPerSecond?: number;
}

/** Feature groups, where they are not to be as they come. */
export interface FeaturesSettings {
  readonly tableFormat?: 'Glue' | 'Iceberg';
  readonly online?: boolean;
  readonly visibleWithinMinutes?: number;
}

export interface DragenSettings {
  readonly ami?: string;
  readonly amiParameter?: string;
  readonly instanceTypes: readonly string[];
  readonly reference: string;
  readonly annotation: string;
  /** Where the licence credentials are: the ARN of a secret, the name of a parameter, or an object. */
  readonly licence?: string;
  /** NCBI's archive of the SRA tools, for machine images that have no fastq-dump. */
  readonly sraTools?: string;
  readonly profile?: string;
  readonly spot: boolean;
  readonly rootVolume?: { readonly type?: string; readonly gb?: number };
  /** Minutes a sample may take. */
  readonly maxMinutes?: number;
  /** Keeps the alignments (BAM), in `alignments/` of the bucket of results. */
  readonly keepAlignments: boolean;
  /** Machines that take one sample after another, instead of one machine for each. */
  readonly instances?: number;
}

export interface WatchSettings {
  /** Who hears of alarms and of the budget. */
  readonly emails: readonly string[];
  readonly budgetUsd: number;
  /** Failed steps within an hour that raise an alarm. */
  readonly failedSteps: number;
  /** Hours without a break in which F-family machines ran. */
  readonly machineHours: number;
}

/** Everything that may differ between two installations. No account id is among it: that is whose credentials deploy. */
export interface Settings {
  /**
   * First part of all names; begins with `cohortflow`, so that `cohortflow clean` knows what is ours. Of no more characters
   * than names of feature groups have room for.
   */
  readonly name: string;
  readonly images: { readonly worker?: Digest; readonly processing?: Digest };
  readonly temporal?: TemporalSettings;
  readonly network: NetworkSettings;
  readonly storage: StorageSettings;
  readonly workers: Readonly<Record<WorkerRole, WorkerSettings>>;
  readonly jobs: JobsSettings;
  readonly features: FeaturesSettings;
  readonly dragen?: DragenSettings;
  readonly sweepMinutes: number;
  readonly logDays: number;
  readonly watch: WatchSettings;
}

/** What holds where the file says nothing. */
export const DEFAULTS: Settings = {
  name: 'cohortflow',
  images: {},
  network: { cidr: '10.40.0.0/16', wayOut: 'endpoints' },
  storage: { readBuckets: [], anonymous: [], requesterPays: [], oldVersionsDays: 30, onlyTaggedObjects: false },
  jobs: {},
  features: {},
  workers: {
    orchestration: { vcpu: 1, memoryGb: 4, diskGb: 21, least: 1, most: 2 },
    io: { vcpu: 1, memoryGb: 4, diskGb: 50, least: 1, most: 4 },
    cpu: { vcpu: 4, memoryGb: 16, diskGb: 200, least: 1, most: 10 },
  },
  sweepMinutes: 60,
  logDays: 90,
  // An installation that only waits costs more than half of this (docs/aws.md).
  watch: { emails: [], budgetUsd: 500, failedSteps: 20, machineHours: 24 },
};
