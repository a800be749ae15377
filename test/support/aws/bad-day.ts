import type { S3Fault } from '../faulty-s3.js';
import { seeded } from './faults.js';

/** The SDK and the AWS CLI ask five times. */
const MOST_ON_END = 4;

/**
 * S3 that throttles and loses answers by chance, but never one call more often on end than the SDK repeats it: what goes on
 * longer is the workflow engine's, and of commands the user's.
 */
export function badDay(
  { throttle, lost }: { readonly throttle: number; readonly lost: number },
  seed: number,
): (operation: string, url: string) => S3Fault | undefined {
  const dice = seeded(seed);
  const onEnd = new Map<string, number>();
  return (operation, url) => {
    const call = `${operation} ${url}`;
    const before = onEnd.get(call) ?? 0;
    const thrown = dice();
    const fault = thrown < throttle ? 'slow-down' : thrown < throttle + lost ? 'lost' : undefined;
    if (fault === undefined || before === MOST_ON_END) {
      onEnd.delete(call);
      return undefined;
    }
    onEnd.set(call, before + 1);
    return fault;
  };
}
