import { CohortflowError } from '../../domain/errors.js';
import { awsError } from './aws-errors.js';

interface Answer {
  readonly name?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** True when nothing is at a place, or no such bucket. */
export function isMissing(error: unknown): boolean {
  const { name, $metadata } = (error ?? {}) as Answer;
  return name === 'NoSuchKey' || name === 'NoSuchBucket' || name === 'NotFound' || $metadata?.httpStatusCode === 404;
}

/** True when a conditional write found its name taken. */
export function isTaken(error: unknown): boolean {
  const { name, $metadata } = (error ?? {}) as Answer;
  return name === 'PreconditionFailed' || $metadata?.httpStatusCode === 412;
}

/** True when a conditional write met another one that had not ended: which of them wins is open yet. */
export function isContended(error: unknown): boolean {
  const { name, $metadata } = (error ?? {}) as Answer;
  return name === 'ConditionalRequestConflict' || $metadata?.httpStatusCode === 409;
}

/** True when a read found another object than the one it began with. */
function isChanged(error: unknown): boolean {
  return isTaken(error);
}

/**
 * An error of S3 as the product's own.
 *
 * @param doing as `reading`
 */
export function s3Error(error: unknown, uri: string, doing: string, signal?: AbortSignal): unknown {
  if (error instanceof CohortflowError) return error;
  if (signal?.aborted === true) return signal.reason;
  if (isMissing(error)) return new CohortflowError('FileNotFound', `${doing} ${uri}: nothing is there`, {}, error);
  if (isChanged(error)) {
    return new CohortflowError('IoError', `${doing} ${uri}: the object was replaced meanwhile`, {}, error);
  }
  if (error instanceof Error && /^Checksum mismatch/i.test(error.message)) {
    const message = `${doing} ${uri}: what came is not what was stored: its checksum is wrong`;
    return new CohortflowError('ChecksumMismatch', message, {}, error);
  }
  return awsError(error, `S3, ${doing} ${uri}`, signal);
}
