import { loadClientConfigProfile } from '@temporalio/envconfig';
import { CohortflowError, messageOf } from '../../domain/errors.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A Temporal server to talk to. With `environment` and `profile`, TLS and keys come from there as well. */
export interface TemporalServer {
  readonly address: string;
  readonly namespace: string;
  readonly kind: 'environment' | 'profile' | 'embedded';
  /** The Temporal UI, where it is known. */
  readonly uiUrl?: string;
}

function loadProfile(env: Environment): ReturnType<typeof loadClientConfigProfile> {
  const defined = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const overrideEnvVars = Object.fromEntries(defined);
  try {
    return loadClientConfigProfile({ overrideEnvVars });
  } catch (error) {
    // A file without any profile (empty, say) is a TypeError in SDK 1.24; it configures nothing.
    if (error instanceof TypeError && (env['TEMPORAL_PROFILE'] ?? '') === '') {
      return loadClientConfigProfile({ overrideEnvVars, disableFile: true });
    }
    throw new CohortflowError('InvalidInput', `the Temporal environment or profile: ${messageOf(error)}`, {}, error);
  }
}

/**
 * The server that the user's Temporal environment names: `TEMPORAL_ADDRESS`, or a profile of the Temporal CLI
 * (`TEMPORAL_PROFILE`, `TEMPORAL_CONFIG_FILE` or the CLI's own file). Undefined when they name none.
 *
 * @throws CohortflowError `InvalidInput` when the profile cannot be read.
 */
export function configuredServer(env: Environment): TemporalServer | undefined {
  const profile = loadProfile(env);
  const namespace = profile.namespace ?? 'default';
  const fromEnvironment = (env['TEMPORAL_ADDRESS'] ?? '') !== '';
  if (profile.address !== undefined && profile.address !== '') {
    return { address: profile.address, namespace, kind: fromEnvironment ? 'environment' : 'profile' };
  }
  // A profile that was asked for by name and leaves its address out means the CLI's default address.
  if ((env['TEMPORAL_PROFILE'] ?? '') === '') return undefined;
  return { address: 'localhost:7233', namespace, kind: 'profile' };
}
