import { describe } from 'vitest';
import type { AwsSettings } from '../../../src/config/aws-settings.js';

const { COHORTFLOW_TEST_ACCOUNT: NAMED, COHORTFLOW_TEST_ACCOUNT_SPEND: SPEND } = process.env;

/** The word that allows what costs by the hour: jobs and machines. */
const WORD = 'instance-hours';

/** Whose things of an account are these tests': a prefix of names, and a namespace nobody else has. */
export const TEST_RUN = `cohortflow-test-${crypto.randomUUID().slice(0, 8)}`;

/** The settings of the real account that tests may use, everything that is made there tagged; undefined: there is the stand-in. */
export const REAL_ACCOUNT: AwsSettings | undefined = NAMED === undefined ? undefined : settingsOf(NAMED);

function settingsOf(text: string): AwsSettings {
  const settings = JSON.parse(text) as AwsSettings;
  if (settings.work === undefined)
    throw new Error('COHORTFLOW_TEST_ACCOUNT: aws.work is wanted, where tests may write');
  // Clients that are told no Region take it from here.
  if (settings.region !== undefined) process.env['AWS_REGION'] = settings.region;
  return { ...settings, tags: { ...settings.tags, 'cohortflow-test': TEST_RUN } };
}

/** What a suite is about, for its title. */
export const ACCOUNT_NAME = REAL_ACCOUNT === undefined ? 'the stand-in' : 'a real account';

/** True when jobs and machines may be started: in the stand-in, and in an account whose owner says so. */
export function maySpend(what: string): boolean {
  if (REAL_ACCOUNT === undefined || SPEND === WORD) return true;
  console.warn(
    `skipped: ${what} would cost instance hours in the account (COHORTFLOW_TEST_ACCOUNT_SPEND=${WORD} allows it)`,
  );
  return false;
}

/** True when a real account's settings have what a suite needs, and always in the stand-in. */
export function hasSettings(what: string, ...needed: readonly unknown[]): boolean {
  if (REAL_ACCOUNT === undefined || needed.every((one) => one !== undefined)) return true;
  console.warn(`skipped: COHORTFLOW_TEST_ACCOUNT lacks settings for ${what}`);
  return false;
}

/** A suite of what no real account can be told to do, or shows: faults, lags, what goes on behind the service. */
export function inStandInOnly(title: string, body: () => void): void {
  if (REAL_ACCOUNT === undefined) return void describe(title, body);
  console.warn(`skipped: only the stand-in can be told to do what this tests: ${title}`);
  describe.skip(title, body);
}
