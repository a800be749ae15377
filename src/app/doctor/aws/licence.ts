import { DEFAULT_DRAGEN_PROFILE, dragenProfile } from '../../../domain/genomics/dragen/index.js';
import { CohortflowError } from '../../../domain/errors.js';
import type { SecretFacts } from '../../../ports/aws-account.js';
import { failed, ok, unknown, warning, type Check, type Verdict } from '../check.js';
import type { AwsSubject } from './wanted.js';

/** The ARN of a secret: its Region and its name, which ends with a suffix that the service gave. */
const SECRET = /^arn:aws[\w-]*:secretsmanager:([^:]*):[^:]*:secret:(.+)$/;

/** What reads the licence in the end; whoever looks needs another right. */
const MACHINE_NEEDS = 'the role of aws.dragen.instanceProfile needs secretsmanager:GetSecretValue on it';

/** Whether a secret is there and can be read by a machine: its value is not asked for. */
async function secretVerdict(arn: string, { account }: AwsSubject, signal: AbortSignal): Promise<Verdict> {
  const [, region, name] = SECRET.exec(arn) ?? [];
  if (region === undefined || name === undefined) {
    return failed(
      'aws.dragen.licence is no ARN of a secret',
      'correct it: arn:aws:secretsmanager:REGION:ACCOUNT:secret:…',
    );
  }
  const here = await account.region();
  if (here !== undefined && region !== here) {
    const found = `the secret ${name} is in ${region}, machines in ${here} do not find it there`;
    return failed(found, `put the credentials into a secret of ${here}: aws.dragen.licence`);
  }
  let facts: SecretFacts | undefined;
  try {
    facts = await account.secret(arn, signal);
  } catch (error) {
    if (!(error instanceof CohortflowError) || error.code !== 'AwsDenied') throw error;
    return unknown(
      `the secret ${name} may not be looked at by whoever runs this, which says nothing of the machine: ${error.message}`,
      `grant secretsmanager:DescribeSecret on ${arn} to whoever runs this, or look by hand; ${MACHINE_NEEDS}`,
    );
  }
  if (facts === undefined) {
    return failed(`there is no secret ${name}`, 'put the credentials there, or correct aws.dragen.licence');
  }
  if (facts.deletedAt !== undefined) {
    const found = `the secret ${name} is marked for deletion (${facts.deletedAt})`;
    return failed(found, `aws secretsmanager restore-secret --secret-id ${arn}, or correct aws.dragen.licence`);
  }
  if (!facts.filled) {
    const fix = `aws secretsmanager put-secret-value --secret-id ${arn} --secret-string file://…`;
    return failed(`nothing is in the secret ${name}`, fix);
  }
  return ok(`the secret ${name}; ${MACHINE_NEEDS}`);
}

/** The reference to DRAGEN's licence credentials. They are looked for, never read: only the machine needs them. */
export function licenceCheck(subject: AwsSubject): Check {
  const { account, objects, settings, wanted } = subject;
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
      if (/^arn:aws[\w-]*:secretsmanager:/.test(licence)) return secretVerdict(licence, subject, signal);
      const name = licence.replace(/^arn:aws[\w-]*:ssm:[^:]*:\d*:parameter/, '');
      const there = await account.hasParameter(name, signal);
      return there ? ok(`the parameter ${name}`) : failed(`there is no parameter ${name}`, fix);
    },
  };
}
