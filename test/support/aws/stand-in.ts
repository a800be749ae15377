import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Faults, type FaultRates } from './faults.js';
import { ProcessingJobs, type Image } from './processing-jobs.js';
import { ServiceError } from './service-error.js';

type Json = Readonly<Record<string, unknown>>;

export interface StandInOptions {
  readonly images?: Readonly<Record<string, Image>>;
  /** Simulated seconds that pass in one second; 1. */
  readonly scale?: number;
  readonly startSeconds?: number;
  /** Processing jobs at once; 100. */
  readonly quota?: number;
  readonly faults?: FaultRates;
  readonly seed?: number;
}

/** AWS as far as we use it, on this machine: strict, slow where AWS is, faulty where it is told to be. */
export interface AwsStandIn {
  readonly endpoint: string;
  /** For the environment of processes that are to use it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly faults: Faults;
  readonly jobs: ProcessingJobs;
  /** Calls by action. */
  readonly calls: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : (JSON.parse(text) as Json);
}

function answer(response: ServerResponse, status: number, document: Json): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': crypto.randomUUID() });
  response.end(JSON.stringify(document));
}

/** The quotas that the account has. */
function listQuotas({ ServiceCode }: Json, quota: number): Json {
  const named: Readonly<Record<string, readonly (readonly [string, number])[]>> = {
    sagemaker: [
      ['ml.r5.large for processing job usage', quota],
      ['ml.r5.large for training job usage', 1],
    ],
    ec2: [['Running On-Demand F instances', 96]],
  };
  const Quotas = (named[String(ServiceCode)] ?? []).map(([QuotaName, Value], at) => ({
    QuotaName,
    Value,
    QuotaCode: `L-${String(ServiceCode).toUpperCase()}${at}`,
    ServiceCode,
  }));
  return { Quotas };
}

/** The images of the account's registry, by digest. */
function describeImages({ repositoryName, imageIds }: Json, images: readonly string[]): Json {
  const wanted = (imageIds as readonly { imageDigest?: string }[] | undefined) ?? [];
  const imageDetails = images.flatMap((uri) => {
    const [, repository, digest] = /\/([^@]+)@(sha256:[0-9a-f]{64})$/.exec(uri) ?? [];
    const fits = repository === repositoryName && wanted.some(({ imageDigest }) => imageDigest === digest);
    return fits ? [{ repositoryName: repository, imageDigest: digest }] : [];
  });
  if (imageDetails.length === 0) throw new ServiceError('ImageNotFoundException', 'The image does not exist');
  return { imageDetails };
}

/** Starts the stand-in on a free port of the loopback. */
export async function startAwsStandIn(options: StandInOptions = {}): Promise<AwsStandIn> {
  const { images = {}, scale = 1, startSeconds = 0, quota = 100, seed = 1 } = options;
  const faults = new Faults(options.faults, seed);
  const jobs = new ProcessingJobs({ images, scale, startSeconds, quota, faults });
  const calls = new Map<string, number>();
  const actions: Readonly<Record<string, (request: Json) => Json>> = {
    ...jobs.actions,
    DescribeImages: (request) => describeImages(request, Object.keys(images)),
    ListServiceQuotas: (request) => listQuotas(request, quota),
    ListAWSDefaultServiceQuotas: (request) => listQuotas(request, quota),
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = String(request.headers['x-amz-target'] ?? '');
    const action = target.slice(target.indexOf('.') + 1);
    calls.set(action, (calls.get(action) ?? 0) + 1);
    const fault = Object.hasOwn(jobs.actions, action) ? faults.of(action) : undefined;
    if (fault === 'drop-before') return void request.socket.destroy();
    try {
      if (!/^AWS4-HMAC-SHA256 /.test(request.headers.authorization ?? '')) {
        throw new ServiceError('MissingAuthenticationTokenException', 'Missing Authentication Token', 403);
      }
      if (fault === 'throttle') throw new ServiceError('ThrottlingException', 'Rate exceeded');
      if (fault === 'unavailable') throw new ServiceError('InternalFailure', 'The request failed', 500);
      const act = actions[action];
      if (act === undefined) throw new ServiceError('UnknownOperationException', `unknown operation ${action}`, 404);
      const document = act(await bodyOf(request));
      if (fault === 'drop-after') return void request.socket.destroy();
      answer(response, 200, document);
    } catch (error) {
      const { type, status, message } =
        error instanceof ServiceError ? error : new ServiceError('InternalFailure', String(error), 500);
      answer(response, status, { __type: type, message });
    }
  }

  const server: Server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    environment: {
      AWS_ENDPOINT_URL_SAGEMAKER: endpoint,
      AWS_ENDPOINT_URL_SERVICE_QUOTAS: endpoint,
      AWS_ENDPOINT_URL_ECR: endpoint,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    },
    faults,
    jobs,
    calls,
    close: async () => {
      jobs.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
