import { createHmac } from 'node:crypto';
import { CohortflowError } from '../domain/errors.js';
import { deriveKey, parseKey } from './key-material.js';

type Environment = Readonly<Record<string, string | undefined>>;

const KEY = 'COHORTFLOW_PSEUDONYM_KEY';
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** 100 bits: among a million cases, two alike are less likely than one in 10^18. */
const CHARACTERS = 20;

/** Stands for a case in ids: the same for the same case and key, and not to be traced back without the key. */
export type Pseudonym = (caseKey: string) => string;

/**
 * The pseudonyms of this environment: HMAC-SHA-256 with `COHORTFLOW_PSEUDONYM_KEY`, else with a key derived from
 * `COHORTFLOW_ENCRYPTION_KEY`; undefined when neither is set. With a derived key, a rotation of the encryption key changes
 * the pseudonyms of later runs.
 *
 * @throws CohortflowError `BadEncryptionKey`
 */
export function loadPseudonymKey(environment: Environment = process.env): Pseudonym | undefined {
  const own = environment[KEY];
  const encryption = environment['COHORTFLOW_ENCRYPTION_KEY'];
  if (own !== undefined && own !== '') return pseudonymWith(parseKey(own, KEY).bytes);
  if (encryption === undefined || encryption === '') return undefined;
  return pseudonymWith(deriveKey(parseKey(encryption, 'COHORTFLOW_ENCRYPTION_KEY').bytes, 'pseudonym'));
}

/** Pseudonyms with a key: 20 characters of `[a-z2-7]`. */
export function pseudonymWith(key: Uint8Array): Pseudonym {
  if (key.length < 32) throw new CohortflowError('BadEncryptionKey', `a key for pseudonyms of ${key.length} bytes`);
  return (caseKey) => {
    const digest = createHmac('sha256', key).update(caseKey).digest();
    // Five bits of each byte: uniform, and simpler than packing them.
    return Array.from(digest.subarray(0, CHARACTERS), (byte) => ALPHABET[byte & 31]).join('');
  };
}
