import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { EncryptionCodec } from '../../../src/codec/encryption-codec.js';
import { GivenKeys, ServiceKeys } from '../../../src/codec/key-ring.js';
import { FakeKeyService } from '../../support/fake-key-service.js';

const named = (id: string) => ({ id, bytes: new Uint8Array(randomBytes(32)) });
const payload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const value = (from: Payload): unknown => defaultPayloadConverter.fromPayload(from);
const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('latin1');
const INPUT = { cohort: '/data/Mustermann_Erika/cohort.csv', note: 'secret' };

const first = named('first');
const second = named('second');
const codec = new EncryptionCodec(new GivenKeys(first, []));

describe('encrypting payloads', () => {
  test('nothing but the encoding and the key id stands in the clear, and the payload comes back whole', async () => {
    const before = { ...payload(INPUT), metadata: { ...payload(INPUT).metadata, kind: Buffer.from('hidden-kind') } };
    const [sealed] = await codec.encode([before]);
    expect(Object.keys(sealed!.metadata!).sort()).toEqual(['encoding', 'encryption-key-id']);
    expect(text(sealed!.metadata!['encoding'])).toBe('binary/encrypted');
    expect(text(sealed!.metadata!['encryption-key-id'])).toBe('first');
    for (const hidden of ['Mustermann', 'secret', 'hidden-kind', 'json/plain']) {
      expect(text(sealed!.data)).not.toContain(hidden);
    }
    const [opened] = await codec.decode([sealed!]);
    expect(value(opened!)).toEqual(INPUT);
    expect(text(opened!.metadata!['kind'])).toBe('hidden-kind');
  });

  test('every payload has an initialisation vector of its own, so that equal ones look different', async () => {
    const sealed = await codec.encode(Array.from({ length: 200 }, () => payload(INPUT)));
    expect(new Set(sealed.map(({ data }) => text(data!.subarray(0, 12)))).size).toBe(200);
    expect(new Set(sealed.map(({ data }) => text(data!.subarray(12)))).size).toBe(200);
  });

  test('a large payload is compressed before it is encrypted; a small one and an incompressible one are not', async () => {
    const large = payload({ rows: Array.from({ length: 5000 }, (_, row) => ({ row, name: 'feature' })) });
    const noise = payload({ noise: randomBytes(50_000).toString('latin1') });
    const [squeezed, small, random] = await codec.encode([large, payload(INPUT), noise]);
    expect(squeezed!.data!.length).toBeLessThan(large.data!.length / 4);
    expect(small!.data!.length).toBeGreaterThan(payload(INPUT).data!.length);
    const opened = await codec.decode([squeezed!, small!, random!]);
    expect(opened.map(value)).toEqual([value(large), INPUT, value(noise)]);
  });

  test('what is encrypted already is not encrypted twice', async () => {
    const once = await codec.encode([payload(INPUT)]);
    expect(await codec.encode(once)).toEqual(once);
  });

  test('payloads without data, and no payloads at all, pass', async () => {
    expect(await codec.encode([])).toEqual([]);
    const [sealed] = await codec.encode([payload(undefined)]);
    const [opened] = await codec.decode([sealed!]);
    expect(value(opened!)).toBeUndefined();
  });
});

