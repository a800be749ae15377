import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { loadPseudonymKey, pseudonymWith } from '../../../src/codec/pseudonym.js';

const KEY = randomBytes(32).toString('base64');

describe('pseudonyms of cases', () => {
  test('they are stable, look alike and tell cases, studies and keys apart', () => {
    const pseudonym = loadPseudonymKey({ COHORTFLOW_PSEUDONYM_KEY: KEY })!;
    expect(pseudonym('R01-001')).toBe(loadPseudonymKey({ COHORTFLOW_PSEUDONYM_KEY: KEY })!('R01-001'));
    const all = Array.from({ length: 10_000 }, (_, at) => pseudonym(`case-${at}`));
    expect(new Set(all).size).toBe(10_000);
    for (const one of all) expect(one).toMatch(/^[a-z2-7]{20}$/);
    expect(pseudonym('R01-001/study')).not.toBe(pseudonym('R01-001'));
    expect(pseudonymWith(randomBytes(32))('R01-001')).not.toBe(pseudonym('R01-001'));
  });

  test('a known answer, so that a new version does not change the ids of old cases', () => {
    const key = Uint8Array.from({ length: 32 }, (_, at) => at);
    expect(pseudonymWith(key)('R01-001')).toBe('7gne65orsmypcjeknbbq');
  });

  test('without a key of their own they come from the encryption key, and not as that key itself', () => {
    const derived = loadPseudonymKey({ COHORTFLOW_ENCRYPTION_KEY: KEY })!;
    expect(derived('a')).toBe(loadPseudonymKey({ COHORTFLOW_ENCRYPTION_KEY: `named:${KEY}` })!('a'));
    expect(derived('a')).not.toBe(loadPseudonymKey({ COHORTFLOW_PSEUDONYM_KEY: KEY })!('a'));
    expect(loadPseudonymKey({})).toBeUndefined();
  });

  test('a key that is none is refused', () => {
    expect(() => loadPseudonymKey({ COHORTFLOW_PSEUDONYM_KEY: 'short' })).toThrow(/COHORTFLOW_PSEUDONYM_KEY/);
  });
});
