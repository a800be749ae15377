import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { CohortflowError } from '../../domain/errors.js';
import { abortable } from './client-options.js';
import type { ByteSource } from '../../ports/files.js';
import type { S3Access } from './s3-client.js';
import { isUnexplained, s3Error } from './s3-errors.js';
import { locationOf } from './s3-location.js';

/** What S3 says of an object without handing it out. */
export interface ObjectHead {
  readonly size: number;
  readonly etag: string;
  /** Hex SHA-256 of the whole object, where it was stored with one. */
  readonly sha256?: string;
  /** It lies in an archive, and nobody has had it restored. */
  readonly archived: boolean;
  /** What its writer said of it, names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Classes of storage that hand nothing out before it is restored. */
export const ARCHIVES = /^(GLACIER|DEEP_ARCHIVE)$/;

/** True for what cannot be read now: restored copies can, and then the object says until when. */
function isArchived({
  StorageClass,
  ArchiveStatus,
  Restore = '',
}: Pick<HeadObjectCommandOutput, 'StorageClass' | 'ArchiveStatus' | 'Restore'>): boolean {
  if (!ARCHIVES.test(StorageClass ?? '') && ArchiveStatus === undefined) return false;
  return !Restore.includes('ongoing-request="false"');
}

/** Asks for an object; undefined when there is none. */
export async function headOf(access: S3Access, uri: string, signal?: AbortSignal): Promise<ObjectHead | undefined> {
  const { bucket, key } = locationOf(uri);
  if (key === '') return undefined;
  try {
    const { HeadObjectCommand } = await access.commands();
    const command = new HeadObjectCommand({
      Bucket: bucket,
      Key: key,
      ChecksumMode: 'ENABLED',
      ...access.payer(bucket),
    });
    const found = await (await access.client(bucket)).send(command, abortable(signal));
    const whole = found.ChecksumType !== 'COMPOSITE' ? found.ChecksumSHA256 : undefined;
    return {
      size: found.ContentLength ?? 0,
      etag: found.ETag ?? '',
      archived: isArchived(found),
      metadata: found.Metadata ?? {},
      ...(whole === undefined ? {} : { sha256: Buffer.from(whole, 'base64').toString('hex') }),
    };
  } catch (error) {
    const said = isUnexplained(error) ? ((await refusalOf(access, uri, signal)) ?? error) : error;
    const coded = s3Error(said, uri, 'looking at', signal);
    if (coded instanceof CohortflowError && coded.code === 'FileNotFound') return undefined;
    throw coded;
  }
}

/** Why S3 refuses an object: the answer to the same question by a call whose answers have bodies. */
async function refusalOf(access: S3Access, uri: string, signal?: AbortSignal): Promise<unknown> {
  const { bucket, key } = locationOf(uri);
  try {
    const { GetObjectCommand } = await access.commands();
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range: 'bytes=0-0', ...access.payer(bucket) });
    const { Body } = await (await access.client(bucket)).send(command, abortable(signal));
    await Body?.transformToByteArray();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** How often a body that breaks off is taken up again. */
const MOST_RESUMES = 5;

/**
 * The bytes of an object. A body that breaks off is taken up where it ended, of the same version of the object; one that is
 * read in one go is compared with its checksum.
 *
 * @throws CohortflowError `FileNotFound`, `ChecksumMismatch`, `IoError` when the object is replaced meanwhile, …
 */
export async function* bytesOf(access: S3Access, uri: string, signal?: AbortSignal): AsyncIterable<Uint8Array> {
  const { bucket, key } = locationOf(uri);
  const { GetObjectCommand } = await access.commands();
  const client = await access.client(bucket);
  let etag: string | undefined;
  let size = Infinity;
  let at = 0;
  for (let resumes = 0; at < size; resumes += 1) {
    try {
      const command = new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ChecksumMode: 'ENABLED',
        ...(at === 0 ? {} : { Range: `bytes=${at}-` }),
        ...(etag === undefined ? {} : { IfMatch: etag }),
        ...access.payer(bucket),
      });
      const { Body, ETag, ContentLength } = await client.send(command, abortable(signal));
      if (at === 0) {
        etag = ETag;
        size = ContentLength ?? 0;
      }
      if (Body === undefined) throw new Error('no content came back');
      for await (const chunk of Body as AsyncIterable<Uint8Array>) {
        at += chunk.length;
        yield chunk;
      }
      if (at < size) throw new Error(`${at} of ${size} bytes came`);
    } catch (error) {
      const coded = s3Error(error, uri, 'reading', signal);
      const broken = coded instanceof CohortflowError && coded.code === 'AwsUnavailable';
      if (!broken || resumes >= MOST_RESUMES) throw coded;
    }
  }
}

/** Bytes fetched at once by a reader of ranges: a header is read in many small pieces. */
const READ_AHEAD = 1 << 18;

/** {@link ByteSource} of an object: every range is of the version that was opened. */
export class S3Source implements ByteSource {
  #block: Uint8Array = new Uint8Array(0);
  #from = 0;

  constructor(
    private readonly access: S3Access,
    private readonly uri: string,
    readonly size: number,
    private readonly etag: string,
  ) {}

  async read(offset: number, length: number): Promise<Uint8Array> {
    const wanted = Math.max(0, Math.min(length, this.size - offset));
    if (wanted === 0) return new Uint8Array(0);
    const within = offset >= this.#from && offset + wanted <= this.#from + this.#block.length;
    if (!within) {
      const block = await this.range(offset, Math.min(Math.max(wanted, READ_AHEAD), this.size - offset));
      this.#block = block;
      this.#from = offset;
    }
    return this.#block.slice(offset - this.#from, offset - this.#from + wanted);
  }

  close(): Promise<void> {
    this.#block = new Uint8Array(0);
    return Promise.resolve();
  }

  private async range(offset: number, length: number): Promise<Uint8Array> {
    const { bucket, key } = locationOf(this.uri);
    for (let tries = 1; ; tries += 1) {
      try {
        const { GetObjectCommand } = await this.access.commands();
        const command = new GetObjectCommand({
          Bucket: bucket,
          Key: key,
          Range: `bytes=${offset}-${offset + length - 1}`,
          IfMatch: this.etag,
          ...this.access.payer(bucket),
        });
        const { Body } = await (await this.access.client(bucket)).send(command);
        const bytes = await Body?.transformToByteArray();
        if (bytes?.length !== length) throw new Error(`${bytes?.length ?? 0} of ${length} bytes came`);
        return bytes;
      } catch (error) {
        const coded = s3Error(error, this.uri, 'reading');
        const broken = coded instanceof CohortflowError && coded.code === 'AwsUnavailable';
        if (!broken || tries > MOST_RESUMES) throw coded;
      }
    }
  }
}
