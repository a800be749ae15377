import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client, PutObjectCommand } from '@aws-sdk/client-s3';
import type { FeatureStoreServer } from '../feature-store-server.js';
import { StandInCommands } from './commands.js';
import { Faults, type FaultRates } from './faults.js';
import { StandInMachines, type MachineOptions } from './machines.js';
import { ProcessingJobs, type Image, type JobQuota } from './processing-jobs.js';
import { StandInRegistry } from './registry.js';
import { ServiceError } from './service-error.js';
import { element, parseForm } from './xml.js';

type Json = Readonly<Record<string, unknown>>;

export interface StandInOptions {
  readonly images?: Readonly<Record<string, Image>>;
  /** Simulated seconds that pass in one second; 1. */
  readonly scale?: number;
  readonly startSeconds?: number;
  /** Instances of processing jobs at once, of every type or type by type; 100. */
  readonly quota?: JobQuota;
  /** Simulated seconds by which what the service tells of jobs lags behind; 0.2. */
  readonly jobLagSeconds?: number;
  /** Dollars an hour of processing jobs, by type. */
  readonly jobPrices?: Readonly<Record<string, number>>;
  readonly faults?: FaultRates;
  readonly seed?: number;
  /** What EC2 has; a small account with one subnet in each of two zones when absent. */
  readonly machines?: Partial<Omit<MachineOptions, 'faults' | 'scale' | 'environment'>>;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Seconds for which a command that was sent is not seen; 1. */
  readonly commandUnseenSeconds?: number;
  /** Answers for Feature Store and Athena at the same address; they are not served when absent. */
  readonly features?: FeatureStoreServer;
  /** Where processes and machines find S3; where this process does when absent. */
  readonly s3?: string;
  /** Where it listens; a free port of the loopback. */
  readonly listen?: { readonly host: string; readonly port: number };
}

/** AWS as far as we use it, on this machine: strict, slow where AWS is, faulty where it is told to be. */
export interface AwsStandIn {
  readonly endpoint: string;
  /** For the environment of processes that are to use it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly faults: Faults;
  readonly jobs: ProcessingJobs;
  readonly machines: StandInMachines;
  readonly commands: StandInCommands;
  /** Calls by action. */
  readonly calls: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const MACHINES: Omit<MachineOptions, 'faults' | 'scale' | 'environment'> = {
  amis: { 'ami-00000000000000001': { rootGb: 50 } },
  subnets: { 'subnet-a': 'eu-central-1a', 'subnet-b': 'eu-central-1b' },
  securityGroups: ['sg-1'],
  instanceProfiles: ['dragen'],
  types: ['f2.6xlarge', 'f2.12xlarge'],
  vcpus: 240,
  ...{ bootSeconds: 2, agentSeconds: 2, unseenSeconds: 1 },
  prices: { 'f2.6xlarge': 1.98 },
};

const JOB_PRICES = { 'ml.r5.large': 0.15 };

/** Keeps a text in S3, by the server that the environment names. */
async function keep(Bucket: string, Key: string, Body: string): Promise<void> {
  const client = new S3Client({ forcePathStyle: true });
  await client.send(new PutObjectCommand({ Bucket, Key, Body }));
  client.destroy();
}

const XMLNS = 'http://ec2.amazonaws.com/doc/2016-11-15/';

function answerXml(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/xml;charset=UTF-8' });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>${text}`);
}

function answer(response: ServerResponse, status: number, document: Json): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': crypto.randomUUID() });
  response.end(JSON.stringify(document));
}

const awsOf = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('AWS_')));

/** The quotas that the account has. */
function listQuotas({ ServiceCode }: Json, jobs: JobQuota, vcpus: number): Json {
  const byType = typeof jobs === 'number' ? { 'ml.r5.large': jobs } : jobs;
  const named: Readonly<Record<string, readonly (readonly [string, number])[]>> = {
    sagemaker: [
      ...Object.entries(byType).map(([type, most]) => [`${type} for processing job usage`, most] as const),
      ['ml.r5.large for training job usage', 1],
    ],
    ec2: [
      ['Running On-Demand F instances', vcpus],
      ['All F Spot Instance Requests', vcpus],
    ],
  };
  const Quotas = (named[String(ServiceCode)] ?? []).map(([QuotaName, Value], at) => ({
    QuotaName,
    Value,
    QuotaCode: `L-${String(ServiceCode).toUpperCase()}${at}`,
    ServiceCode,
  }));
  return { Quotas };
}