describe('decrypting payloads', () => {
  test('after a rotation, the retired key still opens what it encrypted', async () => {
    const old = await codec.encode([payload(INPUT)]);
    const rotated = new EncryptionCodec(new GivenKeys(second, [first]));
    expect(value((await rotated.decode(old))[0]!)).toEqual(INPUT);
    const [fresh] = await rotated.encode([payload(INPUT)]);
    expect(text(fresh!.metadata!['encryption-key-id'])).toBe('second');
  });

  test('an unknown key is named, with what to set; no key appears in the message', async () => {
    const sealed = await codec.encode([payload(INPUT)]);
    const other = new EncryptionCodec(new GivenKeys(second, []));
    const refused = other.decode(sealed);
    await expect(refused).rejects.toMatchObject({ code: 'UnknownEncryptionKey', details: { keyId: 'first' } });
    await expect(refused).rejects.toThrow(/key first.*COHORTFLOW_ENCRYPTION_KEYS_OLD as first:KEY/);
  });

  test('an altered payload, or another key of the same id, is refused and not read as something else', async () => {
    const [sealed] = await codec.encode([payload(INPUT)]);
    const data = Uint8Array.from(sealed!.data!);
    data[20]! ^= 1;
    await expect(codec.decode([{ ...sealed!, data }])).rejects.toMatchObject({ code: 'PayloadUnreadable' });
    const impostor = new EncryptionCodec(new GivenKeys(named('first'), []));
    await expect(impostor.decode([sealed!])).rejects.toMatchObject({ code: 'PayloadUnreadable' });
    const short = { ...sealed!, data: new Uint8Array(5) };
    await expect(codec.decode([short])).rejects.toMatchObject({ code: 'PayloadUnreadable' });
  });

  test('what was never encrypted is read as it is, unless encryption is required', async () => {
    const plain = payload(INPUT);
    expect(await codec.decode([plain])).toEqual([plain]);
    const strict = new EncryptionCodec(new GivenKeys(first, []), true);
    await expect(strict.decode([plain])).rejects.toMatchObject({ code: 'PayloadNotEncrypted' });
    expect(value((await strict.decode(await strict.encode([plain])))[0]!)).toEqual(INPUT);
  });

  test('with retired keys alone nothing new is encrypted and old payloads open', async () => {
    const sealed = await codec.encode([payload(INPUT)]);
    const off = new EncryptionCodec(new GivenKeys(undefined, [first]));
    expect(await off.encode([payload(INPUT)])).toEqual([payload(INPUT)]);
    expect(value((await off.decode(sealed))[0]!)).toEqual(INPUT);
  });
});

describe('data keys of a key service', () => {
  const none = new GivenKeys(undefined, [first]);

  test('one data key serves many payloads of a day, travels wrapped beside them, and a new day has a new one', async () => {
    const service = new FakeKeyService();
    let time = 0;
    const writer = new EncryptionCodec(new ServiceKeys(service, none, () => time));
    const today = await writer.encode(Array.from({ length: 50 }, () => payload(INPUT)));
    expect(service.generated).toBe(1);
    time = 25 * 3600 * 1000;
    const tomorrow = await writer.encode([payload(INPUT)]);
    expect(service.generated).toBe(2);

    const reader = new EncryptionCodec(new ServiceKeys(service, none));
    const opened = await reader.decode([...today, ...tomorrow]);
    expect(opened.map(value)).toEqual(Array.from({ length: 51 }, () => INPUT));
    expect(service.opened).toBe(2);
  });

  test('a service that fails once is asked again for the next payload', async () => {
    const service = new FakeKeyService();
    service.failing = true;
    const both = new EncryptionCodec(new ServiceKeys(service, none));
    await expect(both.encode([payload(INPUT)])).rejects.toThrow('throttled');
    service.failing = false;
    const sealed = await both.encode([payload(INPUT)]);
    service.failing = true;
    await expect(both.decode(sealed)).rejects.toThrow('denied');
    service.failing = false;
    expect(value((await both.decode(sealed))[0]!)).toEqual(INPUT);
  });

  test('what was encrypted with a given key before still opens; a process without the service names what to set', async () => {
    const service = new FakeKeyService();
    const both = new EncryptionCodec(new ServiceKeys(service, none));
    expect(value((await both.decode(await codec.encode([payload(INPUT)])))[0]!)).toEqual(INPUT);
    const sealed = await both.encode([payload(INPUT)]);
    await expect(codec.decode(sealed)).rejects.toThrow(/arn:master: set COHORTFLOW_ENCRYPTION_KMS_KEY/);
  });
});
