import { createHash, hkdfSync } from 'node:crypto';
import { CohortflowError } from '../domain/errors.js';

/** A key with the name that goes into the metadata of what it encrypts. */
export interface NamedKey {
  readonly id: string;
  /** 32 bytes. Never logged, never part of a message. */
  readonly bytes: Uint8Array;
}

const KEY_BYTES = 32;
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const HEX = /^[0-9a-fA-F]{64}$/;
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;

function bad(variable: string, what: string): never {
  // What was found is never shown: a key with one wrong character is still nearly the key.
  const wanted = '32 bytes as 64 hexadecimal digits or base64, with `id:` before them if you like';
  throw new CohortflowError('BadEncryptionKey', `${variable}: ${what}; wanted ${wanted}`);
}

/** A name for a key that tells nothing about it. */
function derivedId(bytes: Uint8Array): string {
  return createHash('sha256').update('cohortflow key id\0').update(bytes).digest('hex').slice(0, 12);
}

/**
 * Reads one key, `KEY` or `id:KEY`; without an id, one is derived from the key, so that it is the same everywhere.
 *
 * @throws CohortflowError `BadEncryptionKey` naming the variable, never its value
 */
export function parseKey(text: string, variable: string): NamedKey {
  const colon = text.indexOf(':');
  const written = text.slice(colon + 1).trim();
  const hex = HEX.test(written);
  if (!hex && !BASE64.test(written)) bad(variable, `found ${written.length} characters that are no key`);
  const bytes = Uint8Array.from(Buffer.from(written, hex ? 'hex' : 'base64'));
  if (bytes.length !== KEY_BYTES) bad(variable, `found ${bytes.length} bytes`);
  // Real keys are random: so few different bytes are a placeholder that somebody forgot.
  if (new Set(bytes).size < 8) bad(variable, 'found a key that is no random one');
  if (colon === -1) return { id: derivedId(bytes), bytes };
  const id = text.slice(0, colon).trim();
  if (!ID.test(id)) bad(variable, 'found an id that is not letters, digits, dot, dash or underscore (64 at most)');
  return { id, bytes };
}

/** Reads several keys, separated by commas or white space. */
export function parseKeys(text: string, variable: string): readonly NamedKey[] {
  return text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => parseKey(part, variable));
}

/** A key for another purpose, from which the first cannot be found (HKDF-SHA-256, RFC 5869). */
export function deriveKey(bytes: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', bytes, new Uint8Array(0), `cohortflow/${purpose}`, KEY_BYTES));
}
