import type { AwsSettings } from '../../src/config/aws-settings.js';
import type { AwsSubject, Wanted } from '../../src/app/doctor/aws/wanted.js';
import { CohortflowError } from '../../src/domain/errors.js';
import type { AwsAccount, AwsQuota } from '../../src/ports/aws-account.js';

export const denied = (action: string): CohortflowError =>
  new CohortflowError('AwsDenied', `${action}: AccessDenied`, { action });

export const quota = (name: string, value: number): AwsQuota => ({ name, value, code: `L-${name.length}` });

/** An account in which all is well; parts of it are replaced by what a test is about. */
export function wellAccount(changes: Partial<AwsAccount> = {}): AwsAccount {
  const quotas = [
    quota('ml.r5.large for processing job usage', 60),
    quota('ml.m5.xlarge for processing job usage', 0),
    quota('Number of instances across all processing jobs', 55),
    quota('Running On-Demand F instances', 24 * 50),
    quota('All F Spot Instance Requests', 0),
    quota('Maximum number of feature groups', 100),
    quota('Maximum number of concurrent feature group creations', 4),
  ];
  return {
    region: async () => 'us-east-1',
    identity: async () => ({
      account: '123456789012',
      arn: 'arn:aws:sts::123456789012:assumed-role/cohortflow-operator/jane.doe@example.org',
    }),
    quotas: async (_service, fits) => quotas.filter(({ name }) => fits(name)),
    machineImage: async (id) => ({ id, name: 'DRAGEN 4.3', state: 'available', products: ['abc'], rootGb: 60 }),
    parameter: async () => 'ami-0123456789abcdef0',
    hasParameter: async () => true,
    secret: async () => ({ filled: true }),
    zonesOf: async () => ['us-east-1a', 'us-east-1b'],
    subnets: async (ids) =>
      ids.map((id, n) => ({
        id,
        vpc: 'vpc-1',
        zone: `us-east-1${'ab'[n] ?? 'c'}`,
        freeAddresses: 200,
        internet: true,
      })),
    securityGroups: async (ids) => ids,
    endpoints: async () => [],
    tryLaunch: async () => ({ allowed: true }),
    key: async () => ({ enabled: true, symmetric: true, state: 'Enabled' }),
    tryKey: async () => undefined,
    containerImage: async () => `sha256:${'a'.repeat(64)}`,
    featureGroupCount: async () => 3,
    workgroup: async () => ({ enabled: true, results: 's3://results/athena' }),
    ...changes,
  };
}

/** Settings with which the account above is well. */
export const WELL_SETTINGS = {
  region: 'us-east-1',
  work: 's3://work/cohortflow',
  kmsKey: 'alias/cohortflow',
  sagemaker: {
    image: `123456789012.dkr.ecr.us-east-1.amazonaws.com/cohortflow@sha256:${'a'.repeat(64)}`,
    roleArn: 'arn:aws:iam::123456789012:role/cohortflow-jobs',
    subnets: ['subnet-1', 'subnet-2'],
    securityGroups: ['sg-1'],
  },
  dragen: {
    ami: 'ami-0123456789abcdef0',
    instanceProfile: 'cohortflow-dragen',
    subnets: ['subnet-1'],
    securityGroups: ['sg-1'],
    licence: 's3://private/licence.txt',
    reference: 's3://references/hg38.fa',
    annotation: 's3://references/genes.gtf',
    hashTable: 's3://references/tables/',
  },
  features: { offlineStore: 's3://features/store', roleArn: 'arn:aws:iam::123456789012:role/cohortflow-store' },
  athena: { workgroup: 'primary', results: 's3://results/athena' },
} as const satisfies AwsSettings;

/** Objects in memory: what was put is remembered, and must have been removed. */
export class FakeObjects {
  readonly left = new Set<string>();
  readonly written: string[] = [];

  constructor(
    private readonly absent: readonly string[] = [],
    private readonly forbidden: readonly string[] = [],
  ) {}

  private check(path: string, action: string): void {
    if (this.forbidden.some((prefix) => path.startsWith(prefix))) throw denied(action);
  }

  readonly stat: AwsSubject['objects']['stat'] = async (path) => {
    this.check(path, 's3:GetObject');
    return this.absent.includes(path) ? undefined : { path, name: path, size: 1, kind: 'file' };
  };

  readonly list: AwsSubject['objects']['list'] = async () => [];

  readonly writeOnce: AwsSubject['objects']['writeOnce'] = async (path) => {
    this.check(path, 's3:PutObject');
    this.left.add(path);
    this.written.push(path);
    return true;
  };

  readonly remove: AwsSubject['objects']['remove'] = async (path) => {
    this.left.delete(path);
  };
}

export function subjectOf(
  changes: Partial<AwsAccount> = {},
  settings: AwsSettings = WELL_SETTINGS,
  wanted: Wanted = { imaging: 'sagemaker', genomics: 'dragen', featureStore: true, athena: true },
  objects: FakeObjects = new FakeObjects(),
): AwsSubject & { readonly objects: FakeObjects } {
  return { settings, wanted, account: wellAccount(changes), objects, probe: () => 'probe-1' };
}
