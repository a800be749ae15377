import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Faults } from './faults.js';
import { runContainer, type ContainerEnd, type ImageProgram, type JobRequest } from './job-container.js';
import { invalid, ServiceError } from './service-error.js';
import { validateJob } from './validate-job.js';

type Json = Readonly<Record<string, unknown>>;
type Status = 'InProgress' | 'Completed' | 'Failed' | 'Stopping' | 'Stopped';

/** A simulated image only takes its time. */
export type Image = ImageProgram | { readonly simulatedSeconds: number };

export interface ProcessingOptions {
  readonly images: Readonly<Record<string, Image>>;
  /** Simulated seconds that pass in one second. */
  readonly scale: number;
  /** Simulated seconds until a job's container starts. */
  readonly startSeconds: number;
  /** Jobs at once in the account. */
  readonly quota: number;
  readonly faults: Faults;
}

interface Job {
  readonly request: JobRequest & Json;
  readonly tags: readonly Json[];
  readonly created: number;
  started?: number;
  ended?: number;
  status: Status;
  stopAsked: boolean;
  reason?: string;
  message?: string;
  kill?: (signal: NodeJS.Signals) => void;
  executions: number;
}

const ACCOUNT = '123456789012';
const arnOf = (name: string): string => `arn:aws:sagemaker:eu-central-1:${ACCOUNT}:processing-job/${name}`;

/** The processing jobs of an account: really run, each in its own folder. */
export class ProcessingJobs {
  readonly #jobs = new Map<string, Job>();
  #peak = 0;

  constructor(private readonly options: ProcessingOptions) {}

