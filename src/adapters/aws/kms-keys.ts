import type { KMSClient } from '@aws-sdk/client-kms';
import { CohortflowError, messageOf } from '../../domain/errors.js';
import type { DataKey, KeyService } from '../../ports/keys.js';

/** Binds data keys to their purpose: KMS opens them only when it is told the same, and writes it into its audit trail. */
const ENCRYPTION_CONTEXT = { purpose: 'cohortflow-payload' } as const;

/** A call is repeated by the SDK; payloads wait for it. */
const ATTEMPTS = 5;

function unavailable(doing: string, key: string, error: unknown): CohortflowError {
  const name = error instanceof Error ? error.name : 'error';
  const message = `AWS KMS, ${doing} with the key ${key}: ${name}: ${messageOf(error)}`;
  return new CohortflowError('KeyServiceUnavailable', message, { keyId: key }, error);
}

/** {@link KeyService} with a symmetric key of AWS KMS. Region, credentials and endpoint come from the SDK's own settings. */
export class KmsKeys implements KeyService {
  #client: KMSClient | undefined;

  /** @param key id, ARN or alias (`alias/…`) of the master key for new data keys */
  constructor(private readonly key: string) {}

  /** Loaded at first use: commands that encrypt with no KMS do not pay for it. */
  private async sdk(): Promise<{ client: KMSClient; commands: typeof import('@aws-sdk/client-kms') }> {
    const commands = await import('@aws-sdk/client-kms');
    this.#client ??= new commands.KMSClient({ maxAttempts: ATTEMPTS });
    return { client: this.#client, commands };
  }

  async generate(): Promise<DataKey> {
    try {
      const { client, commands } = await this.sdk();
      const made = await client.send(
        new commands.GenerateDataKeyCommand({
          KeyId: this.key,
          KeySpec: 'AES_256',
          EncryptionContext: ENCRYPTION_CONTEXT,
        }),
      );
      const { KeyId: masterKey, Plaintext: plaintext, CiphertextBlob: wrapped } = made;
      if (masterKey === undefined || plaintext === undefined || wrapped === undefined)
        throw new Error('no key came back');
      return { masterKey, plaintext, wrapped };
    } catch (error) {
      throw unavailable('making a data key', this.key, error);
    }
  }

  async unwrap(masterKey: string, wrapped: Uint8Array): Promise<Uint8Array> {
    try {
      const { client, commands } = await this.sdk();
      const opened = await client.send(
        new commands.DecryptCommand({
          KeyId: masterKey,
          CiphertextBlob: wrapped,
          EncryptionContext: ENCRYPTION_CONTEXT,
        }),
      );
      if (opened.Plaintext === undefined) throw new Error('no key came back');
      return opened.Plaintext;
    } catch (error) {
      throw unavailable('opening a data key', masterKey, error);
    }
  }
}
