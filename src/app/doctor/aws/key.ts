import { failed, ok, type Check } from '../check.js';
import type { AwsSubject } from './wanted.js';

/** The key that everything written is encrypted with. */
export function keyCheck({ account, settings }: AwsSubject): Check {
  const key = settings.kmsKey ?? '';
  return {
    name: 'KMS key',
    look: async (signal) => {
      const facts = await account.key(key, signal);
      if (facts === undefined) return failed('there is no such key', 'correct aws.kmsKey: an id, an ARN or alias/…');
      if (!facts.symmetric) return failed('the key is not symmetric', 'set aws.kmsKey to a key of SYMMETRIC_DEFAULT');
      if (!facts.enabled)
        return failed(`the key is ${facts.state}`, 'enable it (console: KMS), or set another aws.kmsKey');
      await account.tryKey(key, signal);
      return ok('enabled, and may be used');
    },
  };
}
