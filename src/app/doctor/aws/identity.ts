import { CohortflowError } from '../../../domain/errors.js';
import { failed, ok, unknown, type Check } from '../check.js';
import type { AwsSubject } from './wanted.js';

/** `assumed-role/<role>/<session>` or `user/<name>`: the session may be a person's address, the role never is. */
function whoIs(arn: string): string {
  const [kind = '', name = ''] = (arn.split(':')[5] ?? '').split('/');
  if (kind === 'assumed-role') return `role ${name}`;
  if (kind === 'user') return 'an IAM user';
  return kind === 'root' ? 'the root user' : kind;
}

/** Account ids are shown by their last digits: output is pasted into tickets. */
function masked(account: string): string {
  return `…${account.slice(-4)}`;
}

/** Who is signed in. */
export function credentialsCheck({ account }: AwsSubject): Check {
  return {
    name: 'Credentials',
    look: async (signal) => {
      try {
        const identity = await account.identity(signal);
        return ok(`account ${masked(identity.account)}, ${whoIs(identity.arn)}`);
      } catch (error) {
        if (!(error instanceof CohortflowError)) throw error;
        const fix = 'sign in (aws sso login, or AWS_PROFILE, or AWS_ACCESS_KEY_ID), or give the machine a role';
        return error.code === 'AwsUnavailable' ? unknown(error.message, fix) : failed(error.message, fix);
      }
    },
  };
}

/** Where calls go. */
export function regionCheck({ account, settings }: AwsSubject): Check {
  return {
    name: 'Region',
    look: async () => {
      const region = await account.region();
      if (region === undefined) return failed('nobody says which', 'set aws.region, or AWS_REGION');
      return ok(settings.region === undefined ? `${region}, from the environment or the profile` : region);
    },
  };
}
