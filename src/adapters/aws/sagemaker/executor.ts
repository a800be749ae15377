import { setTimeout as sleep } from 'node:timers/promises';
import type { DescribeProcessingJobCommandOutput, SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { AwsSettings } from '../../../config/aws-settings.js';
import { REQUEST_NAME, type ProcessingRequest } from '../../../contracts/processing.js';
import type { RemoteEnd, RemoteTicket } from '../../../contracts/remote-work.js';
import { CohortflowError, messageOf } from '../../../domain/errors.js';
import type { Files } from '../../../ports/files.js';
import { WorkFailed, type RemoteAlive, type RemoteExecutor, type RemoteWork } from '../../../ports/remote-executor.js';
import { awsError } from '../aws-errors.js';
import { abortable, clientOptions } from '../client-options.js';
import { jittered, Rate } from '../rate.js';
import { endOf } from './job-end.js';
import { jobSpec, SPEC_TAG } from './job-spec.js';

type Sdk = typeof import('@aws-sdk/client-sagemaker');

const POLL_SECONDS = 30;
const POLLS_PER_SECOND = 2;
/** So long a job that was taken on may not be seen: the service answers from copies that lag behind. */
const UNSEEN_MS = 120_000;
/** So often in a row the service may not answer before the worker lets another one look. */
const MOST_BLIND_LOOKS = 60;
/** A submission whose answer was lost is looked for so often before it counts as never made; pauses in ms. */
const LOOKS_FOR_LOST = [0, 1_000, 4_000, 10_000];
/** A job takes up to minutes to stop. */
const STOPPED_WITHIN_MS = 30 * 60_000;
const STOP_POLL_MS = 5_000;
/** A job that was seen is gone when it is not seen so often in a row. */
const LOOKS_FOR_GONE = 12;
/** Names of our jobs; the sweep finds them by it. */
const OUR_NAMES = 'cohortflow-';

/** Calls on the way to a stop go before those that only look. */
const URGENT = { urgent: true } as const;

/** How the service says that it knows no job of a name: in practice as a fault of the request. */
function isUnknown(error: unknown): boolean {
  const name = error instanceof Error ? error.name : '';
  if (name === 'ResourceNotFound') return true;
  return name === 'ValidationException' && /could not find|not found|does not exist/i.test(messageOf(error));
}

function isNameTaken(error: unknown): boolean {
  return error instanceof Error && error.name === 'ResourceInUse';
}

type Tags = readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[];
type Turn = Parameters<Rate['turn']>[1];

const WORK_TAG = 'cohortflow:work';

function has(tags: Tags, key: string): string | undefined {
  return tags.find(({ Key }) => Key === key)?.Value;
}

/** Why a job of our name is not the one that we wanted to begin; undefined when it is. */
function notAdopted(name: string, tags: Tags, spec: string | undefined): string | undefined {
  if (has(tags, WORK_TAG) !== name) return `the name ${name} is taken by a processing job that is not this run's`;
  if (has(tags, SPEC_TAG) === spec) return undefined;
  return `the processing job ${name} was begun with other settings than these: it is ended; run the cohort again`;
}

/**
 * Studies in processing jobs of SageMaker, one job each, of our own container. The container only computes: what it needs is
 * put where it finds it, what it leaves is taken over by whoever gave the work away.
 */
export class SageMakerExecutor implements RemoteExecutor {
  readonly name = 'sagemaker';
  readonly #rate: Rate;
  #client: Promise<SageMakerClient> | undefined;

  /**
   * @param files where requests are written: S3
   * @param namespace of Temporal whose work {@link alive} lists
   */
  constructor(
    private readonly settings: AwsSettings,
    private readonly files: Files,
    private readonly namespace = 'default',
  ) {
    this.#rate = new Rate(settings.sagemaker?.pollsPerSecond ?? POLLS_PER_SECOND);
  }

  async submit(work: RemoteWork, signal: AbortSignal): Promise<RemoteTicket> {
    const { name, place, request, tags } = work;
    if (request.executor !== 'sagemaker') {
      throw new CohortflowError('InternalError', `sagemaker was given work for ${request.executor}`);
    }
    const { unit, choice, settings } = request.input;
    const spec = jobSpec(name, place, unit, tags, this.settings);
    const document: ProcessingRequest = {
      input: { unit, ...(choice === undefined ? {} : { choice }), ...(settings === undefined ? {} : { settings }) },
    };
    await this.files.write(`${place}/request/${REQUEST_NAME}`, JSON.stringify(document));
    const ticket: RemoteTicket = { executor: 'sagemaker', name, place };
    try {
      const { CreateProcessingJobCommand } = await this.sdk();
      await (await this.client()).send(new CreateProcessingJobCommand(spec), abortable(signal));
      return ticket;
    } catch (error) {
      const coded = awsError(error, 'SageMaker, starting a processing job', signal);
      const answerLost = coded instanceof CohortflowError && coded.code === 'AwsUnavailable';
      if (!isNameTaken(error) && !answerLost) throw coded;
      const tags = await this.tagsByName(name, signal);
      if (tags === undefined) {
        throw answerLost
          ? coded
          : new CohortflowError('AwsUnavailable', `the processing job ${name} is not seen yet`, {}, error);
      }
      const message = notAdopted(name, tags, has(spec.Tags ?? [], SPEC_TAG));
      if (message === undefined) return ticket;
      throw new CohortflowError('JobRejected', message, {}, error);
    }
  }

  async await(ticket: RemoteTicket, signal: AbortSignal, onProgress: (message: string) => void): Promise<RemoteEnd> {
    const { name } = ticket;
    const poll = (this.settings.sagemaker?.pollSeconds ?? POLL_SECONDS) * 1000;
    let unseenSince: number | undefined;
    let blind = 0;
    for (;;) {
      let job: DescribeProcessingJobCommandOutput | undefined;
      try {
        job = await this.describe(name, signal);
        blind = 0;
      } catch (error) {
        // A service that does not answer says nothing of the job: it goes on, and so does the wait.
        const again = error instanceof CohortflowError && error.retryable && (blind += 1) < MOST_BLIND_LOOKS;
        if (!again) throw error;
        onProgress('the service does not answer');
        await sleep(jittered(poll * Math.min(blind, 4)), undefined, { signal });
        continue;
      }
      unseenSince = job === undefined ? (unseenSince ?? Date.now()) : undefined;
      if (unseenSince !== undefined && Date.now() - unseenSince > UNSEEN_MS) {
        throw new WorkFailed('JobLost', `the service knows no processing job ${name}`, { job: name });
      }
      const end = job === undefined ? undefined : endOf(name, job);
      if (end !== undefined) return end;
      onProgress(`job ${job?.ProcessingJobStatus ?? 'not seen yet'}`);
      await sleep(jittered(poll), undefined, { signal });
    }
  }

  async stop(name: string, signal: AbortSignal): Promise<void> {
    let tags: Tags | undefined;
    for (const pause of LOOKS_FOR_LOST) {
      await sleep(pause, undefined, { signal });
      tags = await this.tagsByName(name, signal, URGENT);
      if (tags !== undefined) break;
    }
    // A job of that name that is somebody else's is none of our business.
    if (tags === undefined || has(tags, WORK_TAG) !== name) return;
    const pause = Math.min(STOP_POLL_MS, (this.settings.sagemaker?.pollSeconds ?? POLL_SECONDS) * 1000);
    let unseen = 0;
    for (const until = Date.now() + STOPPED_WITHIN_MS; ;) {
      const job = await this.describe(name, signal, URGENT);
      const status = job?.ProcessingJobStatus;
      unseen = job === undefined ? unseen + 1 : 0;
      if (unseen === LOOKS_FOR_GONE || status === 'Completed' || status === 'Failed' || status === 'Stopped') return;
      if (status === 'InProgress') await this.callStop(name, signal);
      if (Date.now() > until) {
        throw new CohortflowError('AwsUnavailable', `the processing job ${name} does not stop`, { job: name });
      }
      await sleep(pause, undefined, { signal });
    }
  }

  async alive(signal: AbortSignal): Promise<readonly RemoteAlive[]> {
    const found: RemoteAlive[] = [];
    const { ListProcessingJobsCommand } = await this.sdk();
    for (const StatusEquals of ['InProgress', 'Stopping'] as const) {
      let NextToken: string | undefined;
      do {
        await this.#rate.turn(signal);
        try {
          const page: { ProcessingJobSummaries?: readonly Summary[] | undefined; NextToken?: string | undefined } =
            await (
              await this.client()
            ).send(
              new ListProcessingJobsCommand({
                NameContains: OUR_NAMES,
                StatusEquals,
                MaxResults: 100,
                ...(NextToken === undefined ? {} : { NextToken }),
              }),
              abortable(signal),
            );
          for (const summary of page.ProcessingJobSummaries ?? []) {
            const ours = await this.aliveOf(summary, signal);
            if (ours !== undefined) found.push(ours);
          }
          ({ NextToken } = page);
        } catch (error) {
          throw awsError(error, 'SageMaker, listing processing jobs', signal);
        }
      } while (NextToken !== undefined);
    }
    return found;
  }

  end(found: RemoteAlive, signal: AbortSignal): Promise<void> {
    return this.stop(found.id, signal);
  }

  private sdk(): Promise<Sdk> {
    return import('@aws-sdk/client-sagemaker');
  }

  private client(): Promise<SageMakerClient> {
    return (this.#client ??= this.sdk().then(
      ({ SageMakerClient }) => new SageMakerClient(clientOptions(this.settings.region)),
    ));
  }

  /** A job by its name; undefined when the service knows none. */
  private async describe(
    name: string,
    signal: AbortSignal,
    turn: Turn = {},
  ): Promise<DescribeProcessingJobCommandOutput | undefined> {
    await this.#rate.turn(signal, turn);
    try {
      const { DescribeProcessingJobCommand } = await this.sdk();
      const command = new DescribeProcessingJobCommand({ ProcessingJobName: name });
      return await (await this.client()).send(command, abortable(signal));
    } catch (error) {
      if (isUnknown(error)) return undefined;
      throw awsError(error, 'SageMaker, looking at a processing job', signal);
    }
  }

  private async callStop(name: string, signal: AbortSignal): Promise<void> {
    await this.#rate.turn(signal, URGENT);
    try {
      const { StopProcessingJobCommand } = await this.sdk();
      await (await this.client()).send(new StopProcessingJobCommand({ ProcessingJobName: name }), abortable(signal));
    } catch (error) {
      // It may have ended in between: the next look tells.
      if (isUnknown(error) || (error instanceof Error && error.name === 'ValidationException')) return;
      throw awsError(error, 'SageMaker, stopping a processing job', signal);
    }
  }

  private async tagsOf(arn: string, signal: AbortSignal, turn: Turn = {}): Promise<Tags> {
    await this.#rate.turn(signal, turn);
    try {
      const { ListTagsCommand } = await this.sdk();
      const command = new ListTagsCommand({ ResourceArn: arn });
      const { Tags = [] } = await (await this.client()).send(command, abortable(signal));
      return Tags;
    } catch (error) {
      throw awsError(error, 'SageMaker, reading the tags of a processing job', signal);
    }
  }

  /** The tags of the job of a name; undefined when the service knows none. */
  private async tagsByName(name: string, signal: AbortSignal, turn: Turn = {}): Promise<Tags | undefined> {
    const job = await this.describe(name, signal, turn);
    return job?.ProcessingJobArn === undefined ? undefined : this.tagsOf(job.ProcessingJobArn, signal, turn);
  }

  /** A job of ours in the namespace of this installation; undefined for any other. */
  private async aliveOf(summary: Summary, signal: AbortSignal): Promise<RemoteAlive | undefined> {
    const { ProcessingJobName: id = '', ProcessingJobArn: arn, CreationTime } = summary;
    const tags = arn === undefined ? [] : await this.tagsOf(arn, signal);
    const work = has(tags, WORK_TAG);
    if (work === undefined || has(tags, 'cohortflow:namespace') !== this.namespace) return undefined;
    const workflowId = has(tags, 'cohortflow:workflow');
    return {
      executor: 'sagemaker',
      id,
      name: work,
      ...(workflowId === undefined ? {} : { workflowId }),
      ...(CreationTime === undefined ? {} : { since: CreationTime.toISOString() }),
    };
  }
}

interface Summary {
  readonly ProcessingJobName?: string | undefined;
  readonly ProcessingJobArn?: string | undefined;
  readonly CreationTime?: Date | undefined;
}
