import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { Command } from 'commander';
import { FileLedger } from '../../adapters/local/file-ledger.js';
import { ensureServer } from '../../adapters/local/temporal-server.js';
import { cohortResult, cohortWorkflowId } from '../../app/cohort-run.js';
import { TemporalCohortServer } from '../../app/cohort-server.js';
import { createFiles } from '../../app/create-files.js';
import { refuseEarlier, withPlace, type PlaceServices } from '../../app/run-place.js';
import { ProgressSource } from '../../app/run-progress.js';
import { cancelRun, stateOfRun, updateRun } from '../../app/control-run.js';
import { connectClient } from '../../app/temporal.js';
import { loadConfig } from '../../config/load-config.js';
import type { SteeringState, WidthRequest } from '../../contracts/control.js';
import { CohortflowError } from '../../domain/errors.js';
import { absolute, concurrency, jsonOption, wholeNumber } from '../options.js';
import { printJson, say } from '../output.js';
import { ProgressView, progressLines } from '../progress-view.js';
import { resultLines } from '../run-summary.js';

export interface ControlOptions {
  readonly output?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** The run that a person means: its id, or the folder it writes into. */
export function workflowIdOf(run: string | undefined, options: ControlOptions): string {
  if (run !== undefined) return run;
  if (options.output !== undefined) return cohortWorkflowId(absolute(options.output));
  throw new CohortflowError('InvalidInput', 'say which run: its id, or --output with its folder');
}

/** A client of the server that runs are on: that of the environment, else the embedded one. */
export async function withClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const { stateFolder, cacheFolder } = loadConfig();
  const server = await ensureServer({ env: process.env, stateFolder, cacheFolder, log: () => undefined });
  const client = await connectClient(server.kind === 'embedded' ? server : {});
  try {
    return await use(client);
  } finally {
    await client.connection.close();
  }
}

/** Who can say on which server a run is. */
export function placeServices(client: Client): PlaceServices {
  const { taskQueue, aws } = loadConfig();
  return {
    server: new TemporalCohortServer(() => client, taskQueue),
    ledger: new FileLedger(createFiles(aws)),
  };
}

/** The output folder, where a run was named by it. */
export function outputOf(run: string | undefined, { output }: ControlOptions): string | undefined {
  return run === undefined && output !== undefined ? absolute(output) : undefined;
}

/** Does something with a run. Where the server that is asked knows no such run, says which one does. */
export async function withRun<T>(
  run: string | undefined,
  options: ControlOptions,
  use: (client: Client, workflowId: string) => Promise<T>,
): Promise<T> {
  const workflowId = workflowIdOf(run, options);
  return withClient(async (client) => {
    try {
      return await use(client, workflowId);
    } catch (error) {
      if (!(error instanceof CohortflowError) || error.code !== 'RunNotFound') throw error;
      throw await withPlace(error, workflowId, outputOf(run, options), placeServices(client));
    }
  });
}

const WATCH_MS = 1_000;

async function status(run: string | undefined, options: ControlOptions): Promise<void> {
  await withRun(run, options, async (client, workflowId) => {
    const view = new ProgressView();
    const source = new ProgressSource(client, workflowId);
    for (;;) {
      const state = await stateOfRun(client, workflowId);
      const askedAt = new Date().toISOString();
      // Of a run that has ended the result tells more, and it may have no worker any more.
      const progress = state === 'RUNNING' ? await source.now() : undefined;
      if (options.watch === true && state === 'RUNNING') {
        if (progress !== undefined) view.show(progress);
        await sleep(WATCH_MS);
        continue;
      }
      view.clear();
      // An earlier run that ended here is not the one that is meant.
      if (state !== 'RUNNING') await refuseEarlier(workflowId, outputOf(run, options), placeServices(client));
      const result = state === 'COMPLETED' ? await cohortResult(client.workflow.getHandle(workflowId)) : undefined;
      if (options.json === true) {
        printJson({
          workflowId,
          state,
          askedAt,
          progress: progress ?? null,
          ...(result === undefined ? {} : { result }),
        });
        return;
      }
      say(`${workflowId} ${state.toLowerCase()}`);
      if (result !== undefined) for (const line of resultLines(result)) say(line);
      else if (progress !== undefined) for (const line of progressLines(progress, Date.now())) say(line);
      else say(state === 'RUNNING' ? 'no worker answers: how far it is cannot be told' : 'it left no result');
      return;
    }
  });
}

async function tell(
  update: 'pause' | 'resume' | 'setConcurrency' | 'setStartRate',
  run: string | undefined,
  options: ControlOptions,
  request?: WidthRequest,
): Promise<void> {
  const workflowId = workflowIdOf(run, options);
  const state = await withRun(run, options, (client) => updateRun(client, workflowId, update, request));
  if (options.json === true) printJson({ workflowId, ...state });
  else say(`${workflowId} ${stateText(state)}`);
}

function stateText({ paused, width, startRate }: SteeringState): string {
  if (paused) return 'is paused; what runs goes on to its end';
  return `runs, ${width} at once${startRate === 0 ? '' : `, at most ${startRate} started a minute`}`;
}

/** A start rate: 0 is no limit. */
function rate(text: string): number {
  return text === '0' ? 0 : wholeNumber(text);
}

async function cancel(run: string | undefined, options: ControlOptions): Promise<void> {
  const workflowId = workflowIdOf(run, options);
  await withRun(run, options, (client) => cancelRun(client, workflowId));
  if (options.json === true) printJson({ workflowId, cancelRequested: true });
  else say(`${workflowId} is being cancelled: what runs is stopped and every case gets its outcome`);
}

/** The verbs that look at a running cohort or steer it. */
export function controlCommands(): Command[] {
  const verb = (name: string, about: string): Command =>
    new Command(name)
      .description(about)
      .option('--output <folder>', 'the folder the run writes into, instead of its id')
      .addOption(jsonOption());
  return [
    verb('status', 'Say how far a run is.')
      .argument('[run]', 'workflow id')
      .option('--watch', 'go on until it has ended')
      .action(status),
    verb('pause', 'Start nothing new in a run; what runs goes on to its end.')
      .argument('[run]', 'workflow id')
      .action((run: string | undefined, options: ControlOptions) => tell('pause', run, options)),
    verb('resume', 'Go on with a paused run.')
      .argument('[run]', 'workflow id')
      .action((run: string | undefined, options: ControlOptions) => tell('resume', run, options)),
    verb('set-concurrency', 'Change how many cases of a run are in flight.')
      .argument('<n>', 'cases at once, or imaging=N,genomics=N', concurrency)
      .argument('[run]', 'workflow id')
      .action((n: WidthRequest, run: string | undefined, options: ControlOptions) =>
        tell('setConcurrency', run, options, n),
      ),
    verb('set-start-rate', 'Change how many cases of a run are started in a minute; 0 lifts the limit.')
      .argument('<n>', 'cases a minute', rate)
      .argument('[run]', 'workflow id')
      .action((n: number, run: string | undefined, options: ControlOptions) => tell('setStartRate', run, options, n)),
    verb('cancel', 'Cancel a run: its cases are stopped and each gets its outcome.')
      .argument('[run]', 'workflow id')
      .action(cancel),
  ];
}
