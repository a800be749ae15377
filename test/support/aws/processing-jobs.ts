import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Faults } from './faults.js';
import { runContainer, type ContainerEnd, type ImageProgram, type JobRequest } from './job-container.js';
import { History } from './job-history.js';
import { exitMessageOf } from './job-message.js';
import { invalid, ServiceError } from './service-error.js';
import { ACCOUNT, validateJob } from './validate-job.js';

type Json = Readonly<Record<string, unknown>>;
type Status = 'InProgress' | 'Completed' | 'Failed' | 'Stopping' | 'Stopped';

/** An image that only takes its time, and then ends as it is told to. */
export interface SimulatedImage {
  readonly simulatedSeconds: number;
  /** 0. */
  readonly exitCode?: number;
  /** What its container leaves for the exit message. */
  readonly message?: string | Uint8Array;
}

export type Image = ImageProgram | SimulatedImage;

/** Instances of processing jobs at once: of every type alike, or type by type (a type that is not named: none). */
export type JobQuota = number | Readonly<Record<string, number>>;

export interface ProcessingOptions {
  readonly images: Readonly<Record<string, Image>>;
  /** Simulated seconds that pass in one second. */
  readonly scale: number;
  /** Simulated seconds until a job's container starts. */
  readonly startSeconds: number;
  readonly quota: JobQuota;
  /** See {@link ProcessingJobs.lagSeconds}. */
  readonly lagSeconds: number;
  /** Dollars an hour by instance type. */
  readonly prices: Readonly<Record<string, number>>;
  readonly faults: Faults;
}

/** What changes in a job. */
interface State {
  readonly status: Status;
  readonly started?: number;
  readonly ended?: number;
  readonly reason?: string;
  readonly message?: string;
}

interface Job {
  readonly request: JobRequest & Json;
  readonly tags: readonly Json[];
  readonly created: number;
  /** The type it runs on: of those that it prefers, the first that is to be had. */
  readonly type: string | undefined;
  readonly history: History<State>;
  stopAsked: boolean;
  kill?: (signal: NodeJS.Signals) => void;
  executions: number;
}

/** What a job came to, for tests that look behind the service. */
export interface CensusJob {
  readonly name: string;
  readonly status: Status;
  readonly executions: number;
  readonly type: string | undefined;
  /** Of this machine's clock, in milliseconds. */
  readonly created: number;
  readonly started: number | undefined;
  readonly ended: number | undefined;
}

const arnOf = (name: string): string => `arn:aws:sagemaker:eu-central-1:${ACCOUNT}:processing-job/${name}`;
const NO_CAPACITY =
  'CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type.';

interface Cluster {
  readonly InstanceType?: string;
  readonly InstancePreferences?: readonly { readonly InstanceType: string }[];
}

/** The types that a request lists. */
function typesOf(request: Json): readonly string[] {
  const { ClusterConfig } = request['ProcessingResources'] as { readonly ClusterConfig: Cluster };
  const { InstanceType, InstancePreferences = [] } = ClusterConfig;
  return InstanceType === undefined ? InstancePreferences.map((one) => one.InstanceType) : [InstanceType];
}

const isAlive = ({ history }: Job): boolean =>
  history.now?.status === 'InProgress' || history.now?.status === 'Stopping';

/** The processing jobs of an account: really run, each in its own folder. */
export class ProcessingJobs {
  readonly #jobs = new Map<string, Job>();
  readonly #failures: { readonly reason: string; readonly when: 'starting' | 'running' }[] = [];
  #peak = 0;
  #hidden = { after: 0, looks: 0 };
  /** Simulated seconds by which what the service tells of jobs lags behind. */
  lagSeconds: number;
  /** The same of their tags; as long as that of the jobs when undefined. */
  tagLagSeconds: number | undefined;
  /** True: what is not seen yet cannot be stopped yet. */
  stopsLag = false;

  constructor(private readonly options: ProcessingOptions) {
    this.lagSeconds = options.lagSeconds;
  }

  readonly actions: Readonly<Record<string, (request: Json) => Json>> = {
    CreateProcessingJob: (request) => this.create(request as JobRequest & Json),
    DescribeProcessingJob: (request) => this.describe(String(request['ProcessingJobName'])),
    StopProcessingJob: (request) => this.stop(String(request['ProcessingJobName'])),
    ListProcessingJobs: (request) => this.list(request),
    ListTags: (request) => ({ Tags: this.tagsOf(String(request['ResourceArn'])) }),
  };

  /** Jobs that have not ended, the most there were at once, how often each ran, and what it would have cost. */
  census(): {
    readonly alive: number;
    readonly peak: number;
    readonly dollars: number;
    readonly jobs: readonly CensusJob[];
  } {
    const { prices, scale } = this.options;
    const jobs = [...this.#jobs].map(([name, { history, executions, type, created }]): CensusJob => {
      const { status = 'InProgress', started, ended } = history.now ?? {};
      return { name, status, executions, type, created, started, ended };
    });
    const dollars = jobs.reduce((sum, { type = '', started, ended = Date.now() }) => {
      const hours = started === undefined ? 0 : ((ended - started) * scale) / 3_600_000;
      return sum + hours * (prices[type] ?? 0);
    }, 0);
    return { alive: this.alive().length, peak: this.#peak, dollars, jobs };
  }

