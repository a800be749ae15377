import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';
import { CohortflowError, messageOf } from '../domain/errors.js';
import { dataConverter } from './data-converter.js';

/** Where the server is. An embedded server is given as its address; otherwise environment and profile decide. */
export interface TemporalTarget {
  readonly address?: string;
  readonly namespace?: string;
}

const CONNECT_TIMEOUT_MS = 10_000;

function options(target: TemporalTarget): ReturnType<typeof loadClientConnectConfig> {
  // The embedded server needs no profile, and a file without one makes the SDK throw.
  if (target.address !== undefined) {
    return { connectionOptions: { address: target.address }, namespace: target.namespace ?? 'default' };
  }
  try {
    return loadClientConnectConfig();
  } catch (error) {
    const message = `the Temporal profile cannot be read: ${messageOf(error)}`;
    throw new CohortflowError('InvalidInput', message, {}, error);
  }
}

function unavailable(address: string | undefined, error: unknown): CohortflowError {
  const where = address ?? 'localhost:7233';
  return new CohortflowError(
    'ServerUnavailable',
    `no Temporal server answers at ${where}: ${messageOf(error)}`,
    {},
    error,
  );
}

/**
 * A client for starting, asking and awaiting workflows; it encrypts when the environment has a key.
 *
 * @throws CohortflowError `ServerUnavailable`, `InvalidInput`, `BadEncryptionKey`
 */
export async function connectClient(target: TemporalTarget): Promise<Client> {
  const { connectionOptions, namespace } = options(target);
  const converter = dataConverter();
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: CONNECT_TIMEOUT_MS });
    return new Client({
      connection,
      ...(namespace === undefined ? {} : { namespace }),
      ...(converter === undefined ? {} : { dataConverter: converter }),
    });
  } catch (error) {
    throw unavailable(connectionOptions.address, error);
  }
}

/** A connection for workers. */
export async function connectWorker(
  target: TemporalTarget,
): Promise<{ connection: NativeConnection; namespace: string }> {
  const { connectionOptions, namespace } = options(target);
  try {
    const { address, tls, apiKey, metadata } = connectionOptions;
    const connection = await NativeConnection.connect({
      ...(address === undefined ? {} : { address }),
      ...(tls === undefined || tls === null ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey: apiKey }),
      ...(metadata === undefined ? {} : { metadata }),
    });
    return { connection, namespace: namespace ?? 'default' };
  } catch (error) {
    throw unavailable(connectionOptions.address, error);
  }
}
