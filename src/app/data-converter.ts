import type { DataConverter } from '@temporalio/common';
import { KmsKeys } from '../adapters/aws/kms-keys.js';
import { EncryptionCodec } from '../codec/encryption-codec.js';
import { parseKey, parseKeys, type NamedKey } from '../codec/key-material.js';
import { GivenKeys, ServiceKeys, type KeyRing } from '../codec/key-ring.js';
import { CohortflowError } from '../domain/errors.js';
import { distPath } from './package-root.js';

type Environment = Readonly<Record<string, string | undefined>>;

const KEY = 'COHORTFLOW_ENCRYPTION_KEY';
const OLD = 'COHORTFLOW_ENCRYPTION_KEYS_OLD';
const KMS = 'COHORTFLOW_ENCRYPTION_KMS_KEY';
const REQUIRED = 'COHORTFLOW_REQUIRE_ENCRYPTION';

function bad(message: string): never {
  throw new CohortflowError('BadEncryptionKey', message);
}

function refuseTwoOfOneId(keys: readonly NamedKey[]): void {
  const seen = new Map<string, Uint8Array>();
  for (const { id, bytes } of keys) {
    const before = seen.get(id);
    if (before !== undefined && Buffer.compare(before, bytes) !== 0) {
      bad(`${KEY} and ${OLD}: two different keys have the id ${id}; give one of them another (\`id:key\`)`);
    }
    seen.set(id, bytes);
  }
}

function isRequired(environment: Environment): boolean {
  const value = environment[REQUIRED] ?? '';
  if (value === '1' || value === 'true') return true;
  if (value === '' || value === '0' || value === 'false') return false;
  return bad(`${REQUIRED}: found ${JSON.stringify(value)}, wanted 1 or 0`);
}

/** The keys of an environment; undefined when it has none. */
interface EnvironmentKeys {
  readonly ring: KeyRing;
  /** True when new payloads are encrypted; false with retired keys alone. */
  readonly encrypts: boolean;
}

function keysOf(environment: Environment): EnvironmentKeys | undefined {
  const key = environment[KEY] ?? '';
  const kms = environment[KMS] ?? '';
  if (key !== '' && kms !== '') {
    bad(`${KEY} and ${KMS} are both set, and one key must be the one for new payloads; retired keys go to ${OLD}`);
  }
  const current = key === '' ? undefined : parseKey(key, KEY);
  const retired = parseKeys(environment[OLD] ?? '', OLD);
  refuseTwoOfOneId(current === undefined ? retired : [current, ...retired]);
  const given = new GivenKeys(current, retired);
  if (kms !== '') return { ring: new ServiceKeys(new KmsKeys(kms), given), encrypts: true };
  if (current === undefined && retired.length === 0) return undefined;
  return { ring: given, encrypts: current !== undefined };
}

/**
 * How this environment writes what goes to the Temporal server: encrypted when it has a key, and then failures too. Client,
 * worker and workflow bundle must be given the same. Undefined when no key is set: then nothing differs from the SDK's own.
 *
 * Keys come from the environment alone, never from the settings file, which is kept and shared.
 *
 * @throws CohortflowError `BadEncryptionKey` naming the variable, before anything is started
 */
export function dataConverter(environment: Environment = process.env): DataConverter | undefined {
  const keys = keysOf(environment);
  const required = isRequired(environment);
  if (required && keys?.encrypts !== true) bad(`${REQUIRED} is set, but no key: set ${KEY} or ${KMS}`);
  if (keys === undefined) return undefined;
  return {
    payloadCodecs: [new EncryptionCodec(keys.ring, required)],
    // The SDK reads encoded failures with any converter; only writing them needs this one.
    ...(keys.encrypts ? { failureConverterPath: distPath('codec/failure-converter.js') } : {}),
  };
}
