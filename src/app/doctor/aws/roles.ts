import { failed, ok, type Check, type Verdict } from '../check.js';
import type { AwsSubject } from './wanted.js';

const ROLE = /^arn:(aws[\w-]*):iam::(\d{12}):role\/([\w+=,.@/-]+)$/;

/** The role of a service: its shape and its account; whether it may be passed on only shows when something is started. */
export function roleCheck(
  { account }: AwsSubject,
  { name, role, setting, principal }: { name: string; role: string | undefined; setting: string; principal: string },
): Check {
  return {
    name,
    look: async (signal): Promise<Verdict> => {
      const create = `create the role (deploy/ does), and set ${setting} to its ARN`;
      if (role === undefined) return failed(`not configured: ${setting}`, create);
      const [, , owner, path = ''] = ROLE.exec(role) ?? [];
      if (owner === undefined) return failed(`${setting} is no ARN of a role`, create);
      const shown = path.slice(path.lastIndexOf('/') + 1);
      const identity = await account.identity(signal);
      if (identity.account !== owner) {
        return failed(`${shown} is of another account`, `correct ${setting}: roles cannot be passed across accounts`);
      }
      return ok(`${shown}; whoever starts the work needs iam:PassRole on it for ${principal}`);
    },
  };
}
