import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { dataConverter } from '../../../src/app/data-converter.js';
import { CohortflowError } from '../../../src/domain/errors.js';

const key = randomBytes(32);
const BASE64 = key.toString('base64');
const HEX = key.toString('hex');

async function keyIdOf(environment: Record<string, string>): Promise<string> {
  const [codec] = dataConverter(environment)!.payloadCodecs!;
  const [sealed] = await codec!.encode([defaultPayloadConverter.toPayload('x')]);
  return Buffer.from(sealed!.metadata!['encryption-key-id']!).toString();
}

function refusal(environment: Record<string, string>): CohortflowError {
  try {
    dataConverter(environment);
  } catch (error) {
    if (error instanceof CohortflowError) return error;
  }
  throw new Error('was not refused');
}

describe('keys of the environment', () => {
  test('without any key nothing changes', () => {
    expect(dataConverter({})).toBeUndefined();
    expect(dataConverter({ COHORTFLOW_ENCRYPTION_KEY: '', COHORTFLOW_REQUIRE_ENCRYPTION: '0' })).toBeUndefined();
  });

  test('a key may be hexadecimal or base64, and has the same derived id either way; an id may be given', async () => {
    const derived = await keyIdOf({ COHORTFLOW_ENCRYPTION_KEY: BASE64 });
    expect(derived).toMatch(/^[0-9a-f]{12}$/);
    expect(await keyIdOf({ COHORTFLOW_ENCRYPTION_KEY: HEX })).toBe(derived);
    expect(await keyIdOf({ COHORTFLOW_ENCRYPTION_KEY: key.toString('base64url') })).toBe(derived);
    expect(await keyIdOf({ COHORTFLOW_ENCRYPTION_KEY: `2026-11:${BASE64}` })).toBe('2026-11');
  });

  test('with a key failures are encoded too; with retired keys alone nothing new is', () => {
    expect(dataConverter({ COHORTFLOW_ENCRYPTION_KEY: BASE64 })!.failureConverterPath).toMatch(
      /failure-converter\.js$/,
    );
    const old = dataConverter({ COHORTFLOW_ENCRYPTION_KEYS_OLD: `a:${BASE64}, b:${randomBytes(32).toString('hex')}` });
    expect(old!.payloadCodecs).toHaveLength(1);
    expect(old!.failureConverterPath).toBeUndefined();
  });

  test.each([
    ['too short', randomBytes(16).toString('base64')],
    ['too long', randomBytes(33).toString('hex')],
    ['a passphrase', 'correct horse battery staple'],
    ['zeros', Buffer.alloc(32).toString('base64')],
    ['a bad id', `no spaces:${BASE64}`],
    ['an empty id', `:${BASE64}`],
  ])('%s is refused with the variable, without what was found', (_, text) => {
    const refused = refusal({ COHORTFLOW_ENCRYPTION_KEY: text });
    expect(refused.code).toBe('BadEncryptionKey');
    expect(refused.message).toContain('COHORTFLOW_ENCRYPTION_KEY');
    expect(refused.message).not.toContain(text.slice(-12));
  });

  test('settings that exclude each other are refused', () => {
    const both = { COHORTFLOW_ENCRYPTION_KEY: BASE64, COHORTFLOW_ENCRYPTION_KMS_KEY: 'alias/cohortflow' };
    expect(refusal(both).message).toMatch(/both set/);
    const twice = {
      COHORTFLOW_ENCRYPTION_KEY: `a:${BASE64}`,
      COHORTFLOW_ENCRYPTION_KEYS_OLD: `a:${randomBytes(32).toString('hex')}`,
    };
    expect(refusal(twice).message).toMatch(/two different keys have the id a/);
    expect(refusal({ COHORTFLOW_REQUIRE_ENCRYPTION: '1' }).message).toMatch(/no key/);
    expect(refusal({ COHORTFLOW_REQUIRE_ENCRYPTION: 'yes please' }).message).toMatch(/wanted 1 or 0/);
  });
});
