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

const DAMAGED = /^(BadDigest|XAmzContentSHA256Mismatch|XAmzContentChecksumMismatch|IncompleteBody)$/;

/** True when S3 did not take what came, since it is not what was sent: a byte was changed or lost on the way. */
export function isDamaged(error: unknown): boolean {
  return DAMAGED.test(((error ?? {}) as Answer).name ?? '');
}

/** True when S3 refused without saying why: an answer that has no body has no code, expired credentials look like no right. */
export function isUnexplained(error: unknown): boolean {
  const { name, $metadata } = (error ?? {}) as Answer;
  const status = $metadata?.httpStatusCode;
  return (status === 400 || status === 403) && !/^(AccessDenied|ExpiredToken|InvalidAccessKeyId)/.test(name ?? '');
}

/** What is done with objects, and the actions that it needs. */
const ACTIONS = {
  'looking at': 's3:GetObject and s3:ListBucket',
  reading: 's3:GetObject',
  listing: 's3:ListBucket',
  writing: 's3:PutObject',
  copying: 's3:GetObject on it and s3:PutObject on its copy',
  removing: 's3:DeleteObject',
} as const;
/** What is encrypted with a key of one's own also needs the key. */
const KEY_ACTIONS: Readonly<Partial<Record<keyof typeof ACTIONS, string>>> = {
  reading: 'kms:Decrypt',
  writing: 'kms:GenerateDataKey',
  copying: 'kms:Decrypt and kms:GenerateDataKey',
};

/** What the SDK calls the error of an answer that says nothing but its status. */
const SAYS_NOTHING = /^(Unknown\w*|Forbidden|403|error)$/i;

/** What may not be done, with the action that whoever asks lacks. */
function deniedError(
  error: unknown,
  coded: CohortflowError,
  uri: string,
  doing: keyof typeof ACTIONS,
): CohortflowError {
  const action = ACTIONS[doing];
  const key = KEY_ACTIONS[doing] === undefined ? '' : `, and ${KEY_ACTIONS[doing]} where a key encrypts it`;
  const silent = SAYS_NOTHING.test(((error ?? {}) as Answer).name ?? '');
  const found = silent ? `S3, ${doing} ${uri}: not allowed` : coded.message;
  return new CohortflowError('AwsDenied', `${found}; it needs ${action}${key}`, { ...coded.details, action }, error);
}

/** An error of S3 as the product's own. */
export function s3Error(error: unknown, uri: string, doing: keyof typeof ACTIONS, signal?: AbortSignal): unknown {
  if (error instanceof CohortflowError) return error;
  if (signal?.aborted === true) return signal.reason;
  if (isMissing(error)) return new CohortflowError('FileNotFound', `${doing} ${uri}: nothing is there`, {}, error);
  if (((error ?? {}) as Answer).name === 'InvalidObjectState') {
    const message = `${doing} ${uri}: it lies in an archive (S3 Glacier): restore it first`;
    return new CohortflowError('ObjectArchived', message, {}, error);
  }
  if (isChanged(error)) {
    return new CohortflowError('IoError', `${doing} ${uri}: the object was replaced meanwhile`, {}, error);
  }
  if (error instanceof Error && /^Checksum mismatch/i.test(error.message)) {
    const message = `${doing} ${uri}: what came is not what was stored: its checksum is wrong`;
    return new CohortflowError('ChecksumMismatch', message, {}, error);
  }
  if (isDamaged(error)) {
    const message = `${doing} ${uri}: what arrived is not what was sent: S3 did not take it`;
    return new CohortflowError('ChecksumMismatch', message, {}, error);
  }
  const coded = awsError(error, `S3, ${doing} ${uri}`, signal);
  const denied = coded instanceof CohortflowError && coded.code === 'AwsDenied';
  return denied ? deniedError(error, coded, uri, doing) : coded;
}
