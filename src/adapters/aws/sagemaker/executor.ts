import { setTimeout as sleep } from 'node:timers/promises';
import type {
  DescribeProcessingJobCommandOutput,
  ListProcessingJobsCommandOutput,
  ListTagsCommandOutput,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import type { AwsSettings } from '../../../config/aws-settings.js';
import { REQUEST_NAME, type ProcessingRequest } from '../../../contracts/processing.js';
import type { RemoteEnd, RemoteTicket } from '../../../contracts/remote-work.js';
import { NAMESPACE_TAG, namespaceTag, RUN_TAG, WORK_TAG, workflowOf } from '../../../contracts/work-tags.js';
import { CohortflowError, messageOf } from '../../../domain/errors.js';
import type { Files } from '../../../ports/files.js';
import { WorkFailed, type RemoteAlive, type RemoteExecutor, type RemoteWork } from '../../../ports/remote-executor.js';
import { awsError } from '../aws-errors.js';
import { abortable, clientOptions } from '../client-options.js';
import { jittered, Rate } from '../rate.js';
import { isAlias, keyArn } from './key-arn.js';
import { endOf } from './job-end.js';
import { jobSpec, SPEC_TAG } from './job-spec.js';

type Sdk = typeof import('@aws-sdk/client-sagemaker');

const POLL_SECONDS = 30;
const POLLS_PER_SECOND = 2;
/** So long a job that was taken on may not be seen: the service answers from copies that lag behind. */
const UNSEEN_MS = 120_000;
/** So often in a row the service may not answer before the worker lets another one look. */
const MOST_BLIND_LOOKS = 60;
/** A job that the service refused to begin is looked for only so long, in case an earlier call had begun it. */
const UNSEEN_WHEN_REFUSED_MS = 15_000;
/** Pauses between looks for a job that is not seen; the last one again and again. */
const LOOKS_FOR_UNSEEN_MS = [1_000, 4_000, 10_000, 20_000];
/** A job takes up to minutes to stop. */
const STOPPED_WITHIN_MS = 30 * 60_000;
const STOP_POLL_MS = 5_000;
/** A job that was seen is gone when it is not seen so often in a row. */
const LOOKS_FOR_GONE = 12;
/** So many of the names that the service refused are kept in mind. */
const MOST_REFUSED = 10_000;
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

type Tags = Readonly<Record<string, string>>;
type Turn = Parameters<Rate['turn']>[1];

/** `refused`: the service said no to every request for a job of a name, as far as this worker knows. */
type Asked = 'refused' | 'perhaps begun';

/**
 * Makes sure that a job of our name is the one that we wanted to begin. A name is a digest of ours: a job without any tags is
 * one whose tags are not seen yet.
 *
 * @throws CohortflowError `AwsUnavailable` where that cannot be told yet, `JobLost` for our own job with another
 * specification (it is ended and another one begun), `JobRejected` for somebody else's
 */
function checkAdopted(name: string, tags: Tags | undefined, spec: string | undefined): void {
  const work = tags?.[WORK_TAG];
  if (tags === undefined || work === undefined) {
    throw new CohortflowError('AwsUnavailable', `the processing job ${name} is not seen yet`);
  }
  if (work !== name) {
    throw new CohortflowError('JobRejected', `the name ${name} is taken by a processing job that is not this run's`);
  }
  if (tags[SPEC_TAG] === spec) return;
  const message = `the processing job ${name} was begun with other settings than these: it is ended, and another one begun`;
  throw new WorkFailed('JobLost', message, { job: name });
}

/**
 * Studies in processing jobs of SageMaker, one job each, of our own container. The container only computes: what it needs is
 * put where it finds it, what it leaves is taken over by whoever gave the work away.
 */
export class SageMakerExecutor implements RemoteExecutor {
  readonly name = 'sagemaker';
  readonly #rate: Rate;
  /** Jobs are begun at a rate of their own: looks do not hold them up, and a cohort's start does not hold up looks. */
  readonly #begins: Rate;
  #volumeKey: Promise<string> | undefined;
  readonly #asked = new Map<string, Asked>();
  #client: Promise<SageMakerClient> | undefined;

  /**
   * @param files where requests are written: S3
   * @param namespace of Temporal whose work {@link alive} lists
   * @param speed seconds of patience that pass in one: 1, but in tests
   */
  constructor(
    private readonly settings: AwsSettings,
    private readonly files: Files,
    private readonly namespace = 'default',
    private readonly speed = 1,
  ) {
    const perSecond = settings.sagemaker?.pollsPerSecond ?? POLLS_PER_SECOND;
    this.#rate = new Rate(perSecond);
    this.#begins = new Rate(perSecond);
  }

  async submit(work: RemoteWork, signal: AbortSignal): Promise<RemoteTicket> {
    const { name, place, request, tags } = work;
    if (request.executor !== 'sagemaker') {
      throw new CohortflowError('InternalError', `sagemaker was given work for ${request.executor}`);
    }
    const { unit, choice, settings } = request.input;
    const spec = jobSpec(name, place, unit, tags, this.settings, await this.volumeKey(signal));
    const document: ProcessingRequest = {
      input: { unit, ...(choice === undefined ? {} : { choice }), ...(settings === undefined ? {} : { settings }) },
    };
    await this.files.write(`${place}/request/${REQUEST_NAME}`, JSON.stringify(document));
    const ticket: RemoteTicket = { executor: 'sagemaker', name, place };
    const { CreateProcessingJobCommand } = await this.sdk();
    const client = await this.client();
    const begin = (): Promise<unknown> => client.send(new CreateProcessingJobCommand(spec), abortable(signal));
    const before = this.#asked.get(name);
    this.note(name, 'perhaps begun');
    try {
      await this.call(this.#begins, begin, 'starting a processing job', signal);
      return ticket;
    } catch (error) {
      const cause = error instanceof CohortflowError ? error.cause : undefined;
      const answerLost = error instanceof CohortflowError && error.code === 'AwsUnavailable';
      if (!isNameTaken(cause) && !answerLost) {
        if (before !== 'perhaps begun' && error instanceof CohortflowError) this.note(name, 'refused');
        throw error;
      }
      const found = await this.tagsByName(name, signal, URGENT);
      if (found === undefined && answerLost) throw error;
      checkAdopted(name, found, spec.Tags?.find(({ Key }) => Key === SPEC_TAG)?.Value);
      return ticket;
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
      if (unseenSince !== undefined && (Date.now() - unseenSince) * this.speed > UNSEEN_MS) {
        throw new WorkFailed('JobLost', `the service knows no processing job ${name}`, { job: name });
      }
      const end = job === undefined ? undefined : endOf(name, job);
      if (end !== undefined) return end;
      onProgress(`job ${job?.ProcessingJobStatus ?? 'not seen yet'}`);
      await sleep(jittered(poll), undefined, { signal });
    }
  }

  async stop(name: string, signal: AbortSignal): Promise<void> {
    const pause = Math.min(STOP_POLL_MS, (this.settings.sagemaker?.pollSeconds ?? POLL_SECONDS) * 1000);
    const refused = this.#asked.get(name) === 'refused';
    const patience = refused ? UNSEEN_WHEN_REFUSED_MS : UNSEEN_MS;
    const began = Date.now();
    const waited = (): number => (Date.now() - began) * this.speed;
    let ours = false;
    let seen = false;
    for (let unseen = 0; ;) {
      const job = await this.describe(name, signal, URGENT);
      const status = job?.ProcessingJobStatus;
      if (status === 'Completed' || status === 'Failed' || status === 'Stopped') return;
      seen ||= job !== undefined;
      unseen = job === undefined ? unseen + 1 : 0;
      if (job === undefined && (seen ? unseen === LOOKS_FOR_GONE : waited() > patience)) return;
      if (!ours && job?.ProcessingJobArn !== undefined) {
        const work = (await this.tagsOf(job.ProcessingJobArn, signal, URGENT))[WORK_TAG];
        // A job of that name that is somebody else's is none of our business.
        if (work !== undefined && work !== name) return;
        ours = work === name;
      }
      // Also when it is not seen: one that has only just begun may be stopped all the same.
      const mayRun = status === 'InProgress' || (job === undefined && !refused);
      if (mayRun) seen = (await this.callStop(name, signal)) || seen;
      if (waited() > STOPPED_WITHIN_MS) {
        throw new CohortflowError('AwsUnavailable', `the processing job ${name} does not stop`, { job: name });
      }
      const unseenPause = LOOKS_FOR_UNSEEN_MS[Math.min(unseen, LOOKS_FOR_UNSEEN_MS.length) - 1];
      await this.wait(seen ? pause : (unseenPause ?? pause), signal);
    }
  }

  async alive(signal: AbortSignal): Promise<readonly RemoteAlive[]> {
    const found: RemoteAlive[] = [];
    for (const status of ['InProgress', 'Stopping'] as const) {
      let next: string | undefined;
      do {
        const page = await this.page(status, next, signal);
        for (const summary of page.ProcessingJobSummaries ?? []) {
          const ours = await this.aliveOf(summary, signal);
          if (ours !== undefined) found.push(ours);
        }
        next = page.NextToken;
      } while (next !== undefined);
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

  /** The key of the settings as volumes take it; asked for once. */
  private volumeKey(signal: AbortSignal): Promise<string | undefined> {
    const { kmsKey, region } = this.settings;
    if (kmsKey === undefined || !isAlias(kmsKey)) return Promise.resolve(kmsKey);
    this.#volumeKey ??= keyArn(kmsKey, region, signal).catch((error: unknown) => {
      this.#volumeKey = undefined;
      throw error;
    });
    return this.#volumeKey;
  }

  private note(name: string, asked: Asked): void {
    this.#asked.delete(name);
    this.#asked.set(name, asked);
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > MOST_REFUSED && oldest !== undefined) this.#asked.delete(oldest);
  }

  private async wait(ms: number, signal: AbortSignal): Promise<void> {
    await sleep(ms / this.speed, undefined, { signal });
  }

  /** A call in its turn; slower after one that was throttled. */
  private async call<T>(
    rate: Rate,
    send: () => Promise<T>,
    doing: string,
    signal: AbortSignal,
    turn: Turn = {},
  ): Promise<T> {
    await rate.turn(signal, turn);
    try {
      const answer = await send();
      rate.wentThrough();
      return answer;
    } catch (error) {
      const coded = awsError(error, `SageMaker, ${doing}`, signal);
      if (coded instanceof CohortflowError && coded.code === 'AwsThrottled') rate.throttled();
      throw coded;
    }
  }

  /** A job by its name; undefined when the service knows none. */
  private async describe(
    name: string,
    signal: AbortSignal,
    turn: Turn = {},
  ): Promise<DescribeProcessingJobCommandOutput | undefined> {
    const { DescribeProcessingJobCommand } = await this.sdk();
    const client = await this.client();
    const look = async (): Promise<DescribeProcessingJobCommandOutput | undefined> => {
      try {
        return await client.send(new DescribeProcessingJobCommand({ ProcessingJobName: name }), abortable(signal));
      } catch (error) {
        if (isUnknown(error)) return undefined;
        throw error;
      }
    };
    return this.call(this.#rate, look, 'looking at a processing job', signal, turn);
  }

  /** Says stop; true when the service knew the job. */
  private async callStop(name: string, signal: AbortSignal): Promise<boolean> {
    const { StopProcessingJobCommand } = await this.sdk();
    const client = await this.client();
    const stop = async (): Promise<boolean> => {
      try {
        await client.send(new StopProcessingJobCommand({ ProcessingJobName: name }), abortable(signal));
        return true;
      } catch (error) {
        // It may have ended in between, or not be seen yet: the next look tells.
        if (isUnknown(error)) return false;
        if (error instanceof Error && error.name === 'ValidationException') return true;
        throw error;
      }
    };
    return this.call(this.#rate, stop, 'stopping a processing job', signal, URGENT);
  }

  private async page(
    StatusEquals: 'InProgress' | 'Stopping',
    next: string | undefined,
    signal: AbortSignal,
  ): Promise<ListProcessingJobsCommandOutput> {
    const { ListProcessingJobsCommand } = await this.sdk();
    const client = await this.client();
    const NextToken = next === undefined ? {} : { NextToken: next };
    const command = new ListProcessingJobsCommand({
      ...{ NameContains: OUR_NAMES, StatusEquals, MaxResults: 100 },
      ...NextToken,
    });
    return this.call(this.#rate, () => client.send(command, abortable(signal)), 'listing processing jobs', signal);
  }

  private async tagsOf(arn: string, signal: AbortSignal, turn: Turn = {}): Promise<Tags> {
    const { ListTagsCommand } = await this.sdk();
    const client = await this.client();
    const ask = (): Promise<ListTagsCommandOutput> =>
      client.send(new ListTagsCommand({ ResourceArn: arn }), abortable(signal));
    const { Tags: found = [] } = await this.call(this.#rate, ask, 'reading the tags of a processing job', signal, turn);
    return Object.fromEntries(found.map(({ Key = '', Value = '' }) => [Key, Value]));
  }

  /** The tags of the job of a name; undefined when the service knows none. */
  private async tagsByName(name: string, signal: AbortSignal, turn: Turn = {}): Promise<Tags | undefined> {
    const job = await this.describe(name, signal, turn);
    return job?.ProcessingJobArn === undefined ? undefined : this.tagsOf(job.ProcessingJobArn, signal, turn);
  }

  /** A job of ours in the namespace of this installation; undefined for any other. */
  private async aliveOf(summary: Summary, signal: AbortSignal): Promise<RemoteAlive | undefined> {
    const { ProcessingJobName: id = '', ProcessingJobArn: arn, CreationTime } = summary;
    const tags = arn === undefined ? {} : await this.tagsOf(arn, signal);
    const work = tags[WORK_TAG];
    if (work === undefined || tags[NAMESPACE_TAG] !== namespaceTag(this.namespace)) return undefined;
    const workflowId = workflowOf(tags);
    const runId = tags[RUN_TAG];
    return {
      executor: 'sagemaker',
      id,
      name: work,
      ...(workflowId === undefined ? {} : { workflowId }),
      ...(runId === undefined ? {} : { runId }),
      ...(CreationTime === undefined ? {} : { since: CreationTime.toISOString() }),
    };
  }
}

interface Summary {
  readonly ProcessingJobName?: string | undefined;
  readonly ProcessingJobArn?: string | undefined;
  readonly CreationTime?: Date | undefined;
}
