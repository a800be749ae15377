import type { DescribeFeatureGroupResponse, FeatureDefinition, SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { AwsSettings } from '../../config/aws-settings.js';
import { CohortflowError } from '../../domain/errors.js';
import type { FeatureGroupSpec, StoredGroup } from '../../ports/feature-store.js';
import { awsCode, awsError } from './aws-errors.js';
import { clientOptions } from './client-options.js';
import { backoff, realPause, repeated, type Pause } from './feature-store-pauses.js';

type Commands = typeof import('@aws-sdk/client-sagemaker');

/** Looks at a group that is being made: some 10 minutes in all. */
const LOOKS = 60;
const FIRST_LOOK_MS = 1_000;
const LONGEST_LOOK_MS = 15_000;
const TRIES = 6;

const mayPass = (error: unknown): boolean => ['AwsThrottled', 'AwsUnavailable'].includes(awsCode(error));

const ARN = /arn:aws[\w-]*:[^\s"',)]+/g;
const masked = (text: string | undefined): string =>
  (text ?? 'no reason given').replaceAll(ARN, (arn) => arn.replace(/:\d{12}:/, ':…:'));

/** Columns of these names are partitions of a table of Glue's own format. */
const PARTITIONS = ['year', 'month', 'day', 'hour'];

const named = (error: unknown): string => (error as { readonly name?: string } | undefined)?.name ?? '';

/** A missing group is told by a name of its own, or by the message of a general fault. */
function isMissing(error: unknown): boolean {
  const { name = '', message = '' } = (error ?? {}) as { readonly name?: string; readonly message?: string };
  return /^ResourceNotFound/.test(name) || (/Validation/.test(name) && /not found|does not exist|find/i.test(message));
}

/** Makes and finds feature groups of SageMaker. */
export class SageMakerFeatureGroups {
  #client: SageMakerClient | undefined;
  /** The time of the last answer about a group, in ms. */
  #clock = 0;

  /** @param pause tests do not wait */
  constructor(
    private readonly settings: AwsSettings,
    private readonly pause: Pause = realPause,
  ) {}

  private async sdk(): Promise<{ readonly client: SageMakerClient; readonly commands: Commands }> {
    const commands = await import('@aws-sdk/client-sagemaker');
    this.#client ??= new commands.SageMakerClient(clientOptions(this.settings.region));
    return { client: this.#client, commands };
  }

  private repeated<T>(call: () => Promise<T>, signal: AbortSignal, again = mayPass): Promise<T> {
    const how = { first: FIRST_LOOK_MS, most: LONGEST_LOOK_MS, tries: TRIES, pause: this.pause };
    return repeated(call, again, how, signal);
  }

  /**
   * Of two that make the same group at once one is told that it exists already and takes that one.
   *
   * @throws CohortflowError `FeatureGroupFailed`, `FeatureGroupMismatch`, `AwsNotConfigured`, those of {@link awsError}
   */
  async ensure(spec: FeatureGroupSpec, signal: AbortSignal): Promise<StoredGroup> {
    try {
      if ((await this.unlessGoing(spec.name, signal)) === undefined) await this.create(spec, signal);
      return await this.ready(spec, signal);
    } catch (error) {
      throw awsError(error, `Feature Store, making the group ${spec.name}`, signal);
    }
  }

  async made(name: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const found = await this.describe(name, signal);
      const gone = found === undefined || /^Delet/.test(found.FeatureGroupStatus ?? '');
      return gone ? undefined : madeAt(found);
    } catch (error) {
      throw awsError(error, `Feature Store, looking for the group ${name}`, signal);
    }
  }

  private async create(spec: FeatureGroupSpec, signal: AbortSignal): Promise<void> {
    const { features = {}, kmsKey, tags = {} } = this.settings;
    const { offlineStore, roleArn, tableFormat, online } = features;
    if (offlineStore === undefined || roleArn === undefined) {
      const missing = offlineStore === undefined ? 'offlineStore (s3://bucket/folder)' : 'roleArn';
      throw new CohortflowError('AwsNotConfigured', `aws.features.${missing} is wanted to make the group ${spec.name}`);
    }
    const taken = spec.definitions.filter(({ name }) => PARTITIONS.includes(name.toLowerCase()));
    if (tableFormat !== 'Iceberg' && taken.length > 0) {
      const names = taken.map(({ name }) => name).join(', ');
      const message = `the table of ${spec.name} has partitions named as its columns ${names}: rename them, or set aws.features.tableFormat to Iceberg`;
      throw new CohortflowError('FeatureNameReserved', message);
    }
    const { client, commands } = await this.sdk();
    const key = kmsKey === undefined ? {} : { KmsKeyId: kmsKey };
    const request = {
      FeatureGroupName: spec.name,
      RecordIdentifierFeatureName: spec.recordIdentifier,
      EventTimeFeatureName: spec.eventTimeName,
      FeatureDefinitions: spec.definitions.map(({ name, type }) => ({ FeatureName: name, FeatureType: type })),
      OfflineStoreConfig: {
        S3StorageConfig: { S3Uri: offlineStore, ...key },
        ...(tableFormat === undefined ? {} : { TableFormat: tableFormat }),
      },
      ...(online === true ? { OnlineStoreConfig: { EnableOnlineStore: true, SecurityConfig: key } } : {}),
      RoleArn: roleArn,
      Tags: Object.entries({ ...tags, 'cohortflow:group': spec.name }).map(([Key, Value]) => ({ Key, Value })),
    };
    try {
      await this.repeated(
        () => client.send(new commands.CreateFeatureGroupCommand(request), { abortSignal: signal }),
        signal,
        // An account makes four at once.
        (error) => mayPass(error) || named(error) === 'ResourceLimitExceeded',
      );
    } catch (error) {
      // Someone else was faster, or an earlier answer was lost.
      if (named(error) !== 'ResourceInUse') throw error;
    }
  }

  /** Looks at a group; the answer's own time is that of the service. */
  private async look(
    request: { readonly FeatureGroupName: string; readonly NextToken?: string },
    signal: AbortSignal,
  ): Promise<DescribeFeatureGroupResponse> {
    const { client, commands } = await this.sdk();
    const command = new commands.DescribeFeatureGroupCommand(request);
    command.middlewareStack.add(
      (next) => async (args) => {
        const answer = await next(args);
        const { headers = {} } = answer.response as { readonly headers?: Readonly<Record<string, string>> };
        const date = Date.parse(headers['date'] ?? '');
        this.#clock = Number.isNaN(date) ? Date.now() : date;
        return answer;
      },
      { step: 'deserialize' },
    );
    return client.send(command, { abortSignal: signal });
  }

  private async describe(name: string, signal: AbortSignal): Promise<DescribeFeatureGroupResponse | undefined> {
    const definitions: FeatureDefinition[] = [];
    let token: string | undefined;
    for (;;) {
      const request = { FeatureGroupName: name, ...(token === undefined ? {} : { NextToken: token }) };
      let page: DescribeFeatureGroupResponse;
      try {
        page = await this.repeated(() => this.look(request, signal), signal);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
      definitions.push(...(page.FeatureDefinitions ?? []));
      token = page.NextToken === '' ? undefined : page.NextToken;
      if (token === undefined) return { ...page, FeatureDefinitions: definitions };
    }
  }

  /** A group once it is known to stay: the name of one that is being removed is free again when it is gone. */
  private async unlessGoing(name: string, signal: AbortSignal): Promise<DescribeFeatureGroupResponse | undefined> {
    for (let look = 0; look < LOOKS; look += 1) {
      const found = await this.describe(name, signal);
      if (found?.FeatureGroupStatus !== 'Deleting') return found;
      await this.pause(backoff(look, FIRST_LOOK_MS, LONGEST_LOOK_MS), signal);
    }
    throw new CohortflowError('AwsUnavailable', `the feature group ${name} is still being removed`);
  }

  /** Waits until the group takes records. Right after it was made it may not be found. */
  private async ready(spec: FeatureGroupSpec, signal: AbortSignal): Promise<StoredGroup> {
    for (let look = 0; look < LOOKS; look += 1) {
      const found = await this.describe(spec.name, signal);
      const status = found?.FeatureGroupStatus;
      if (found !== undefined && status === 'Created') {
        return { ...stored(spec, found, this.settings), at: new Date(this.#clock).toISOString() };
      }
      if (status !== undefined && status !== 'Creating') {
        throw new CohortflowError('FeatureGroupFailed', failureText(spec.name, status, masked(found?.FailureReason)));
      }
      await this.pause(backoff(look, FIRST_LOOK_MS, LONGEST_LOOK_MS), signal);
    }
    throw new CohortflowError('AwsUnavailable', `the feature group ${spec.name} is still being made`);
  }
}

/**
 * Why a group takes no records. One that could not be made keeps its name for ever, and nothing is in it: workers may not
 * remove groups, so that whoever mends the cause is told how.
 */
function failureText(name: string, status: string, reason: string): string {
  const found = `the feature group ${name} is ${status}: ${reason}`;
  if (status !== 'CreateFailed') return found;
  const command = `aws sagemaker delete-feature-group --feature-group-name ${name}`;
  return `${found}; mend that, remove the group, which has no records (${command}), and run again`;
}

/** A key is named by its ARN, its id or an alias; whether an alias is of a key cannot be seen. */
function isOtherKey(wanted: string, found: string | undefined): boolean {
  if (found === undefined) return true;
  const [mine, its] = [wanted, found].map((key) => key.replace(/^arn:.*:(key\/)?/, ''));
  return mine!.startsWith('alias/') === its!.startsWith('alias/') && mine !== its;
}

/** What the settings want of a group and it has otherwise: none of it can be changed of a group that is there. */
function otherSettings({ features = {}, kmsKey }: AwsSettings, found: DescribeFeatureGroupResponse): readonly string[] {
  const { offlineStore, tableFormat, online } = features;
  const { S3StorageConfig: place, TableFormat: format = 'Glue' } = found.OfflineStoreConfig ?? {};
  const isOnline = found.OnlineStoreConfig?.EnableOnlineStore === true;
  const bare = (uri: string | undefined): string => (uri ?? '').replace(/\/+$/, '');
  return [
    ...(online !== undefined && online !== isOnline
      ? [`aws.features.online (it is ${isOnline ? 'on' : 'off'}line)`]
      : []),
    ...(tableFormat !== undefined && tableFormat !== format ? [`aws.features.tableFormat (it has ${format})`] : []),
    ...(offlineStore !== undefined && bare(offlineStore) !== bare(place?.S3Uri) ? ['aws.features.offlineStore'] : []),
    ...(kmsKey !== undefined && isOtherKey(kmsKey, place?.KmsKeyId) ? ['aws.kmsKey'] : []),
  ];
}

const madeAt = ({ CreationTime }: DescribeFeatureGroupResponse): string => CreationTime?.toISOString() ?? '';

function stored(
  spec: FeatureGroupSpec,
  found: DescribeFeatureGroupResponse,
  settings: AwsSettings,
): Omit<StoredGroup, 'at'> {
  const { OfflineStoreStatus: offline, OfflineStoreConfig: config } = found;
  if (offline?.Status === 'Blocked' || offline?.Status === 'Disabled') {
    const message = `the offline store of ${spec.name} is ${offline.Status}: ${masked(offline.BlockedReason)}`;
    throw new CohortflowError('FeatureGroupFailed', message);
  }
  const types = new Map((found.FeatureDefinitions ?? []).map((one) => [one.FeatureName, one.FeatureType]));
  const others = spec.definitions.filter(({ name, type }) => types.get(name) !== type).map(({ name }) => name);
  const keys = [found.RecordIdentifierFeatureName, found.EventTimeFeatureName];
  if (others.length > 0 || keys[0] !== spec.recordIdentifier || keys[1] !== spec.eventTimeName) {
    const which = others.length > 0 ? others.slice(0, 10).join(', ') : 'its record identifier or event time';
    throw new CohortflowError('FeatureGroupMismatch', `the feature group ${spec.name} differs in ${which}`);
  }
  const settled = otherSettings(settings, found);
  if (settled.length > 0) {
    const message = `the feature group ${spec.name} was made with other settings, and keeps them: ${settled.join(', ')}; set them as they were, or choose another aws.features.prefix`;
    throw new CohortflowError('FeatureGroupMismatch', message);
  }
  const catalog = config?.DataCatalogConfig;
  if (catalog?.Database === undefined || catalog.TableName === undefined) {
    const message = `the feature group ${spec.name} has no table in the catalogue, by which it could be queried`;
    throw new CohortflowError('FeatureGroupFailed', message);
  }
  return { name: spec.name, made: madeAt(found), table: { database: catalog.Database, table: catalog.TableName } };
}
