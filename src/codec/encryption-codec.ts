import { webcrypto } from 'node:crypto';
import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
// A CommonJS module whose names Node cannot see from an ES module.
import proto from '@temporalio/proto';
import { CohortflowError } from '../domain/errors.js';
import type { KeyReference, KeyRing } from './key-ring.js';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** Names in the metadata of an encrypted payload, the same as in the samples that Temporal publishes. */
const ENCRYPTED = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
/** The data key, encrypted by a key service. */
const DATA_KEY = 'encryption-data-key';
const COMPRESSED = 'binary/zlib';

const IV_BYTES = 12;

/** Below this compressing gains nothing worth its time. */
const COMPRESS_FROM_BYTES = 4096;

/** No payload of ours comes near; more than this out of a compressed one is an attack or a fault. */
const MOST_INFLATED_BYTES = 64 * 2 ** 20;

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const bytes = (content: string): Uint8Array => new Uint8Array(Buffer.from(content, 'utf8'));

function encodingOf(payload: Payload): string {
  const encoding = payload.metadata?.[METADATA_ENCODING_KEY];
  return encoding == null ? '' : text(encoding);
}

async function compressed(payload: Uint8Array): Promise<Uint8Array> {
  if (payload.length < COMPRESS_FROM_BYTES) return payload;
  const data = await promisify(deflate)(payload);
  if (data.length >= payload.length) return payload;
  return PayloadMessage.encode({ metadata: { [METADATA_ENCODING_KEY]: bytes(COMPRESSED) }, data }).finish();
}

async function inflated(payload: Payload): Promise<Payload> {
  if (encodingOf(payload) !== COMPRESSED) return payload;
  const data = await promisify(inflate)(payload.data ?? new Uint8Array(0), { maxOutputLength: MOST_INFLATED_BYTES });
  return PayloadMessage.decode(data);
}

function keyReference(payload: Payload): KeyReference {
  const id = payload.metadata?.[KEY_ID];
  const wrapped = payload.metadata?.[DATA_KEY];
  if (id == null) throw new CohortflowError('PayloadUnreadable', 'an encrypted payload names no key');
  return { id: text(id), ...(wrapped == null ? {} : { wrapped }) };
}

/**
 * Encrypts each payload whole, its metadata included, with AES-256-GCM: a fresh random initialisation vector, then the
 * ciphertext with its tag, and in the clear only that it is encrypted and with which key. Large ones are compressed first,
 * since what is encrypted no longer compresses.
 */
export class EncryptionCodec implements PayloadCodec {
  /**
   * @param required refuse what arrives unencrypted. Otherwise it is taken as it is: a cohort that was started before
   *   encryption was switched on still reads.
   */
  constructor(
    private readonly keys: KeyRing,
    private readonly required = false,
  ) {}

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(payloads.map((payload) => this.encrypt(payload)));
  }

  /**
   * @throws CohortflowError `UnknownEncryptionKey`, `PayloadUnreadable`, `KeyServiceUnavailable`, and `PayloadNotEncrypted`
   *   where encryption is required
   */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(payloads.map((payload) => this.decrypt(payload)));
  }

  private async encrypt(payload: Payload): Promise<Payload> {
    // Encrypted already: what a codec server got back from a client that has the key too.
    if (encodingOf(payload) === ENCRYPTED) return payload;
    const current = this.keys.current();
    if (current === undefined) return payload;
    const { reference, key } = await current;
    const plain = await compressed(PayloadMessage.encode(payload).finish());
    const iv = webcrypto.getRandomValues(new Uint8Array(IV_BYTES));
    const sealed = await webcrypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, plain);
    const data = new Uint8Array(IV_BYTES + sealed.byteLength);
    data.set(iv);
    data.set(new Uint8Array(sealed), IV_BYTES);
    return {
      metadata: {
        [METADATA_ENCODING_KEY]: bytes(ENCRYPTED),
        [KEY_ID]: bytes(reference.id),
        ...(reference.wrapped === undefined ? {} : { [DATA_KEY]: reference.wrapped }),
      },
      data,
    };
  }

  private async decrypt(payload: Payload): Promise<Payload> {
    if (encodingOf(payload) !== ENCRYPTED) {
      if (!this.required) return payload;
      const message = 'a payload arrived unencrypted, and COHORTFLOW_REQUIRE_ENCRYPTION is set';
      throw new CohortflowError('PayloadNotEncrypted', message);
    }
    const reference = keyReference(payload);
    const key = await this.keys.find(reference);
    const data = payload.data ?? new Uint8Array(0);
    try {
      const iv = data.subarray(0, IV_BYTES);
      const plain = await webcrypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, data.subarray(IV_BYTES));
      return await inflated(PayloadMessage.decode(new Uint8Array(plain)));
    } catch (error) {
      const message = `a payload does not open with the key ${reference.id}: altered, or another key had that id`;
      throw new CohortflowError('PayloadUnreadable', message, { keyId: reference.id }, error);
    }
  }
}