  /** The next job fails for this reason, which is no fault of its program's: before its container starts, or in its middle. */
  failNext(reason: string, when: 'starting' | 'running'): void {
    this.#failures.push({ reason, when });
  }

  /** Of the looks at jobs from now on, so many are answered as they stand, and then so many as if there were no such job. */
  hide(after: number, looks: number): void {
    this.#hidden = { after, looks };
  }

  /** The quota of a type. */
  quotaOf(type: string): number {
    const { quota } = this.options;
    return typeof quota === 'number' ? quota : (quota[type] ?? 0);
  }

  close(): void {
    for (const job of this.#jobs.values()) job.kill?.('SIGKILL');
  }

  private alive(): Job[] {
    return [...this.#jobs.values()].filter(isAlive);
  }

  private create(request: JobRequest & Json): Json {
    validateJob(request);
    const { ProcessingJobName: name } = request;
    if (this.#jobs.has(name)) {
      const message = `Job name must be unique within an AWS account and region, and a job with this name already exists (${arnOf(name)})`;
      throw new ServiceError('ResourceInUse', message);
    }
    // The quota of every type that is listed counts, whichever it gets.
    const alive = this.alive();
    for (const type of typesOf(request)) {
      const used = alive.filter((job) => job.type === type).length;
      if (used < this.quotaOf(type) && !this.options.faults.limitExceeded()) continue;
      const message =
        `The account-level service limit '${type} for processing job usage' is ${this.quotaOf(type)} Instances, ` +
        `with current utilization of ${used} Instances and a request delta of 1 Instances. ` +
        'Please use AWS Service Quotas to request an increase for this quota.';
      throw new ServiceError('ResourceLimitExceeded', message);
    }
    const job: Job = {
      request,
      tags: (request['Tags'] as readonly Json[] | undefined) ?? [],
      created: Date.now(),
      type: typesOf(request).find((type) => !this.options.faults.capacity(type, undefined)),
      history: new History(),
      stopAsked: false,
      executions: 0,
    };
    job.history.note({ status: 'InProgress' });
    this.#jobs.set(name, job);
    this.#peak = Math.max(this.#peak, alive.length + 1);
    void this.run(job);
    return { ProcessingJobArn: arnOf(name) };
  }

  private change(job: Job, change: Partial<State>): void {
    job.history.note({ status: 'InProgress', ...job.history.now, ...change });
  }

  private at(name: string): Job {
    const job = this.#jobs.get(name);
    if (job === undefined) throw invalid(`Could not find requested job with name: ${name}`);
    return job;
  }

  /** The tags of a job; none while they are too new to be seen. */
  private tagsOf(arn: string): readonly Json[] {
    const job = [...this.#jobs].find(([name]) => arnOf(name) === arn)?.[1];
    const lag = ((this.tagLagSeconds ?? this.lagSeconds) * 1000) / this.options.scale;
    return job?.history.before(lag) === undefined ? [] : job.tags;
  }

  /** How a job looks to who asks now; undefined when it is too new. */
  private seen({ history }: Job): State | undefined {
    return history.before((this.lagSeconds * 1000) / this.options.scale);
  }

  private describe(name: string): Json {
    const job = this.at(name);
    const { after, looks } = this.#hidden;
    if (after > 0) this.#hidden = { after: after - 1, looks };
    else if (looks > 0) this.#hidden = { after, looks: looks - 1 };
    const state = after === 0 && looks > 0 ? undefined : this.seen(job);
    if (state === undefined) throw invalid(`Could not find requested job with name: ${name}`);
    const { request, created, type } = job;
    const { status, started, ended, reason, message } = state;
    const { Tags: _, ...rest } = request as Json;
    const resources = request['ProcessingResources'] as { readonly ClusterConfig: Cluster };
    const chosen =
      resources.ClusterConfig.InstancePreferences === undefined || type === undefined || started === undefined
        ? {}
        : { SelectedInstanceType: type, SelectedInstanceCount: 1 };
    return {
      ...rest,
      ProcessingResources: { ClusterConfig: { ...resources.ClusterConfig, ...chosen } },
      ProcessingJobArn: arnOf(name),
      ProcessingJobStatus: status,
      CreationTime: created / 1000,
      ...(started === undefined ? {} : { ProcessingStartTime: this.simulated(created, started) }),
      ...(ended === undefined ? {} : { ProcessingEndTime: this.simulated(created, ended) }),
      ...(reason === undefined ? {} : { FailureReason: reason.slice(0, 1024) }),
      ...(message === undefined ? {} : { ExitMessage: message }),
    };
  }

  private simulated(created: number, at: number): number {
    return (created + (at - created) * this.options.scale) / 1000;
  }

  private stop(name: string): Json {
    const job = this.at(name);
    if (this.stopsLag && this.seen(job) === undefined) {
      throw invalid(`Could not find requested job with name: ${name}`);
    }
    const status = job.history.now?.status;
    if (status === 'InProgress') {
      this.change(job, { status: 'Stopping' });
      job.stopAsked = true;
      job.kill?.('SIGTERM');
      setTimeout(() => job.kill?.('SIGKILL'), 120_000 / this.options.scale).unref();
    } else if (status !== 'Stopping') {
      throw invalid(`The request was rejected because the processing job is in status ${status}.`);
    }
    return {};
  }

  private list({ NameContains = '', StatusEquals, MaxResults = 10, NextToken }: Json): Json {
    const fitting = [...this.#jobs]
      .filter(([name]) => name.includes(String(NameContains)))
      .map(([name, job]) => ({ name, created: job.created, status: this.seen(job)?.status }))
      .filter(({ status }) => status !== undefined && (StatusEquals === undefined || status === StatusEquals));
    const from = Number(NextToken ?? 0);
    const to = from + Number(MaxResults);
    const page = fitting.slice(from, to).map(({ name, status, created }) => ({
      ProcessingJobName: name,
      ProcessingJobArn: arnOf(name),
      ProcessingJobStatus: status,
      CreationTime: created / 1000,
    }));
    return { ProcessingJobSummaries: page, ...(to < fitting.length ? { NextToken: String(to) } : {}) };
  }

  private async run(job: Job): Promise<void> {
    const { scale, startSeconds, images, faults } = this.options;
    const failure = this.#failures.shift();
    await new Promise((resolve) => setTimeout(resolve, (startSeconds * 1000) / scale));
    const { ImageUri } = job.request.AppSpecification;
    const image = images[ImageUri];
    let timedOut = false;
    const end = (status: Status, reason?: string, message?: string): void =>
      this.change(job, {
        ...{ status, ended: Date.now() },
        ...(reason === undefined ? {} : { reason }),
        ...(message === undefined ? {} : { message }),
      });
    if (job.stopAsked) return end('Stopped');
    if (job.type === undefined) return end('Failed', NO_CAPACITY);
    if (failure?.when === 'starting') return end('Failed', failure.reason);
    if (image === undefined) return end('Failed', `ClientError: Cannot pull image ${ImageUri}`);
    this.change(job, { started: Date.now() });
    job.executions += 1;
    const limit = (job.request['StoppingCondition'] as { MaxRuntimeInSeconds?: number } | undefined)
      ?.MaxRuntimeInSeconds;
    const timer = setTimeout(
      () => {
        timedOut = true;
        job.kill?.('SIGTERM');
        setTimeout(() => job.kill?.('SIGKILL'), 120_000 / scale).unref();
      },
      ((limit ?? 86_400) * 1000) / scale,
    );
    const kill = failure === undefined ? faults.killAfter() : 0.5;
    try {
      const { exitCode, message } =
        'simulatedSeconds' in image
          ? await this.simulate(job, image, kill)
          : await this.contain(job, image, job.type, kill);
      if (job.stopAsked || timedOut) end('Stopped', undefined, message);
      else if (failure !== undefined) end('Failed', failure.reason);
      else if (exitCode === 0) end('Completed', undefined, message);
      else end('Failed', `AlgorithmError: , exit code: ${exitCode}`, message);
    } catch (error) {
      end('Failed', error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(timer);
    }
  }

  /** A job that only takes its time. */
  private async simulate(job: Job, image: SimulatedImage, kill: number | undefined): Promise<ContainerEnd> {
    const { simulatedSeconds, exitCode = 0, message } = image;
    const timers: NodeJS.Timeout[] = [];
    const killed = await new Promise<number | undefined>((resolve) => {
      const after = (share: number, code?: number): number =>
        timers.push(setTimeout(() => resolve(code), (share * simulatedSeconds * 1000) / this.options.scale));
      after(1);
      if (kill !== undefined) after(kill, 137);
      job.kill = () => resolve(143);
    });
    timers.forEach(clearTimeout);
    if (killed !== undefined) return { exitCode: killed, message: undefined };
    return { exitCode, message: message === undefined ? undefined : exitMessageOf(Buffer.from(message)) };
  }

  private async contain(
    job: Job,
    image: ImageProgram,
    instanceType: string,
    kill: number | undefined,
  ): Promise<ContainerEnd> {
    const root = mkdtempSync(join(tmpdir(), 'cohortflow-job-'));
    const self = { arn: arnOf(job.request.ProcessingJobName), instanceType };
    try {
      return await runContainer(job.request, self, root, image, (killer) => {
        job.kill = killer;
        if (job.stopAsked) killer('SIGTERM');
        if (kill !== undefined) setTimeout(() => killer('SIGKILL'), kill * 300).unref();
      });
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }
}
