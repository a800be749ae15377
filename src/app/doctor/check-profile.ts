import { randomUUID } from 'node:crypto';
import { AwsAccountReader } from '../../adapters/aws/account/account-reader.js';
import { S3Files } from '../../adapters/aws/s3-files.js';
import type { AwsSettings } from '../../config/aws-settings.js';
import { CohortflowError } from '../../domain/errors.js';
import { awsChecks } from './aws-checks.js';
import type { AwsSubject, Wanted } from './aws/wanted.js';
import { anyFailed, runChecks, unknown, type Finding } from './check.js';

/** The account of the settings, for the checks. */
export function awsSubject(settings: AwsSettings, wanted: Wanted): AwsSubject {
  return {
    ...{ settings, wanted },
    account: new AwsAccountReader(settings),
    objects: new S3Files(settings),
    probe: () => `cohortflow-doctor-${randomUUID()}`,
  };
}

/** Looks at an account. Without credentials or a Region nothing else is asked. */
export async function lookAtAccount(subject: AwsSubject, signal: AbortSignal): Promise<readonly Finding[]> {
  const { first, rest } = awsChecks(subject);
  const findings = await runChecks(first, signal);
  if (!anyFailed(findings)) return [...findings, ...(await runChecks(rest, signal))];
  if (rest.length === 0) return findings;
  // Each by name: what was not looked at is not well.
  const names = [...new Set(rest.map(({ name }) => name))].join(', ');
  return [...findings, { name: 'All else', ...unknown(`not looked at: ${names}`, 'mend the above, then look again') }];
}

/** One line for each finding that is not well, with what to do. */
function faultsText(findings: readonly Finding[]): string {
  return findings
    .map(({ name, found, fix }) => `${name}: ${found}${fix === undefined ? '' : `\n    ${fix}`}`)
    .join('\n  ');
}

/**
 * Looks at what a run needs of an account before anything of it is started.
 *
 * @returns what was found; warnings and unknowns are for the caller to say
 * @throws CohortflowError `AwsNotReady` with everything that cannot work and how to mend it
 */
export async function checkProfile(
  settings: AwsSettings,
  wanted: Wanted,
  signal: AbortSignal,
  subject: AwsSubject = awsSubject(settings, wanted),
): Promise<readonly Finding[]> {
  const findings = await lookAtAccount(subject, signal);
  const faults = findings.filter(({ state }) => state === 'failed');
  if (faults.length > 0) {
    const message = `the account is not ready, nothing was started:\n  ${faultsText(faults)}`;
    throw new CohortflowError('AwsNotReady', message, { findings: faults });
  }
  return findings;
}
