import type { S3Client } from '@aws-sdk/client-s3';
import type { AwsSettings } from '../../config/aws-settings.js';
import { awsError } from './aws-errors.js';
import { abortable, clientOptions } from './client-options.js';

/** Bucket and key of `s3://bucket/key`. */
function placeOf(uri: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri) ?? [];
  return { bucket, key };
}

/** Sizes of objects and of everything below a prefix, without reading any of it. */
export class S3Sizes {
  readonly #clients = new Map<'own' | 'anonymous', Promise<S3Client>>();

  constructor(private readonly settings: Pick<AwsSettings, 'region' | 's3'>) {}

  /** Loaded at first use. Public buckets are asked without a signature: whoever plans may have no account. */
  private client(kind: 'own' | 'anonymous', region?: string): Promise<S3Client> {
    const made =
      this.#clients.get(kind) ??
      import('@aws-sdk/client-s3').then(({ S3Client: Client }) => {
        const options = { ...clientOptions(region ?? this.settings.region), followRegionRedirects: true };
        if (kind === 'own') return new Client(options);
        return new Client({
          ...options,
          credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
          signer: { sign: async (request) => request },
        });
      });
    this.#clients.set(kind, made);
    return made;
  }

  /**
   * @param uri an object, or a folder (everything below it)
   * @returns bytes, undefined when nothing is there
   * @throws CohortflowError the AWS failure
   */
  async bytes(uri: string, signal: AbortSignal, isPublic = false, region?: string): Promise<number | undefined> {
    const { bucket, key } = placeOf(uri);
    const { anonymous = [], requesterPays = [] } = this.settings.s3 ?? {};
    try {
      const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
      const client = await this.client(isPublic || anonymous.includes(bucket) ? 'anonymous' : 'own', region);
      let [bytes, found, token] = [0, false, undefined as string | undefined];
      do {
        const page = await client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: key,
            ...(requesterPays.includes(bucket) ? { RequestPayer: 'requester' } : {}),
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
          abortable(signal),
        );
        for (const object of page.Contents ?? []) {
          // A prefix is a beginning of names: R01-00 is the beginning of R01-001, and no folder.
          const below = object.Key === key || key === '' || object.Key?.startsWith(key.endsWith('/') ? key : `${key}/`);
          if (below !== true) continue;
          found = true;
          bytes += object.Size ?? 0;
        }
        token = page.NextContinuationToken;
      } while (token !== undefined);
      return found ? bytes : undefined;
    } catch (error) {
      throw awsError(error, `S3, listing ${uri}`, signal);
    }
  }
}
