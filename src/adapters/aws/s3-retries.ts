import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { isDamaged } from './s3-errors.js';

type Strategy = Extract<NonNullable<S3ClientConfig['retryStrategy']>, { acquireInitialRetryToken: unknown }>;
type Token = Awaited<ReturnType<Strategy['acquireInitialRetryToken']>>;

/** Milliseconds before the second try: of a call that was throttled, and of one whose answer did not come. */
const THROTTLED_MS = 500;
const BROKEN_MS = 100;
const LONGEST_MS = 20_000;

const token = (retries: number, delay: number): Token => ({ getRetryCount: () => retries, getRetryDelay: () => delay });

/**
 * Repeats each call by itself, later each time. The SDK's own way also has a budget for all calls of a client: where a third of
 * them is refused it is soon used up, no call is repeated any longer, and work of many calls never comes to its end.
 *
 * @param attempts tries of a call, the first among them
 */
export function s3Retries(attempts: number): Strategy {
  return {
    acquireInitialRetryToken: () => Promise.resolve(token(0, 0)),
    refreshRetryTokenForRetry: (before, { error, errorType }) => {
      const retries = before.getRetryCount() + 1;
      const throttled = errorType === 'THROTTLING';
      if (retries >= attempts || (!throttled && errorType !== 'TRANSIENT' && !isDamaged(error))) {
        return Promise.reject(new Error('not to be repeated'));
      }
      const most = Math.min(LONGEST_MS, (throttled ? THROTTLED_MS : BROKEN_MS) * 2 ** (retries - 1));
      return Promise.resolve(token(retries, most * Math.random()));
    },
    recordSuccess: () => undefined,
  };
}
