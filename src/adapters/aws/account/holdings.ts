import type { AwsSettings } from '../../../config/aws-settings.js';
import { isStoreGroup, isStoreGroupOf, storeGroupBeginning } from '../../../domain/feature-table/store-form.js';
import type { AwsHoldings, HeldGroup, HeldImage, HeldKey, HeldRepository } from '../../../ports/aws-holdings.js';
import { clientOptions } from '../client-options.js';
import { ecrImage } from './account-reader.js';
import { isNamed, reading } from './reading.js';

/** Tags and names that only the product and what deploys it give. */
const isOurs = (text: string | undefined): boolean => text?.toLowerCase().startsWith('cohortflow') === true;

/**
 * The folder that only this group has: above `data`, named after the group and when it was made. Undefined where the place of
 * the records is any other, since others may have records there.
 */
export function groupFolder(name: string, resolved: string | undefined): string | undefined {
  const folder = resolved?.replace(/\/data\/?$/, '');
  const last = folder?.slice(folder.lastIndexOf('/') + 1) ?? '';
  return last.startsWith(`${name}-`) && /^\d+$/.test(last.slice(name.length + 1)) ? folder : undefined;
}

/** {@link AwsHoldings} through the SDK. */
export class AwsHoldingsReader implements AwsHoldings {
  readonly #region: string | undefined;

  constructor({ region }: Pick<AwsSettings, 'region'>) {
    this.#region = region;
  }

  async repository(image: string, signal: AbortSignal): Promise<HeldRepository | undefined> {
    const place = ecrImage(image);
    if (place === undefined) return undefined;
    const options = { abortSignal: signal };
    const sdk = await import('@aws-sdk/client-ecr');
    const client = new sdk.ECRClient(clientOptions(place.region));
    const where = { registryId: place.registry, repositoryNames: [place.repository] };
    const arn = await reading('ecr:DescribeRepositories', signal, async () => {
      try {
        const { repositories = [] } = await client.send(new sdk.DescribeRepositoriesCommand(where), options);
        return repositories[0]?.repositoryArn;
      } catch (error) {
        if (isNamed(error, /^RepositoryNotFound/)) return undefined;
        throw error;
      }
    });
    if (arn === undefined) return undefined;
    const { tags = [] } = await reading('ecr:ListTagsForResource', signal, () =>
      client.send(new sdk.ListTagsForResourceCommand({ resourceArn: arn }), options),
    );
    const images: HeldImage[] = [];
    await reading('ecr:DescribeImages', signal, async () => {
      let token: string | undefined;
      do {
        const page = await client.send(
          new sdk.DescribeImagesCommand({
            registryId: place.registry,
            repositoryName: place.repository,
            ...(token === undefined ? {} : { nextToken: token }),
          }),
          options,
        );
        for (const {
          imageDigest: digest = '',
          imageTags: names = [],
          imageSizeInBytes: bytes = 0,
        } of page.imageDetails ?? []) {
          images.push({ digest, tags: names, bytes });
        }
        token = page.nextToken;
      } while (token !== undefined);
    });
    const ours = isOurs(place.repository.split('/').at(-1)) || tags.some(({ Key }) => isOurs(Key));
    return { name: place.repository, ours, images };
  }

  async removeImages(image: string, digests: readonly string[], signal: AbortSignal): Promise<void> {
    const place = ecrImage(image);
    if (place === undefined) return;
    const sdk = await import('@aws-sdk/client-ecr');
    const client = new sdk.ECRClient(clientOptions(place.region));
    await reading('ecr:BatchDeleteImage', signal, async () => {
      // The service takes a hundred at a time.
      for (let at = 0; at < digests.length; at += 100) {
        const imageIds = digests.slice(at, at + 100).map((imageDigest) => ({ imageDigest }));
        const request = { registryId: place.registry, repositoryName: place.repository, imageIds };
        const { failures = [] } = await client.send(new sdk.BatchDeleteImageCommand(request), { abortSignal: signal });
        const [failure] = failures.filter(({ failureCode }) => failureCode !== 'ImageNotFound');
        if (failure !== undefined) throw new Error(`${failure.failureCode ?? ''}: ${failure.failureReason ?? ''}`);
      }
    });
  }

