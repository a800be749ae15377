import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { settingsOf } from '../../src/check-settings.js';
import { cohortflowApp, FEATURE_FLAGS } from '../../src/cohortflow-app.js';

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}
export interface Rendered {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}
/** The templates of an installation, by stack. */
export interface Templates {
  readonly data: Rendered;
  readonly network: Rendered;
  readonly work: Rendered;
}

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** The least that has workers: a server of one's own, everything else as it comes. */
export const PLAIN = {
  images: { worker: digest('a'), processing: digest('b') },
  temporal: { address: 'temporal.internal:7233' },
};

/** Everything that can be had at once. */
export const FULL = {
  name: 'cohortflow-trial',
  images: { worker: digest('a'), processing: digest('b') },
  temporal: {
    ...{ address: 'trial.a1b2c.tmprl.cloud:7233', namespace: 'trial.a1b2c', taskQueue: 'trial', tls: true },
    ...{
      auth: 'certificate',
      secret: 'cohortflow/temporal',
      privateLink: 'com.amazonaws.vpce.eu-central-1.vpce-svc-0a1b',
    },
  },
  storage: {
    readBuckets: ['studies-of-others'],
    anonymous: ['open-studies'],
    requesterPays: ['paid-studies'],
    onlyTaggedObjects: true,
  },
  jobs: {
    ...{ instanceTypes: ['ml.r5.large', 'ml.m5.xlarge'], volumeGb: 20, maxMinutes: 90 },
    ...{ pollSeconds: 20, pollsPerSecond: 4 },
  },
  features: { tableFormat: 'Iceberg', online: true, visibleWithinMinutes: 30 },
  dragen: {
    amiParameter: '/aws/service/marketplace/prod-x/4.3',
    reference: 's3://references/hg38/genome.fa',
    annotation: 's3://references/gencode.gtf.gz',
    licence: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:dragen-AbCdEf',
    sraTools: 's3://references/sratoolkit.tar.gz',
    spot: true,
    rootVolume: { type: 'gp3', gb: 300 },
    maxMinutes: 600,
    keepAlignments: true,
    instances: 4,
  },
  watch: { emails: ['someone@example.org'], budgetUsd: 500 },
};

/** DRAGEN with a way out and Temporal Cloud by its public name. */
export const WITH_NAT = {
  ...FULL,
  network: { wayOut: 'nat', zones: ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'] },
  temporal: { address: 'x.a1b2c.tmprl.cloud:7233', tls: true, auth: 'apiKey', secret: 'cohortflow/temporal' },
};

const rendered = new Map<string, Templates>();

/** The templates that settings give; made once per test file for the same settings. */
export function templatesOf(document: unknown): Templates {
  const key = JSON.stringify(document);
  const known = rendered.get(key);
  if (known !== undefined) return known;
  const app = new App({ analyticsReporting: false, context: { ...FEATURE_FLAGS } });
  const { data, network, work } = cohortflowApp(app, settingsOf(document));
  if (work === undefined) throw new Error('these settings give no work stack');
  const json = (stack: Parameters<typeof Template.fromStack>[0]): Rendered =>
    Template.fromStack(stack).toJSON() as unknown as Rendered;
  const made = { data: json(data), network: json(network), work: json(work) };
  rendered.set(key, made);
  return made;
}

/** All resources of a type in all stacks, by `stack/logical id`. */
export function resourcesOf(templates: Templates, type: string): ReadonlyMap<string, Resource> {
  return new Map(
    Object.entries(templates).flatMap(([stack, { Resources }]: [string, Rendered]) =>
      Object.entries(Resources)
        .filter(([, { Type }]) => Type === type)
        .map(([id, resource]) => [`${stack}/${id}`, resource] as const),
    ),
  );
}

interface Pair {
  readonly Name: string;
  readonly Value: unknown;
}
/** The one container of a task definition. */
export interface Container {
  readonly Image: unknown;
  readonly Command: readonly string[];
  readonly MountPoints: readonly { readonly ContainerPath: string }[];
  readonly LogConfiguration: { readonly LogDriver: string };
  readonly HealthCheck?: unknown;
  readonly Environment: readonly Pair[];
  readonly Secrets?: readonly { readonly Name: string; readonly ValueFrom: unknown }[];
}

export function containerOf({ Properties }: Resource): Container {
  const [only, ...others] = Properties['ContainerDefinitions'] as readonly Container[];
  if (only === undefined || others.length > 0) throw new Error('a task of one container is wanted');
  return only;
}
