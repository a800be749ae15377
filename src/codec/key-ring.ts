import { webcrypto } from 'node:crypto';
import { CohortflowError } from '../domain/errors.js';
import type { KeyService } from '../ports/keys.js';
import type { NamedKey } from './key-material.js';

type CryptoKey = webcrypto.CryptoKey;

/** What stands in the clear beside an encrypted payload and tells how to open it. */
export interface KeyReference {
  readonly id: string;
  /** The data key itself, encrypted by the master key `id` of a key service. */
  readonly wrapped?: Uint8Array;
}

/** A key ready for use, with its reference. */
export interface UsableKey {
  readonly reference: KeyReference;
  readonly key: CryptoKey;
}

/** The keys of one process. */
export interface KeyRing {
  /** The key for new payloads; undefined when nothing is to be encrypted (any more). */
  current(): Promise<UsableKey> | undefined;
  /**
   * The key of a payload.
   *
   * @throws CohortflowError `UnknownEncryptionKey` naming the id and what to set; `KeyServiceUnavailable`
   */
  find(reference: KeyReference): Promise<CryptoKey>;
}

/** Imports 32 bytes for AES-256-GCM; they cannot be read out of it again. */
export function importKey(bytes: Uint8Array): Promise<CryptoKey> {
  return webcrypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/** Keys given to the process itself: one for new payloads, any number of retired ones. */
export class GivenKeys implements KeyRing {
  readonly #keys = new Map<string, Promise<CryptoKey>>();
  readonly #current: Promise<UsableKey> | undefined;

  constructor(current: NamedKey | undefined, retired: readonly NamedKey[]) {
    for (const { id, bytes } of current === undefined ? retired : [current, ...retired]) {
      this.#keys.set(id, importKey(bytes));
    }
    if (current === undefined) return;
    const { id } = current;
    this.#current = this.#keys.get(id)!.then((key) => ({ reference: { id }, key }));
  }

  current(): Promise<UsableKey> | undefined {
    return this.#current;
  }

  async find({ id, wrapped }: KeyReference): Promise<CryptoKey> {
    if (wrapped !== undefined) {
      const message = `encrypted with a data key of the key service's key ${id}: set COHORTFLOW_ENCRYPTION_KMS_KEY`;
      throw new CohortflowError('UnknownEncryptionKey', message, { keyId: id });
    }
    const key = this.#keys.get(id);
    if (key !== undefined) return key;
    const known = [...this.#keys.keys()].join(', ');
    const message =
      `encrypted with the key ${id}, which this process does not have (it has: ${known === '' ? 'none' : known}): ` +
      `add it to COHORTFLOW_ENCRYPTION_KEYS_OLD as ${id}:KEY`;
    throw new CohortflowError('UnknownEncryptionKey', message, { keyId: id });
  }
}

/** A data key is used for a day at most, and far less often than random 96-bit initialisation vectors allow (2^32). */
const MOST_USES = 2 ** 30;
const LONGEST_USE_MS = 24 * 60 * 60 * 1000;

/** Opened data keys that are kept: a history has one per worker process and day. */
const MOST_OPENED = 1000;

/**
 * Data keys of a key service: a new one per process and day for new payloads, and any other opened by the service and
 * remembered. Keys that were given before the service was used still open what they encrypted.
 */
export class ServiceKeys implements KeyRing {
  #current: Promise<UsableKey> | undefined;
  #madeAt = 0;
  #uses = 0;
  readonly #opened = new Map<string, Promise<CryptoKey>>();

  /** @param now milliseconds; tests move it */
  constructor(
    private readonly service: KeyService,
    private readonly given: GivenKeys,
    private readonly now: () => number = Date.now,
  ) {}

  current(): Promise<UsableKey> {
    const old = this.now() - this.#madeAt >= LONGEST_USE_MS || this.#uses >= MOST_USES;
    if (this.#current === undefined || old) {
      const made = this.make();
      this.#current = made;
      this.#madeAt = this.now();
      this.#uses = 0;
      // The next payload asks again.
      made.catch(() => {
        if (this.#current === made) this.#current = undefined;
      });
    }
    this.#uses += 1;
    return this.#current;
  }

  async find(reference: KeyReference): Promise<CryptoKey> {
    const { id, wrapped } = reference;
    if (wrapped === undefined) return this.given.find(reference);
    const name = `${id} ${Buffer.from(wrapped).toString('base64')}`;
    const known = this.#opened.get(name);
    const opened = known ?? this.service.unwrap(id, wrapped).then(importKey);
    // Last used, last in the map: the first one goes when there are too many.
    this.#opened.delete(name);
    this.#opened.set(name, opened);
    for (const oldest of this.#opened.keys()) {
      if (this.#opened.size <= MOST_OPENED) break;
      this.#opened.delete(oldest);
    }
    try {
      return await opened;
    } catch (error) {
      if (this.#opened.get(name) === opened) this.#opened.delete(name);
      throw error;
    }
  }

  private async make(): Promise<UsableKey> {
    const { masterKey, plaintext, wrapped } = await this.service.generate();
    return { reference: { id: masterKey, wrapped }, key: await importKey(plaintext) };
  }
}
