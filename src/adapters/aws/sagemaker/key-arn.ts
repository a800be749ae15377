import { CohortflowError } from '../../../domain/errors.js';
import { awsError } from '../aws-errors.js';
import { abortable, clientOptions } from '../client-options.js';

/** True for `alias/…` and the ARN of one. */
export function isAlias(key: string): boolean {
  return /(^|:)alias\//.test(key);
}

/**
 * The ARN of the key that an alias stands for.
 *
 * @throws CohortflowError `AwsDenied`, `AwsInvalidRequest` where there is no such alias, …
 */
export async function keyArn(alias: string, region: string | undefined, signal: AbortSignal): Promise<string> {
  const { DescribeKeyCommand, KMSClient } = await import('@aws-sdk/client-kms');
  const client = new KMSClient(clientOptions(region));
  try {
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: alias }), abortable(signal));
    if (KeyMetadata?.Arn !== undefined) return KeyMetadata.Arn;
    throw new CohortflowError('AwsInvalidRequest', `KMS, looking at the key ${alias}: it has no ARN`);
  } catch (error) {
    throw awsError(error, `KMS, looking at the key ${alias}`, signal);
  } finally {
    client.destroy();
  }
}
