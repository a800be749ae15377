import { Command, Option } from 'commander';
import { endedRun, isRunning, type RunStart } from '../../app/cohort-run.js';
import { retriedText, retryFailed } from '../../app/control-run.js';
import { ProgressSource } from '../../app/run-progress.js';
import { refuseEarlier } from '../../app/run-place.js';
import type { MultimodalInput } from '../../contracts/inputs.js';
import { checkRetryRequest, type RetryAnswer, type RetryRequest } from '../../contracts/control.js';
import { CohortflowError } from '../../domain/errors.js';
import { jsonOption, wholeNumber } from '../options.js';
import { printJson, say } from '../output.js';
import { outputOf, placeServices, withRun, workflowIdOf } from './control.js';
import { executeInput } from './run.js';

interface RetryOptions {
  readonly failed?: boolean;
  readonly reason?: string;
  readonly step?: string;
  readonly output?: string;
  readonly jobs?: number;
  readonly memoryPerJob?: number;
  readonly worker: boolean;
  readonly failOn: 'any' | 'none';
  readonly json?: boolean;
}

type Found =
  | { readonly kind: 'told'; readonly answer: RetryAnswer; readonly paused: boolean }
  | { readonly kind: 'new'; readonly input: MultimodalInput; readonly start: RunStart };

/** Tells a run that is open; of one that has ended makes the input of a new run over what failed. */
async function tellOrPrepare(run: string | undefined, options: RetryOptions, choice: RetryRequest): Promise<Found> {
  return withRun(run, options, async (client, workflowId) => {
    if (await isRunning(client, workflowId)) {
      const answer = await retryFailed(client, workflowId, choice);
      const progress = await new ProgressSource(client, workflowId).now();
      const paused = (['imaging', 'genomics'] as const).some(
        (name) => (answer[name] ?? 0) > 0 && progress?.modalities[name]?.paused === true,
      );
      return { kind: 'told', answer, paused };
    }
    await refuseEarlier(workflowId, outputOf(run, options), placeServices(client));
    const { type, runId, input } = await endedRun(client, workflowId);
    // What the folder was once taken over from is over.
    const { takeOver: _once, ...again } = input;
    return { kind: 'new', input: { ...again, retryOf: { runId, ...choice } }, start: { type, workflowId } };
  });
}

async function retry(run: string | undefined, options: RetryOptions): Promise<void> {
  if (options.failed !== true) throw new CohortflowError('InvalidInput', 'say what to retry: --failed');
  const { reason, step } = options;
  const choice: RetryRequest = {
    ...(reason === undefined ? {} : { code: reason }),
    ...(step === undefined ? {} : { step }),
  };
  checkRetryRequest(choice);
  const workflowId = workflowIdOf(run, options);
  const found = await tellOrPrepare(run, options, choice);
  if (found.kind === 'told') {
    const { answer, paused } = found;
    if (options.json === true) printJson({ workflowId, retried: answer, paused });
    else say(`${workflowId} ${paused ? 'is still paused' : 'goes on'}; ${retriedText(answer)}`);
    return;
  }
  process.exitCode = (await executeInput(found.input, options, found.start)).exitCode;
}

export function retryCommand(): Command {
  return new Command('retry')
    .description('Run failed cases again: within the run while it is open, after that in a new run over them alone.')
    .argument('[run]', 'workflow id')
    .option('--failed', 'the cases that failed')
    .option('--reason <code>', 'only those that failed with this code')
    .option('--step <name>', 'only those that failed in this step')
    .option('--output <folder>', 'the folder the run writes into, instead of its id')
    .option('--jobs <n>', 'heavy steps at once on this machine (default: its cores)', wholeNumber)
    .option('--memory-per-job <MB>', 'most memory of one heavy step', wholeNumber)
    .option('--no-worker', 'start no worker here: others serve the queue')
    .addOption(
      new Option('--fail-on <what>', 'whether failed cases make the exit code 3')
        .choices(['any', 'none'])
        .default('any'),
    )
    .addOption(jsonOption())
    .action(retry);
}
