import { randomBytes } from 'node:crypto';
import { CohortflowError } from '../../src/domain/errors.js';
import type { DataKey, KeyService } from '../../src/ports/keys.js';

const nameOf = (wrapped: Uint8Array): string => Buffer.from(wrapped).toString('hex');

/** A key service in memory: wraps by remembering, counts what it is asked, and fails when told to. */
export class FakeKeyService implements KeyService {
  generated = 0;
  opened = 0;
  failing = false;
  readonly #keys = new Map<string, Uint8Array>();

  constructor(private readonly masterKey = 'arn:master') {}

  async generate(): Promise<DataKey> {
    this.generated += 1;
    if (this.failing) throw new CohortflowError('KeyServiceUnavailable', 'throttled');
    const plaintext = new Uint8Array(randomBytes(32));
    const wrapped = new Uint8Array(randomBytes(40));
    this.#keys.set(nameOf(wrapped), plaintext);
    return { masterKey: this.masterKey, plaintext, wrapped };
  }

  async unwrap(masterKey: string, wrapped: Uint8Array): Promise<Uint8Array> {
    this.opened += 1;
    const key = this.#keys.get(nameOf(wrapped));
    if (this.failing || masterKey !== this.masterKey || key === undefined) {
      throw new CohortflowError('KeyServiceUnavailable', 'denied');
    }
    return key;
  }
}
