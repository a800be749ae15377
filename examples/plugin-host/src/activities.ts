import { log } from '@temporalio/activity';

/** An activity of our own, beside cohortflow's. */
export async function announce(text: string): Promise<string> {
  log.info(`the cohort has ended: ${text}`);
  return text;
}