  readonly actions: Readonly<Record<string, (request: Json) => Json>> = {
    CreateProcessingJob: (request) => this.create(request as JobRequest & Json),
    DescribeProcessingJob: (request) => this.describe(String(request['ProcessingJobName'])),
    StopProcessingJob: (request) => this.stop(String(request['ProcessingJobName'])),
    ListProcessingJobs: (request) => this.list(request),
    ListTags: (request) => ({
      Tags: [...this.#jobs].find(([name]) => arnOf(name) === request['ResourceArn'])?.[1].tags ?? [],
    }),
  };

  /** Jobs that have not ended, the most there were at once, and how often each ran. */
  census(): {
    readonly alive: number;
    readonly peak: number;
    readonly jobs: readonly { readonly name: string; readonly status: Status; readonly executions: number }[];
  } {
    const jobs = [...this.#jobs].map(([name, { status, executions }]) => ({ name, status, executions }));
    return { alive: this.aliveJobs(), peak: this.#peak, jobs };
  }

  close(): void {
    for (const job of this.#jobs.values()) job.kill?.('SIGKILL');
  }

  private aliveJobs(): number {
    return [...this.#jobs.values()].filter(({ status }) => status === 'InProgress' || status === 'Stopping').length;
  }

  private create(request: JobRequest & Json): Json {
    validateJob(request);
    const { ProcessingJobName: name } = request;
    if (this.#jobs.has(name)) {
      const message = `Job name must be unique within an AWS account and region, and a job with this name already exists (${arnOf(name)})`;
      throw new ServiceError('ResourceInUse', message);
    }
    const alive = this.aliveJobs();
    if (alive >= this.options.quota) {
      const message =
        `The account-level service limit 'ml.r5.large for processing job usage' is ${this.options.quota} Instances, ` +
        `with current utilization of ${alive} Instances and a request delta of 1 Instances.`;
      throw new ServiceError('ResourceLimitExceeded', message);
    }
    const job: Job = {
      request,
      tags: (request['Tags'] as readonly Json[] | undefined) ?? [],
      created: Date.now(),
      status: 'InProgress',
      stopAsked: false,
      executions: 0,
    };
    this.#jobs.set(name, job);
    this.#peak = Math.max(this.#peak, alive + 1);
    void this.run(job);
    return { ProcessingJobArn: arnOf(name) };
  }

  private at(name: string): Job {
    const job = this.#jobs.get(name);
    if (job === undefined) throw invalid(`Could not find requested job with name: ${name}`);
    return job;
  }

  private describe(name: string): Json {
    const { request, created, started, ended, status, reason, message } = this.at(name);
    const { Tags: _, ...rest } = request as Json;
    return {
      ...rest,
      ProcessingJobArn: arnOf(name),
      ProcessingJobStatus: status,
      CreationTime: created / 1000,
      ...(started === undefined ? {} : { ProcessingStartTime: this.simulated(created, started) }),
      ...(ended === undefined ? {} : { ProcessingEndTime: this.simulated(created, ended) }),
      ...(reason === undefined ? {} : { FailureReason: reason }),
      ...(message === undefined ? {} : { ExitMessage: message.slice(0, 1024) }),
    };
  }

  private simulated(created: number, at: number): number {
    return (created + (at - created) * this.options.scale) / 1000;
  }

  private stop(name: string): Json {
    const job = this.at(name);
    if (job.status === 'InProgress') {
      job.status = 'Stopping';
      job.stopAsked = true;
      job.kill?.('SIGTERM');
      setTimeout(() => job.kill?.('SIGKILL'), 120_000 / this.options.scale).unref();
    } else if (job.status !== 'Stopping') {
      throw invalid(`The request was rejected because the processing job is in status ${job.status}.`);
    }
    return {};
  }

  private list({ NameContains = '', StatusEquals, MaxResults = 10, NextToken }: Json): Json {
    const fitting = [...this.#jobs]
      .filter(([name]) => name.includes(String(NameContains)))
      .filter(([, { status }]) => StatusEquals === undefined || status === StatusEquals);
    const from = Number(NextToken ?? 0);
    const to = from + Number(MaxResults);
    const page = fitting.slice(from, to).map(([name, { status, created }]) => ({
      ProcessingJobName: name,
      ProcessingJobArn: arnOf(name),
      ProcessingJobStatus: status,
      CreationTime: created / 1000,
    }));
    return { ProcessingJobSummaries: page, ...(to < fitting.length ? { NextToken: String(to) } : {}) };
  }

  private async run(job: Job): Promise<void> {
    const { scale, startSeconds, images, faults } = this.options;
    const wait = (seconds: number): Promise<void> =>
      new Promise((resolve) => setTimeout(resolve, (seconds * 1000) / scale));
    await wait(startSeconds);
    const { ImageUri } = job.request.AppSpecification;
    const image = images[ImageUri];
    let timedOut = false;
    const end = (status: Status, reason?: string, message?: string): void => {
      job.status = status;
      job.ended = Date.now();
      if (reason !== undefined) job.reason = reason;
      if (message !== undefined) job.message = message;
    };
    if (job.stopAsked) return end('Stopped');
    if (image === undefined) return end('Failed', `ClientError: Cannot pull image ${ImageUri}`);
    job.started = Date.now();
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
    const kill = faults.killAfter();
    try {
      const { exitCode, message } =
        'simulatedSeconds' in image
          ? await this.simulate(job, image.simulatedSeconds, kill)
          : await this.contain(job, image, kill);
      if (job.stopAsked || timedOut) end('Stopped');
      else if (exitCode === 0) end('Completed', undefined, message);
      else end('Failed', `AlgorithmError: , exit code: ${exitCode}`, message);
    } catch (error) {
      end('Failed', error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(timer);
    }
  }

  /** A job that only takes its time. */
  private simulate(job: Job, seconds: number, kill: number | undefined): Promise<ContainerEnd> {
    return new Promise((resolve) => {
      const after = (share: number, exitCode: number): NodeJS.Timeout =>
        setTimeout(() => resolve({ exitCode, message: undefined }), (share * seconds * 1000) / this.options.scale);
      after(1, 0);
      if (kill !== undefined) after(kill, 137);
      job.kill = () => resolve({ exitCode: 143, message: undefined });
    });
  }

  private async contain(job: Job, image: ImageProgram, kill: number | undefined): Promise<ContainerEnd> {
    const root = mkdtempSync(join(tmpdir(), 'cohortflow-job-'));
    try {
      return await runContainer(job.request, root, image, (killer) => {
        job.kill = killer;
        if (job.stopAsked) killer('SIGTERM');
        if (kill !== undefined) setTimeout(() => killer('SIGKILL'), kill * 300).unref();
      });
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }
}
