import type {
  CreateProcessingJobCommandInput,
  DescribeProcessingJobCommandOutput,
  ListProcessingJobsCommandOutput,
  ListTagsCommandOutput,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { CohortflowError, messageOf } from '../../../domain/errors.js';
import { awsError } from '../aws-errors.js';
import { abortable, clientOptions } from '../client-options.js';
import { Rate } from '../rate.js';

type Sdk = typeof import('@aws-sdk/client-sagemaker');
type Turn = Parameters<Rate['turn']>[1];

/** Names of our jobs begin with it; the sweep finds them by it. */
const OUR_NAMES = 'cohortflow-';

export type Tags = Readonly<Record<string, string>>;

/** Calls on the way to a stop go before those that only look. */
export const URGENT = { urgent: true } as const;

/** How the service says that it knows no job of a name: in practice as a fault of the request. */
function isUnknown(error: unknown): boolean {
  const name = error instanceof Error ? error.name : '';
  if (name === 'ResourceNotFound') return true;
  return name === 'ValidationException' && /could not find|not found|does not exist/i.test(messageOf(error));
}

/** The calls of SageMaker that processing jobs need, each in its turn below the account's rate, each failure with its code. */
export class JobCalls {
  readonly #rate: Rate;
  /** Jobs are begun at a rate of their own: looks do not hold them up, and a cohort's start does not hold up looks. */
  readonly #begins: Rate;
  #client: Promise<SageMakerClient> | undefined;

  /** @param perSecond looks, and as many begins, a second */
  constructor(
    private readonly region: string | undefined,
    perSecond: number,
  ) {
    this.#rate = new Rate(perSecond);
    this.#begins = new Rate(perSecond);
  }

  /** @param onSend told when the request goes out: before, nothing can have begun */
  async create(spec: CreateProcessingJobCommandInput, signal: AbortSignal, onSend: () => void): Promise<void> {
    const { CreateProcessingJobCommand } = await this.sdk();
    const client = await this.client();
    const begin = (): Promise<unknown> => {
      onSend();
      return client.send(new CreateProcessingJobCommand(spec), abortable(signal));
    };
    await this.call(this.#begins, begin, 'starting a processing job', signal);
  }

  /** A job by its name; undefined when the service knows none. */
  async describe(
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
  async stop(name: string, signal: AbortSignal): Promise<boolean> {
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

  /** A page of our jobs in one state. */
  async page(
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

  /** The tags of a job. */
  async tagsOf(arn: string, signal: AbortSignal, turn: Turn = {}): Promise<Tags> {
    const { ListTagsCommand } = await this.sdk();
    const client = await this.client();
    const ask = (): Promise<ListTagsCommandOutput> =>
      client.send(new ListTagsCommand({ ResourceArn: arn }), abortable(signal));
    const { Tags: found = [] } = await this.call(this.#rate, ask, 'reading the tags of a processing job', signal, turn);
    return Object.fromEntries(found.map(({ Key = '', Value = '' }) => [Key, Value]));
  }

  /** The tags of the job of a name; undefined when the service knows none. */
  async tagsByName(name: string, signal: AbortSignal, turn: Turn = {}): Promise<Tags | undefined> {
    const job = await this.describe(name, signal, turn);
    return job?.ProcessingJobArn === undefined ? undefined : this.tagsOf(job.ProcessingJobArn, signal, turn);
  }

  private sdk(): Promise<Sdk> {
    return import('@aws-sdk/client-sagemaker');
  }

  private client(): Promise<SageMakerClient> {
    return (this.#client ??= this.sdk().then(({ SageMakerClient }) => new SageMakerClient(clientOptions(this.region))));
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
}
