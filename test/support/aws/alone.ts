import { join } from 'node:path';
import { BucketAlreadyOwnedByYou, CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { PACKAGE_ROOT } from '../../../src/app/package-root.js';
import type { AwsSettings } from '../../../src/config/aws-settings.js';
import { awsCliProgram } from '../aws-cli.js';
import { FeatureStoreServer } from '../feature-store-server.js';
import { MotoServer } from '../moto-server.js';
import type { FaultRates } from './faults.js';
import { startAwsStandIn, type AwsStandIn } from './stand-in.js';

/** How the stand-in is started for people, and for containers. */
export interface AloneOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** Where others reach it, when that is not where it listens. */
  readonly endpoint?: string;
  /** An S3 server that is there already, which serves KMS and STS too. */
  readonly s3?: string;
  /** The program of moto, which is started when no S3 server is there. */
  readonly moto?: string;
  /** Simulated seconds that pass in one second. */
  readonly scale: number;
  readonly faults?: FaultRates;
}

/** A running account. */
export interface Alone {
  readonly standIn: AwsStandIn;
  /** Its Feature Store and Athena. */
  readonly features: FeatureStoreServer;
  /** What processes that are to use it have in their environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** The `aws:` settings that fit it. */
  readonly settings: AwsSettings;
  close(): Promise<void>;
}

const REGION = 'eu-central-1';
const BUCKET = 'cohortflow';
const ACCOUNT = '123456789012';
const IMAGE = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/cohortflow@sha256:${'0'.repeat(64)}`;
const AMI = 'ami-00000000000000001';
const LICENCE = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:dragen-licence-a1b2c3`;
const NETWORK = { subnets: ['subnet-a', 'subnet-b'], securityGroups: ['sg-1'] } as const;
const role = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;

/** Jobs and machines here end in seconds. */
const POLL_SECONDS = 2;

/** Settings of an account that has exactly what the stand-in has. */
const SETTINGS = {
  region: REGION,
  work: `s3://${BUCKET}/work`,
  sagemaker: { image: IMAGE, roleArn: role('cohortflow-jobs'), pollSeconds: POLL_SECONDS, ...NETWORK },
  dragen: {
    ...{ ami: AMI, instanceTypes: ['f2.6xlarge'], instanceProfile: 'dragen', licence: LICENCE },
    ...{ reference: `s3://${BUCKET}/reference/genome.fa`, annotation: `s3://${BUCKET}/reference/annotation.gtf` },
    ...{ pollSeconds: POLL_SECONDS, ...NETWORK },
  },
  features: { offlineStore: `s3://${BUCKET}/features`, roleArn: role('cohortflow-features') },
  athena: { workgroup: 'primary', results: `s3://${BUCKET}/athena` },
} as const;

async function makeBucket(): Promise<void> {
  const client = new S3Client({ forcePathStyle: true });
  try {
    const CreateBucketConfiguration = { LocationConstraint: REGION } as const;
    await client.send(new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration }));
  } catch (error) {
    if (!(error instanceof BucketAlreadyOwnedByYou)) throw error;
  } finally {
    client.destroy();
  }
}

/**
 * Starts the whole account: SageMaker, Feature Store, Athena, EC2, Systems Manager, Secrets Manager, ECR and quotas at one
 * address; S3, KMS and STS by moto. The environment of this process is changed: what runs inside the account (jobs,
 * machines) uses S3 too.
 *
 * @throws Error when there is neither an S3 server nor moto, or nothing can listen there
 */
export async function startAlone(options: AloneOptions): Promise<Alone> {
  const { s3, moto: program, listen, endpoint, scale, faults } = options;
  Object.assign(process.env, { AWS_REGION: REGION, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  let moto: MotoServer | undefined;
  if (s3 !== undefined) process.env['AWS_ENDPOINT_URL'] = s3;
  else if (program === undefined) throw new Error('there is no S3 server: name one with --s3, or install moto[server]');
  else moto = await MotoServer.start(program);
  const features = new FeatureStoreServer();
  // A file of this machine's would be of no use to a worker elsewhere.
  features.results = 'pages';
  try {
    await makeBucket();
    const aws = awsCliProgram();
    const standIn = await startAwsStandIn({
      ...{ listen, scale, features },
      ...(faults === undefined ? {} : { faults }),
      images: { [IMAGE]: { command: process.execPath, args: [join(PACKAGE_ROOT, 'dist/processing/main.js')] } },
      machines: { amis: { [AMI]: { rootGb: 50, dragen: '4.3', ...(aws === undefined ? {} : { aws }) } } },
      secrets: { [LICENCE]: 'stand-in' },
    });
    const own = standIn.environment;
    const reached = Object.entries(own).map(([name, value]) => [
      name,
      value === standIn.endpoint ? (endpoint ?? value) : value,
    ]);
    return {
      standIn,
      features,
      environment: {
        AWS_ENDPOINT_URL: s3 ?? moto?.endpoint ?? '',
        ...(Object.fromEntries(reached) as Record<string, string>),
      },
      settings: SETTINGS,
      close: async () => {
        await standIn.close();
        await moto?.stop();
      },
    };
  } catch (error) {
    await moto?.stop();
    throw error;
  }
}