/** Starts the stand-in, on a free port of the loopback unless it is told where. */
export async function startAwsStandIn(options: StandInOptions = {}): Promise<AwsStandIn> {
  const { images = {}, scale = 1, startSeconds = 0, quota = 100, seed = 1 } = options;
  const { jobLagSeconds: lagSeconds = 0.2, jobPrices: prices = JOB_PRICES } = options;
  const faults = new Faults(options.faults, seed);
  const jobs = new ProcessingJobs({ images, scale, startSeconds, quota, lagSeconds, prices, faults });
  const account = { ...MACHINES, ...options.machines };
  // Machines know their Region from Systems Manager, as real ones do: nobody sets it for the AWS CLI.
  const environment = (): NodeJS.ProcessEnv => {
    const { AWS_REGION: region, AWS_DEFAULT_REGION: _, ...rest } = { ...awsOf(process.env), ...own() };
    return { ...rest, AWS_SSM_REGION_NAME: region };
  };
  const machines = new StandInMachines({ ...account, scale, faults, environment });
  const { parameters = {}, secrets = {}, commandUnseenSeconds: unseenSeconds = 1, features } = options;
  const commands = new StandInCommands({ machines, parameters, secrets, faults, unseenSeconds, scale, keep });
  const calls = new Map<string, number>();
  const actions: Readonly<Record<string, (request: Json) => Json>> = {
    ...jobs.actions,
    ...commands.actions,
    ...new StandInRegistry(Object.keys(images)).actions,
    // KMS is moto's elsewhere; here it only tells what an alias stands for.
    DescribeKey: ({ KeyId }) => ({
      KeyMetadata: {
        KeyId: '0',
        Arn: `arn:aws:kms:eu-central-1:123456789012:key/of-${String(KeyId).replace(/.*alias\//, '')}`,
      },
    }),
    ListServiceQuotas: (request) => listQuotas(request, quota, account.vcpus),
    ListAWSDefaultServiceQuotas: (request) => listQuotas(request, quota, account.vcpus),
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (features?.serves(request) === true) return features.handle(request, response);
    const target = String(request.headers['x-amz-target'] ?? '');
    const body = await bodyOf(request);
    const form = target === '' ? parseForm(body) : undefined;
    const action = form === undefined ? target.slice(target.indexOf('.') + 1) : String(form['Action']);
    calls.set(action, (calls.get(action) ?? 0) + 1);
    const faulty = [jobs.actions, machines.actions, commands.actions].some((one) => Object.hasOwn(one, action));
    const fault = faulty ? faults.of(action) : undefined;
    if (fault === 'drop-before') return void request.socket.destroy();
    if (form !== undefined) {
      try {
        if (fault === 'throttle') throw new ServiceError('RequestLimitExceeded', 'Request limit exceeded.', 503);
        if (fault === 'unavailable') throw new ServiceError('InternalError', 'An internal error has occurred', 500);
        const act = machines.actions[action];
        if (act === undefined) throw new ServiceError('InvalidAction', `The action ${action} is not valid`);
        const inner = element('requestId', crypto.randomUUID()) + element('_', act(form)).replace(/^<_>|<\/_>$/g, '');
        if (fault === 'drop-after') return void request.socket.destroy();
        answerXml(response, 200, `<${action}Response xmlns="${XMLNS}">${inner}</${action}Response>`);
      } catch (error) {
        const { type, status, message } =
          error instanceof ServiceError ? error : new ServiceError('InternalError', String(error), 500);
        const Errors = { Error: { Code: type, Message: message } };
        answerXml(response, status, element('Response', { Errors, RequestID: crypto.randomUUID() }));
      }
      return;
    }
    try {
      if (!/^AWS4-HMAC-SHA256 /.test(request.headers.authorization ?? '')) {
        throw new ServiceError('MissingAuthenticationTokenException', 'Missing Authentication Token', 403);
      }
      if (fault === 'throttle') throw new ServiceError('ThrottlingException', 'Rate exceeded');
      if (fault === 'unavailable') throw new ServiceError('InternalFailure', 'The request failed', 500);
      const act = actions[action];
      if (act === undefined) throw new ServiceError('UnknownOperationException', `unknown operation ${action}`, 404);
      const document = act(body === '' ? {} : (JSON.parse(body) as Json));
      if (fault === 'drop-after') return void request.socket.destroy();
      answer(response, 200, document);
    } catch (error) {
      const { type, status, message } =
        error instanceof ServiceError ? error : new ServiceError('InternalFailure', String(error), 500);
      answer(response, status, { __type: type, message });
    }
  }

  function own(): Record<string, string> {
    const services = ['SAGEMAKER', 'SERVICE_QUOTAS', 'ECR', 'EC2', 'SSM', 'SECRETS_MANAGER'];
    if (features !== undefined) services.push('SAGEMAKER_FEATURESTORE_RUNTIME', 'ATHENA');
    return {
      ...Object.fromEntries(services.map((service) => [`AWS_ENDPOINT_URL_${service}`, endpoint])),
      ...(options.s3 === undefined ? {} : { AWS_ENDPOINT_URL_S3: options.s3 }),
      ...{ AWS_REGION: 'eu-central-1', AWS_DEFAULT_REGION: 'eu-central-1' },
      ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    };
  }

  const server: Server = createServer((request, response) => void handle(request, response));
  const { host, port } = options.listen ?? { host: '127.0.0.1', port: 0 };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    environment: own(),
    faults,
    jobs,
    machines,
    commands,
    calls,
    close: async () => {
      jobs.close();
      machines.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
