import { DEFAULT_DRAGEN_PROFILE, dragenProfile } from '../../../domain/genomics/dragen/index.js';
import { failed, ok, unknown, warning, type Check } from '../check.js';
import type { AwsSubject } from './wanted.js';

/** The reference to DRAGEN's licence credentials. They are looked for, never read: only the machine needs them. */
export function licenceCheck({ account, objects, settings, wanted }: AwsSubject): Check {
  const { licence, profile } = settings.dragen ?? {};
  const chosen = wanted.dragenProfile ?? profile ?? DEFAULT_DRAGEN_PROFILE;
  return {
    name: 'DRAGEN licence',
    look: async (signal) => {
      // Also says which profiles there are.
      const { takesLicence } = dragenProfile(chosen);
      if (!takesLicence) {
        if (licence === undefined) return ok(`the image of the profile ${chosen} brings its own`);
        return failed(`the profile ${chosen} takes no licence file`, 'leave out aws.dragen.licence');
      }
      if (licence === undefined) {
        return warning(
          'none is set: only an image that brings its own licence works',
          'set aws.dragen.licence to a secret, a parameter or an s3:// object with the credentials',
        );
      }
      const fix = 'put the credentials there, or correct aws.dragen.licence';
      if (licence.startsWith('s3://')) {
        const there = (await objects.stat(licence)) !== undefined;
        return there ? ok(licence) : failed(`nothing is at ${licence}`, fix);
      }
      if (/^arn:aws[\w-]*:secretsmanager:/.test(licence)) {
        return unknown(
          'a secret, which only the machine reads',
          // The whole ARN: its last part has a suffix that is no part of the secret's name.
          `look by hand: aws secretsmanager describe-secret --secret-id ${licence}`,
        );
      }
      const name = licence.replace(/^arn:aws[\w-]*:ssm:[^:]*:\d*:parameter/, '');
      const there = await account.hasParameter(name, signal);
      return there ? ok(`the parameter ${name}`) : failed(`there is no parameter ${name}`, fix);
    },
  };
}
