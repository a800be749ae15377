import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KmsKeys } from '../../src/adapters/aws/kms-keys.js';
import { dataConverter } from '../../src/app/data-converter.js';
import type { KeyService } from '../../src/ports/keys.js';
import { ACCOUNT_NAME, hasSettings, REAL_ACCOUNT } from '../support/aws/real-account.js';
import { FakeKeyService } from '../support/fake-key-service.js';
import { MotoServer, motoProgram } from '../support/moto-server.js';

const moto = REAL_ACCOUNT === undefined ? motoProgram() : undefined;
const able = moto !== undefined || (REAL_ACCOUNT !== undefined && hasSettings('KMS', REAL_ACCOUNT.kmsKey));
/** The key of the account's settings, or one that is made. */
const KEY = REAL_ACCOUNT?.kmsKey ?? 'alias/cohortflow';

function contract(create: () => KeyService): void {
  test('what it wraps it opens again, to the same 32 bytes', async () => {
    const service = create();
    const { masterKey, plaintext, wrapped } = await service.generate();
    expect(plaintext).toHaveLength(32);
    expect(Buffer.from(wrapped).includes(Buffer.from(plaintext))).toBe(false);
    expect(Buffer.from(await service.unwrap(masterKey, wrapped))).toEqual(Buffer.from(plaintext));
  });

  test('every data key is another', async () => {
    const service = create();
    const keys = await Promise.all(Array.from({ length: 5 }, () => service.generate()));
    expect(new Set(keys.map(({ plaintext }) => Buffer.from(plaintext).toString('hex'))).size).toBe(5);
  });

  test('another master key, or something it never wrapped, is refused with its code', async () => {
    const service = create();
    const { masterKey, wrapped } = await service.generate();
    await expect(service.unwrap(`${masterKey}-other`, wrapped)).rejects.toMatchObject({
      code: 'KeyServiceUnavailable',
    });
    const altered = Uint8Array.from(wrapped);
    altered[altered.length - 1]! ^= 1;
    await expect(service.unwrap(masterKey, altered)).rejects.toMatchObject({ code: 'KeyServiceUnavailable' });
  });
}

describe('KeyService FakeKeyService', () => contract(() => new FakeKeyService()));

describe.skipIf(!able)(`KeyService KmsKeys (${ACCOUNT_NAME})`, () => {
  let server: MotoServer | undefined;
  beforeAll(async () => {
    if (moto === undefined) return;
    server = await MotoServer.start(moto);
    const client = new KMSClient({});
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    await client.send(new CreateAliasCommand({ AliasName: KEY, TargetKeyId: KeyMetadata!.KeyId! }));
  });
  afterAll(() => server?.stop());

  contract(() => new KmsKeys(KEY));

  test('payloads of a process with COHORTFLOW_ENCRYPTION_KMS_KEY open in another, and name the key by its ARN', async () => {
    const environment = { COHORTFLOW_ENCRYPTION_KMS_KEY: KEY, COHORTFLOW_REQUIRE_ENCRYPTION: '1' };
    const codecOf = () => dataConverter(environment)!.payloadCodecs![0]!;
    const sealed = await codecOf().encode([defaultPayloadConverter.toPayload({ secret: 1 })]);
    expect(Buffer.from(sealed[0]!.metadata!['encryption-key-id']!).toString()).toMatch(/^arn:aws:kms:/);
    const [opened] = await codecOf().decode(sealed);
    expect(defaultPayloadConverter.fromPayload(opened!)).toEqual({ secret: 1 });
  });

  test('a key that is not there is named', async () => {
    await expect(new KmsKeys('alias/cohortflow-none').generate()).rejects.toThrow(/alias\/cohortflow-none/);
  });
});