  async key(id: string, signal: AbortSignal): Promise<HeldKey | undefined> {
    const options = { abortSignal: signal };
    const sdk = await import('@aws-sdk/client-kms');
    const client = new sdk.KMSClient(clientOptions(this.#region));
    const metadata = await reading('kms:DescribeKey', signal, async () => {
      try {
        return (await client.send(new sdk.DescribeKeyCommand({ KeyId: id }), options)).KeyMetadata;
      } catch (error) {
        if (isNamed(error, /^NotFound/)) return undefined;
        throw error;
      }
    });
    const key = metadata?.KeyId;
    if (key === undefined) return undefined;
    const { Tags = [] } = await reading('kms:ListResourceTags', signal, () =>
      client.send(new sdk.ListResourceTagsCommand({ KeyId: key }), options),
    );
    const { Aliases = [] } = await reading('kms:ListAliases', signal, () =>
      client.send(new sdk.ListAliasesCommand({ KeyId: key }), options),
    );
    const ours =
      metadata?.KeyManager !== 'AWS' &&
      (Tags.some(({ TagKey }) => isOurs(TagKey)) ||
        Aliases.some(({ AliasName }) => isOurs(AliasName?.replace(/^alias\//, ''))));
    const deleted = metadata?.DeletionDate;
    return { id: key, ours, ...(deleted === undefined ? {} : { deletedAt: deleted.toISOString() }) };
  }

  async scheduleKeyDeletion(id: string, days: number, signal: AbortSignal): Promise<string> {
    const sdk = await import('@aws-sdk/client-kms');
    const client = new sdk.KMSClient(clientOptions(this.#region));
    return reading('kms:ScheduleKeyDeletion', signal, async () => {
      const request = { KeyId: id, PendingWindowInDays: days };
      const { DeletionDate } = await client.send(new sdk.ScheduleKeyDeletionCommand(request), { abortSignal: signal });
      return DeletionDate?.toISOString() ?? '';
    });
  }

  async groupNames(prefix: string, signal: AbortSignal): Promise<readonly string[]> {
    const sdk = await import('@aws-sdk/client-sagemaker');
    const client = new sdk.SageMakerClient(clientOptions(this.#region));
    const names: string[] = [];
    const beginning = storeGroupBeginning(prefix);
    await reading('sagemaker:ListFeatureGroups', signal, async () => {
      let token: string | undefined;
      do {
        const request = {
          NameContains: beginning,
          MaxResults: 100,
          ...(token === undefined ? {} : { NextToken: token }),
        };
        const page = await client.send(new sdk.ListFeatureGroupsCommand(request), { abortSignal: signal });
        for (const { FeatureGroupName: name } of page.FeatureGroupSummaries ?? []) {
          // The service looks for the text anywhere in the name, upper and lower case taken as equal.
          if (name !== undefined && isStoreGroupOf(prefix, name)) names.push(name);
        }
        token = page.NextToken;
      } while (token !== undefined);
    });
    return names.sort();
  }

  async group(name: string, prefix: string | undefined, signal: AbortSignal): Promise<HeldGroup | undefined> {
    const options = { abortSignal: signal };
    const sdk = await import('@aws-sdk/client-sagemaker');
    const client = new sdk.SageMakerClient(clientOptions(this.#region));
    const found = await reading('sagemaker:DescribeFeatureGroup', signal, async () => {
      try {
        return await client.send(new sdk.DescribeFeatureGroupCommand({ FeatureGroupName: name }), options);
      } catch (error) {
        // The service tells a missing group by a name of its own, or by the message of a general fault.
        const said = isNamed(error, /^Validation/) && /not found|does not exist|find/i.test((error as Error).message);
        if (said || isNamed(error, /^ResourceNotFound/)) return undefined;
        throw error;
      }
    });
    if (found === undefined) return undefined;
    const { OfflineStoreConfig: offline } = found;
    const records = groupFolder(name, offline?.S3StorageConfig?.ResolvedOutputS3Uri);
    const { Database, TableName } = offline?.DataCatalogConfig ?? {};
    return {
      name,
      ours: prefix === undefined ? isStoreGroup(name) : isStoreGroupOf(prefix, name),
      ...(records === undefined ? {} : { records }),
      ...(Database === undefined || TableName === undefined ? {} : { table: `${Database}.${TableName}` }),
    };
  }

  async removeGroup(name: string, signal: AbortSignal): Promise<void> {
    const sdk = await import('@aws-sdk/client-sagemaker');
    const client = new sdk.SageMakerClient(clientOptions(this.#region));
    await reading('sagemaker:DeleteFeatureGroup', signal, async () => {
      try {
        await client.send(new sdk.DeleteFeatureGroupCommand({ FeatureGroupName: name }), { abortSignal: signal });
      } catch (error) {
        if (!isNamed(error, /^ResourceNotFound/)) throw error;
      }
    });
  }
}
