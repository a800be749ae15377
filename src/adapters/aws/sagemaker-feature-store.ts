import type {
  BatchWriteRecordEntry,
  SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { AwsSettings } from '../../config/aws-settings.js';
import { CohortflowError } from '../../domain/errors.js';
import { mapBounded } from '../../domain/map-bounded.js';
import type {
  FeatureGroupSpec,
  FeatureStore,
  RejectedRecord,
  StoreRecord,
  StoredGroup,
} from '../../ports/feature-store.js';
import { awsCode, awsError } from './aws-errors.js';
import { clientOptions } from './client-options.js';
import { backoff, realPause, repeated, type Pause } from './feature-store-pauses.js';
import { SageMakerFeatureGroups } from './sagemaker-feature-groups.js';

type Commands = typeof import('@aws-sdk/client-sagemaker-featurestore-runtime');
type Target = Pick<FeatureGroupSpec, 'name' | 'recordIdentifier'>;

/** Most records of one call. */
const BATCH = 25;
/** Calls at once where records go one by one. */
const SINGLES = 8;
/** Tries of what the service may take later: about a minute in all. */
const TRIES = 9;
const FIRST_MS = 200;
const MOST_MS = 15_000;

/** Codes of single records that may be taken later. */
const LATER = /throttl|limit|unavailable|internal|timeout|conflict|serviceerror/i;
/** What the service says of a group that it has just made and does not know everywhere yet. */
const NOT_YET = /can.?t find a feature ?group|feature ?group.*(not|n't) (be )?(found|exist)/i;

const textOf = (error: unknown): { readonly name: string; readonly message: string; readonly status: number } => {
  const {
    name = '',
    message = '',
    $metadata,
  } = (error ?? {}) as {
    readonly name?: string;
    readonly message?: string;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  return { name, message, status: $metadata?.httpStatusCode ?? 0 };
};

/** True when a try of the same call may go better. */
function mayPass(error: unknown): boolean {
  const { name, message } = textOf(error);
  if (NOT_YET.test(message) || name === 'ResourceNotFound') return true;
  return awsCode(error) === 'AwsThrottled' || awsCode(error) === 'AwsUnavailable';
}

/** A service (or a stand-in for it) without the call for many records. */
function isUnknownCall(error: unknown): boolean {
  const { name, status } = textOf(error);
  if (/UnknownOperation|UnrecognizedOperation|NotImplemented|InvalidAction/.test(name)) return true;
  return (status === 404 || status === 405 || status === 501) && name !== 'ResourceNotFound';
}

/** Which features a message is about; the message itself may hold values. */
function rejection({ id, values }: StoreRecord, code: string, said: string): RejectedRecord {
  const words = new Set(said.split(/[^A-Za-z0-9_-]+/));
  const about = values.map(([name]) => name).filter((name) => words.has(name));
  return { id, code, message: about.length === 0 ? '' : `features: ${about.slice(0, 10).join(', ')}` };
}

/** {@link FeatureStore} of SageMaker. */
export class SageMakerFeatureStore implements FeatureStore {
  readonly batch = BATCH;
  readonly #groups: SageMakerFeatureGroups;
  #client: SageMakerFeatureStoreRuntimeClient | undefined;
  #oneByOne = false;

  /** @param pause tests do not wait */
  constructor(
    private readonly settings: AwsSettings,
    private readonly pause: Pause = realPause,
  ) {
    this.#groups = new SageMakerFeatureGroups(settings, pause);
  }

  ensure(spec: FeatureGroupSpec, signal: AbortSignal): Promise<StoredGroup> {
    return this.#groups.ensure(spec, signal);
  }

  made(group: string, signal: AbortSignal): Promise<string | undefined> {
    return this.#groups.made(group, signal);
  }

  async write(group: Target, records: readonly StoreRecord[], signal: AbortSignal): Promise<readonly RejectedRecord[]> {
    try {
      return this.#oneByOne ? await this.eachOf(group, records, signal) : await this.allOf(group, records, signal);
    } catch (error) {
      throw awsError(error, `Feature Store, writing to ${group.name}`, signal);
    }
  }

  async remove(group: string, id: string, eventTime: string, signal: AbortSignal): Promise<void> {
    const request = { FeatureGroupName: group, RecordIdentifierValueAsString: id, EventTime: eventTime };
    try {
      const { client, commands } = await this.sdk();
      await this.repeated(
        () => client.send(new commands.DeleteRecordCommand(request), { abortSignal: signal }),
        signal,
      );
    } catch (error) {
      throw awsError(error, `Feature Store, deleting from ${group}`, signal);
    }
  }

  private async sdk(): Promise<{ readonly client: SageMakerFeatureStoreRuntimeClient; readonly commands: Commands }> {
    const commands = await import('@aws-sdk/client-sagemaker-featurestore-runtime');
    this.#client ??= new commands.SageMakerFeatureStoreRuntimeClient(clientOptions(this.settings.region));
    return { client: this.#client, commands };
  }

  private repeated<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return repeated(call, mayPass, { first: FIRST_MS, most: MOST_MS, tries: TRIES, pause: this.pause }, signal);
  }

  /** Many records by one call; what it leaves over is sent again, later each time. */
  private async allOf(
    group: Target,
    records: readonly StoreRecord[],
    signal: AbortSignal,
  ): Promise<readonly RejectedRecord[]> {
    const { client, commands } = await this.sdk();
    const rejected: RejectedRecord[] = [];
    let pending = records;
    for (let attempt = 0; pending.length > 0; attempt += 1) {
      if (attempt >= TRIES) {
        throw new CohortflowError('AwsThrottled', `${pending.length} records were put off ${attempt} times`);
      }
      if (attempt > 0) await this.pause(backoff(attempt - 1, FIRST_MS, MOST_MS), signal);
      const byId = new Map(pending.map((record) => [record.id, record]));
      const Entries = pending.map(({ values }) => entryOf(group, values));
      try {
        const answer = await this.repeated(
          () => client.send(new commands.BatchWriteRecordCommand({ Entries }), { abortSignal: signal }),
          signal,
        );
        const put: StoreRecord[] = [];
        const take = (entry: BatchWriteRecordEntry | undefined): StoreRecord | undefined =>
          byId.get(
            entry?.Record?.find(({ FeatureName }) => FeatureName === group.recordIdentifier)?.ValueAsString ?? '',
          );
        for (const entry of answer.UnprocessedEntries ?? []) put.push(...known(take(entry)));
        for (const { Entry, ErrorCode = '', ErrorMessage = '' } of answer.Errors ?? []) {
          const [record] = known(take(Entry));
          if (LATER.test(ErrorCode) || NOT_YET.test(ErrorMessage)) put.push(record);
          else rejected.push(rejection(record, ErrorCode, ErrorMessage));
        }
        pending = [...new Set(put)];
      } catch (error) {
        signal.throwIfAborted();
        this.#oneByOne ||= isUnknownCall(error);
        // A fault of one record may refuse them all: sent alone, the others are taken.
        if (!this.#oneByOne && textOf(error).name !== 'ValidationError') throw error;
        return [...rejected, ...(await this.eachOf(group, pending, signal))];
      }
    }
    return rejected;
  }

  private async eachOf(
    group: Target,
    records: readonly StoreRecord[],
    signal: AbortSignal,
  ): Promise<readonly RejectedRecord[]> {
    const { client, commands } = await this.sdk();
    const outcomes = await mapBounded(records, SINGLES, async (record): Promise<readonly RejectedRecord[]> => {
      const request = entryOf(group, record.values);
      try {
        await this.repeated(() => client.send(new commands.PutRecordCommand(request), { abortSignal: signal }), signal);
        return [];
      } catch (error) {
        const { name, message } = textOf(error);
        if (name !== 'ValidationError' || NOT_YET.test(message)) throw error;
        return [rejection(record, name, message)];
      }
    });
    return outcomes.flat();
  }
}

function entryOf(
  group: Target,
  values: StoreRecord['values'],
): { FeatureGroupName: string; Record: BatchWriteRecordEntry['Record'] } {
  const Record = values.map(([FeatureName, ValueAsString]) => ({ FeatureName, ValueAsString }));
  return { FeatureGroupName: group.name, Record };
}

/** The record of ours that an answer is about. */
function known(record: StoreRecord | undefined): readonly [StoreRecord] {
  if (record === undefined)
    throw new CohortflowError('InternalError', 'Feature Store answered about a record that was not sent');
  return [record];
}
