import type { ProcessingJobSummary } from '@aws-sdk/client-sagemaker';
import type { AwsSettings } from '../../../config/aws-settings.js';
import { REQUEST_NAME, type ProcessingRequest } from '../../../contracts/processing.js';
import type { RemoteEnd, RemoteTicket } from '../../../contracts/remote-work.js';
import { NAMESPACE_TAG, namespaceTag, RUN_TAG, WORK_TAG, workflowOf } from '../../../contracts/work-tags.js';
import type { PaidMachine } from '../../../domain/costs/index.js';
import { CohortflowError } from '../../../domain/errors.js';
import type { Files } from '../../../ports/files.js';
import { WorkFailed, type RemoteAlive, type RemoteExecutor, type RemoteWork } from '../../../ports/remote-executor.js';
import { untilEnd } from '../until-end.js';
import { isAlias, keyArn } from './key-arn.js';
import { JobCalls, URGENT, type Tags } from './job-calls.js';
import { endOf, paidFor } from './job-end.js';
import { jobSpec, SPEC_TAG } from './job-spec.js';
import { stopJob, UNSEEN_MS } from './stop-job.js';

const POLL_SECONDS = 30;
const POLLS_PER_SECOND = 2;
/** So many of the names that the service refused are kept in mind. */
const MOST_REFUSED = 10_000;

function isNameTaken(error: unknown): boolean {
  return error instanceof Error && error.name === 'ResourceInUse';
}

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
  #volumeKey: Promise<string> | undefined;
  readonly #asked = new Map<string, Asked>();
  readonly #calls: JobCalls;

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
    this.#calls = new JobCalls(settings.region, settings.sagemaker?.pollsPerSecond ?? POLLS_PER_SECOND);
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
    const before = this.#asked.get(name);
    try {
      await this.#calls.create(spec, signal, () => this.note(name, 'perhaps begun'));
      return ticket;
    } catch (error) {
      const cause = error instanceof CohortflowError ? error.cause : undefined;
      const answerLost = error instanceof CohortflowError && error.code === 'AwsUnavailable';
      if (!isNameTaken(cause) && !answerLost) {
        if (before !== 'perhaps begun' && error instanceof CohortflowError) this.note(name, 'refused');
        throw error;
      }
      const found = await this.#calls.tagsByName(name, signal, URGENT);
      if (found === undefined && answerLost) throw error;
      checkAdopted(name, found, spec.Tags?.find(({ Key }) => Key === SPEC_TAG)?.Value);
      return ticket;
    }
  }

  async await(ticket: RemoteTicket, signal: AbortSignal, onProgress: (message: string) => void): Promise<RemoteEnd> {
    const { name } = ticket;
    let unseenSince: number | undefined;
    const look = async (): Promise<RemoteEnd | undefined> => {
      const job = await this.#calls.describe(name, signal);
      unseenSince = job === undefined ? (unseenSince ?? Date.now()) : undefined;
      if (unseenSince !== undefined && (Date.now() - unseenSince) * this.speed > UNSEEN_MS) {
        throw new WorkFailed('JobLost', `the service knows no processing job ${name}`, { job: name });
      }
      const end = job === undefined ? undefined : endOf(name, job);
      if (end === undefined) onProgress(`job ${job?.ProcessingJobStatus ?? 'not seen yet'}`);
      return end === undefined || job === undefined ? end : { ...end, paid: paidFor(job, this.settings.region) };
    };
    return untilEnd(look, this.pollMs(), signal, onProgress);
  }

  async stop(name: string, signal: AbortSignal): Promise<readonly PaidMachine[]> {
    const refused = this.#asked.get(name) === 'refused';
    const job = await stopJob(this.#calls, name, { refused, pollMs: this.pollMs(), speed: this.speed }, signal);
    return job === undefined ? [] : paidFor(job, this.settings.region);
  }

  async alive(signal: AbortSignal): Promise<readonly RemoteAlive[]> {
    const found: RemoteAlive[] = [];
    for (const status of ['InProgress', 'Stopping'] as const) {
      let next: string | undefined;
      do {
        const page = await this.#calls.page(status, next, signal);
        for (const summary of page.ProcessingJobSummaries ?? []) {
          const ours = await this.aliveOf(summary, signal);
          if (ours !== undefined) found.push(ours);
        }
        next = page.NextToken;
      } while (next !== undefined);
    }
    return found;
  }

  async end(found: RemoteAlive, signal: AbortSignal): Promise<void> {
    await this.stop(found.id, signal);
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

  private pollMs(): number {
    return (this.settings.sagemaker?.pollSeconds ?? POLL_SECONDS) * 1000;
  }

  /** A job of ours in the namespace of this installation; undefined for any other. */
  private async aliveOf(summary: ProcessingJobSummary, signal: AbortSignal): Promise<RemoteAlive | undefined> {
    const { ProcessingJobName: id = '', ProcessingJobArn: arn, CreationTime } = summary;
    const tags = arn === undefined ? {} : await this.#calls.tagsOf(arn, signal);
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
