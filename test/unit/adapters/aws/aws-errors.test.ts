import { describe, expect, it } from 'vitest';
import { awsCode, awsError } from '../../../../src/adapters/aws/aws-errors.js';
import { CohortflowError } from '../../../../src/domain/errors.js';

/** An error as the SDK throws it. */
function sdkError(name: string, httpStatusCode?: number, message = 'said'): Error {
  const error = new Error(message);
  error.name = name;
  return Object.assign(error, { $metadata: httpStatusCode === undefined ? {} : { httpStatusCode } });
}

describe('errors of the AWS SDK', () => {
  it.each([
    ['ThrottlingException', 400, 'AwsThrottled'],
    ['RequestLimitExceeded', 503, 'AwsThrottled'],
    ['SlowDown', 503, 'AwsThrottled'],
    ['TooManyRequestsException', 429, 'AwsThrottled'],
    ['ExpiredTokenException', 400, 'AwsCredentials'],
    ['CredentialsProviderError', undefined, 'AwsCredentials'],
    ['InvalidClientTokenId', 403, 'AwsCredentials'],
    ['AccessDeniedException', 400, 'AwsDenied'],
    ['UnauthorizedOperation', 403, 'AwsDenied'],
    ['ResourceLimitExceeded', 400, 'AwsQuotaExceeded'],
    ['VcpuLimitExceeded', 400, 'AwsQuotaExceeded'],
    ['InsufficientInstanceCapacity', 500, 'AwsNoCapacity'],
    ['InternalFailure', 500, 'AwsUnavailable'],
    ['ServiceUnavailable', 503, 'AwsUnavailable'],
    ['TimeoutError', undefined, 'AwsUnavailable'],
    ['ECONNRESET', undefined, 'AwsUnavailable'],
    ['ValidationException', 400, 'AwsInvalidRequest'],
    ['SomethingNew', 403, 'AwsDenied'],
  ])('%s (%s) is %s', (name, status, code) => {
    expect(awsCode(sdkError(name, status))).toBe(code);
  });

  it('say what was being done and hide the account', () => {
    const error = awsError(
      sdkError('AccessDeniedException', 400, 'role arn:aws:iam::123456789012:role/worker may not'),
      'SageMaker, starting a processing job',
    );
    expect(error).toMatchObject({
      code: 'AwsDenied',
      message: 'SageMaker, starting a processing job: AccessDeniedException: role arn:aws:iam::…:role/worker may not',
    });
  });

  it('pass what has a code already, and the reason of an abort', () => {
    const coded = new CohortflowError('JobKilled', 'killed');
    expect(awsError(coded, 'waiting')).toBe(coded);
    const reason = new Error('cancelled');
    expect(awsError(sdkError('AbortError'), 'waiting', AbortSignal.abort(reason))).toBe(reason);
  });
});
