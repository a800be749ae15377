import { CohortflowError } from '../../domain/errors.js';

/** A place in S3. */
export interface S3Location {
  readonly bucket: string;
  /** Without slashes at its ends; empty for the bucket itself. */
  readonly key: string;
}

const S3_URI = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s;

/** True for `s3://…`. */
export function isS3(path: string): boolean {
  return path.startsWith('s3://');
}

/**
 * The bucket and key of a URI. A slash at its end says nothing: whether a place is an object or a prefix is asked of S3.
 *
 * @throws CohortflowError `InvalidInput`
 */
export function locationOf(uri: string): S3Location {
  const [, bucket, key = ''] = S3_URI.exec(uri) ?? [];
  if (bucket === undefined) {
    throw new CohortflowError('InvalidInput', `${uri}: not a place in S3 (s3://bucket/folder)`);
  }
  return { bucket, key: key.replace(/^\/+|\/+$/g, '') };
}

export function uriOf({ bucket, key }: S3Location): string {
  return key === '' ? `s3://${bucket}` : `s3://${bucket}/${key}`;
}

/** What all keys below a place begin with: closed, so that `R01-00` does not mean `R01-001` too. */
export function prefixOf({ key }: S3Location): string {
  return key === '' ? '' : `${key}/`;
}
