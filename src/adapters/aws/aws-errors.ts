import { CohortflowError, messageOf } from '../../domain/errors.js';
import type { FailureCode } from '../../domain/failures/index.js';

/** What the SDK's errors have in common. */
interface ServiceError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $retryable?: unknown;
}

const THROTTLED =
  /^(Throttl\w*|TooManyRequests\w*|RequestLimitExceeded|SlowDown|RequestThrottled\w*|ProvisionedThroughputExceeded\w*|BandwidthLimitExceeded|LimitExceededException)$/;
const CREDENTIALS =
  /^(CredentialsProviderError|ExpiredToken\w*|InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|SignatureDoesNotMatch|AuthFailure|RequestExpired|InvalidToken|TokenRefreshRequired|MissingAuthenticationToken\w*|IncompleteSignature)$/;
const DENIED =
  /^(AccessDenied\w*|AccessForbidden|UnauthorizedOperation|Forbidden|NotAuthorized\w*|OptInRequired|AllAccessDisabled)$/;
const QUOTA =
  /^(ResourceLimitExceeded|VcpuLimitExceeded|InstanceLimitExceeded|MaxSpotInstanceCountExceeded|ServiceQuotaExceeded\w*)$/;
const CAPACITY =
  /^(InsufficientInstanceCapacity|InsufficientCapacity|InsufficientHostCapacity|UnfulfillableCapacity|SpotMaxPriceTooLow|InsufficientFreeAddressesInSubnet|Unsupported)$/;
const NETWORK =
  /^(TimeoutError|RequestTimeout\w*|NetworkingError|AbortError|ECONNRESET|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT)$/;

/** The code of the catalogue for an error of the SDK. Errors that only one service has are for its adapter to look at first. */
export function awsCode(error: unknown): FailureCode {
  const { name = '', code = '', $metadata } = (error ?? {}) as Partial<ServiceError>;
  const is = (pattern: RegExp): boolean => pattern.test(name) || pattern.test(code);
  if (is(THROTTLED)) return 'AwsThrottled';
  if (is(CREDENTIALS)) return 'AwsCredentials';
  if (is(DENIED)) return 'AwsDenied';
  if (is(QUOTA)) return 'AwsQuotaExceeded';
  if (is(CAPACITY)) return 'AwsNoCapacity';
  const status = $metadata?.httpStatusCode;
  if (is(NETWORK) || status === undefined || status >= 500) return 'AwsUnavailable';
  if (status === 429) return 'AwsThrottled';
  if (status === 401) return 'AwsCredentials';
  return status === 403 ? 'AwsDenied' : 'AwsInvalidRequest';
}

/** Whatever an answer of a service says of the account or of who asked is not for messages that travel. */
const ARN = /arn:aws[\w-]*:[^\s"',)]+/g;

/**
 * An error of the SDK as the product's own. An error that has a code already, or the reason of an abort, passes unchanged.
 *
 * @param doing what was being done, as `SageMaker, starting a processing job`
 */
export function awsError(error: unknown, doing: string, signal?: AbortSignal): unknown {
  if (error instanceof CohortflowError) return error;
  if (signal?.aborted === true) return signal.reason;
  const { name = 'error', $metadata } = (error ?? {}) as Partial<ServiceError>;
  const said = messageOf(error).replaceAll(ARN, (arn) => arn.replace(/:\d{12}:/, ':…:'));
  const details = $metadata?.requestId === undefined ? {} : { requestId: $metadata.requestId };
  return new CohortflowError(awsCode(error), `${doing}: ${name}: ${said}`, details, error);
}
