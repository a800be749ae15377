import { Command } from 'commander';
import { createFiles } from '../../app/create-files.js';
import { createExecutors } from '../../app/executors.js';
import { configuredExecutors, sweep } from '../../app/sweep.js';
import { scheduleSweep, sweepScheduleId, unscheduleSweep } from '../../app/sweep-schedule.js';
import type { RemoteExecutorName } from '../../contracts/remote-work.js';
import { loadConfig } from '../../config/load-config.js';
import { EXIT } from '../../contracts/exit-codes.js';
import {
  incompleteSweep,
  SWEEP_AGE_MINUTES,
  type SweepReason,
  type SweepResult,
  type SweptWork,
} from '../../contracts/sweep.js';
import { CohortflowError } from '../../domain/errors.js';
import { jsonOption, wholeNumber } from '../options.js';
import { printJson, say } from '../output.js';
import { withClient } from './control.js';

interface SweepOptions {
  readonly yes?: boolean;
  readonly olderThan: number;
  readonly every?: number;
  readonly unknown?: boolean;
  readonly json?: boolean;
}

const REASONS: Readonly<Record<SweepReason, string>> = {
  closed: 'its workflow has ended',
  unknown: 'the server does not know its workflow (--unknown ends it too)',
  young: 'too young to tell (--older-than)',
  unanswered: 'the server did not answer: left alone',
  idle: 'a machine of a pool that has had no work for long, and should have ended itself',
  untagged: 'its tags name no workflow (--unknown ends it too)',
};

function line({ executor, id, workflowId, since, reason, outcome, message }: SweptWork): string {
  const whose = workflowId === undefined ? '' : `, of ${workflowId}`;
  const age = since === undefined ? '' : `, since ${since}`;
  const end = outcome === 'left' ? '' : `: ${outcome}${message === undefined ? '' : ` (${message})`}`;
  return `${executor} ${id}${whose}${age}: ${REASONS[reason]}${end}`;
}

function show({ alive, belongs, found, unasked }: SweepResult, ended: boolean): void {
  for (const work of found) say(line(work));
  for (const { executor, message } of unasked) say(`${executor}: not looked at: ${message}`);
  const forsaken = found.filter(({ reason }) => reason === 'closed' || reason === 'idle').length;
  say(`${alive} alive, ${belongs} of running workflows, ${found.length} listed`);
  if (forsaken > 0 && !ended) say(`--yes ends ${forsaken} that nobody waits for`);
}

/** Makes, changes or removes the schedule of sweeps. */
async function schedule(
  every: number,
  olderThanMinutes: number,
  executors: readonly RemoteExecutorName[],
  json: boolean,
): Promise<void> {
  const { taskQueue } = loadConfig();
  const scheduleId = sweepScheduleId(taskQueue);
  await withClient(async (client) => {
    if (every === 0) {
      const removed = await unscheduleSweep(client, taskQueue);
      if (json) printJson({ scheduleId, removed });
      else say(removed ? `${scheduleId}: removed` : `${scheduleId}: there was none`);
      return;
    }
    const { made } = await scheduleSweep(client, taskQueue, every, { executors, olderThanMinutes });
    if (json) printJson({ scheduleId, everyMinutes: every, made });
    else say(`${scheduleId}: ${made ? 'made' : 'changed'}; sweeps every ${every} minutes, and ends what it finds`);
  });
}

async function run(options: SweepOptions): Promise<void> {
  const { yes = false, olderThan, unknown = false } = options;
  const { aws } = loadConfig();
  const executors = configuredExecutors(aws);
  if (executors.length === 0) {
    throw new CohortflowError('AwsNotConfigured', 'sweep: the settings name no service (aws.sagemaker, aws.dragen)');
  }
  if (options.every !== undefined) return schedule(options.every, olderThan, executors, options.json === true);
  const request = { executors, end: yes, olderThanMinutes: olderThan, unknown };
  const { signal } = new AbortController();
  const result = await withClient((client) =>
    sweep(
      request,
      createExecutors(aws, createFiles(aws), () => client.options.namespace),
      client,
      signal,
    ),
  );
  if (options.json === true) printJson({ ended: yes, ...result });
  else show(result, yes);
  if (incompleteSweep(result) !== undefined) process.exitCode = EXIT.other;
}

function minutes(text: string): number {
  return text === '0' ? 0 : wholeNumber(text);
}

export function sweepCommand(): Command {
  return new Command('sweep')
    .description('List jobs and machines of ours that belong to no running workflow; --yes ends them.')
    .option('--yes', 'end those whose workflows have ended')
    .option('--older-than <minutes>', 'leave younger ones alone', minutes, SWEEP_AGE_MINUTES)
    .option('--every <minutes>', 'sweep by a Temporal schedule from now on; 0 removes it', minutes)
    .option('--unknown', 'also those whose workflows this server does not know; be sure that no other server has them')
    .addOption(jsonOption())
    .action(run);
}
