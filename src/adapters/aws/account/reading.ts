import { CohortflowError } from '../../../domain/errors.js';
import { awsError } from '../aws-errors.js';

/** What a service answers that does not have a call, as some stand-ins of services do not. */
const NO_SUCH_CALL = /^(UnknownOperation\w*|InvalidAction|NotImplemented\w*|UnsupportedOperation\w*)$/;

/**
 * A look at an account, its errors made the product's own.
 *
 * @param action the permission that it needs, `kms:DescribeKey`
 * @throws CohortflowError `AwsDenied` with the action in its details, or the failure of the call
 */
export async function reading<T>(action: string, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const { name = '' } = (error ?? {}) as { readonly name?: string };
    if (NO_SUCH_CALL.test(name)) throw new CohortflowError('AwsUnavailable', `${action}: ${name}`, {}, error);
    const failure = awsError(error, action, signal);
    if (!(failure instanceof CohortflowError)) throw failure;
    throw new CohortflowError(failure.code, failure.message, { ...failure.details, action }, error);
  }
}

/** True when an error of the SDK has one of these names or codes. */
export function isNamed(error: unknown, pattern: RegExp): boolean {
  const { name = '', code = '', Code = '' } = (error ?? {}) as Readonly<Record<string, string>>;
  return pattern.test(name) || pattern.test(code) || pattern.test(Code);
}
