import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { AwsSettings } from '../../config/aws-settings.js';
import { clientOptions } from './client-options.js';
import { s3Retries } from './s3-retries.js';

/** The commands of the SDK, loaded at first use: local work does not pay for them. */
export type S3Commands = typeof import('@aws-sdk/client-s3');

/**
 * Calls of S3 are small, many and safe to repeat: each is repeated by itself, later each time. What goes on longer is the
 * workflow engine's.
 */
const ATTEMPTS = 5;

/** A public bucket is read without a signature: the SDK then needs credentials that nobody looks at. */
const ANONYMOUS: S3ClientConfig = {
  credentials: { accessKeyId: 'anonymous', secretAccessKey: 'anonymous' },
  signer: { sign: (request) => Promise.resolve(request) },
};

/** Server-side encryption and tags of what is written. */
export interface WriteOptions {
  readonly ServerSideEncryption?: 'aws:kms';
  readonly SSEKMSKeyId?: string;
  readonly Tagging?: string;
}

/** Clients by bucket, and what the settings say of reading and writing there. */
export class S3Access {
  readonly #clients = new Map<'own' | 'anonymous', Promise<S3Client>>();

  constructor(private readonly settings: AwsSettings) {}

  commands(): Promise<S3Commands> {
    return import('@aws-sdk/client-s3');
  }

  /** The client for a bucket: one that signs, or one that does not. */
  client(bucket: string): Promise<S3Client> {
    const kind = this.settings.s3?.anonymous?.includes(bucket) === true ? 'anonymous' : 'own';
    let client = this.#clients.get(kind);
    if (client === undefined) {
      client = this.make(kind === 'anonymous' ? ANONYMOUS : {});
      this.#clients.set(kind, client);
    }
    return client;
  }

  /** What a reader of the bucket has to say. */
  payer(bucket: string): { readonly RequestPayer?: 'requester' } {
    return this.settings.s3?.requesterPays?.includes(bucket) === true ? { RequestPayer: 'requester' } : {};
  }

  writing(): WriteOptions {
    const { kmsKey, s3 } = this.settings;
    const tags = new URLSearchParams(s3?.objectTags ?? {}).toString();
    return {
      ...(kmsKey === undefined ? {} : { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKey }),
      ...(tags === '' ? {} : { Tagging: tags }),
    };
  }

  private async make(more: S3ClientConfig): Promise<S3Client> {
    const { S3Client } = await this.commands();
    const own = process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'];
    return new S3Client({
      ...clientOptions(this.settings.region, ATTEMPTS),
      retryStrategy: s3Retries(ATTEMPTS),
      // A bucket of another Region says where it is.
      followRegionRedirects: true,
      // Servers other than Amazon's have no host name for each bucket.
      ...(own === undefined ? {} : { forcePathStyle: true }),
      ...more,
    });
  }
}
