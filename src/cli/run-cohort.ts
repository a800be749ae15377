import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { ensureServer } from '../adapters/local/temporal-server.js';
import { cohortResult, isRunning, startOrAttach, type RunStart } from '../app/cohort-run.js';
import { updateRun } from '../app/control-run.js';
import { ProgressSource, trippedModalities, trippedModality, type RunProgress } from '../app/run-progress.js';
import { connectClient, type TemporalTarget } from '../app/temporal.js';
import { WorkerProcess } from '../app/worker-process.js';
import type { Config } from '../config/config.js';
import type { BreakerTrip } from '../contracts/control.js';
import type { MultimodalInput } from '../contracts/inputs.js';
import type { CohortResult } from '../contracts/results.js';
import { CohortflowError } from '../domain/errors.js';
import { failureKind } from '../domain/failures/index.js';
import { say } from './output.js';
import { ProgressView } from './progress-view.js';

export interface CohortRun {
  readonly workflowId: string;
  /** Undefined when the person left with Ctrl-C (the run goes on), or the circuit breaker paused the run. */
  readonly result: CohortResult | undefined;
  /** Set when the circuit breaker paused the run. */
  readonly paused?: BreakerTrip;
  readonly uiUrl?: string;
}

const POLL_MS = 500;

/** The first Ctrl-C leaves, the second cancels. SIGTERM only leaves, however often: `timeout`, say, sends it twice. */
class Interrupts {
  count = 0;
  terminated = false;
  private wake: (() => void) | undefined;
  private readonly interrupt = (): void => {
    this.count += 1;
    this.wake?.();
  };
  private readonly terminate = (): void => {
    this.terminated = true;
    this.wake?.();
  };

  constructor() {
    process.on('SIGINT', this.interrupt);
    process.on('SIGTERM', this.terminate);
  }

  next(): Promise<'interrupted'> {
    return new Promise((resolve) => (this.wake = () => resolve('interrupted')));
  }

  end(): void {
    process.off('SIGINT', this.interrupt);
    process.off('SIGTERM', this.terminate);
  }
}

/** How long a second Ctrl-C after the first cancels instead of having left. */
const SECOND_MS = 2_000;

/** Shows progress until `ended`; resolves early with why, when the run has paused itself and nothing is under way. */
async function follow(
  source: ProgressSource,
  view: ProgressView,
  ended: () => boolean,
): Promise<BreakerTrip | undefined> {
  try {
    while (!ended()) {
      const progress = await source.now();
      if (progress !== undefined && !ended()) view.show(progress);
      const tripped = progress === undefined ? undefined : tripOf(progress);
      if (tripped !== undefined) return tripped;
      await sleep(POLL_MS);
    }
    return undefined;
  } finally {
    view.clear();
  }
}

function tripOf(progress: RunProgress): BreakerTrip | undefined {
  const name = trippedModality(progress);
  if (name !== undefined) return progress.modalities[name]?.breaker;
  // A table that waits for someone does not hold up the units of the others.
  return Object.values(progress.modalities).every(({ running }) => running === 0) ? progress.breaker : undefined;
}

/** What to do about a run that paused itself. */
function sayPaused({ code, failures }: BreakerTrip, output: string): void {
  const what = failures === 1 ? 'what it tried' : `the last ${failures} cases`;
  say(`paused by the circuit breaker: ${what} failed with ${code}, and the next would too`);
  say(`  ${failureKind(code).remedy}`);
  say(`  then the same command again, or cohortflow resume --output ${output}: it goes on, with these cases too`);
}

/** A run that paused itself goes on when its command is given again: what it was paused for is taken for mended. */
async function goOn(client: Client, workflowId: string): Promise<void> {
  const progress = await new ProgressSource(client, workflowId).now();
  if (progress === undefined) return;
  if (progress.breaker !== undefined) {
    // It alone: what someone paused beside it stays paused.
    await updateRun(client, progress.breaker.workflowId, 'resume');
    say(`it had paused itself (${progress.breaker.code}) and goes on now`);
  }
  for (const { workflowId: tripped, modality, breaker } of trippedModalities(progress)) {
    await updateRun(client, tripped, 'resume');
    say(`${modality} had paused itself (${breaker?.code}) and goes on now`);
  }
}

/**
 * Runs a cohort to its end with a server, a worker and live progress, or attaches to the one that already runs into the
 * same output.
 *
 * @throws CohortflowError the coded reason when the workflow refused its input or was cancelled
 */
export async function runCohort(
  input: MultimodalInput,
  config: Config,
  ownWorker: boolean,
  start?: RunStart,
): Promise<CohortRun> {
  const { stateFolder, cacheFolder } = config;
  const server = await ensureServer({ env: process.env, stateFolder, cacheFolder, log: say });
  const target: TemporalTarget =
    server.kind === 'embedded' ? { address: server.address, namespace: server.namespace } : {};
  const client = await connectClient(target);
  const interrupts = new Interrupts();
  const { handle, attached } = await startOrAttach(client, config.taskQueue, input, start).catch(
    async (error: unknown) => {
      interrupts.end();
      await client.connection.close();
      throw error;
    },
  );
  const { workflowId } = handle;
  say(attached ? `attached to ${workflowId}, which runs into this output` : `started ${workflowId}`);
  const worker = new WorkerProcess(config, target, workflowId, say, () => isRunning(client, workflowId));
  let done = false;
  let over = false;
  const leaving = new AbortController();
  // The client listens once for every call it makes while it waits.
  setMaxListeners(0, leaving.signal);
  const asking = new AbortController();
  let settled: Promise<unknown> = Promise.resolve();
  let shown: Promise<BreakerTrip | undefined> = Promise.resolve(undefined);
  const view = new ProgressView();
  const ui = server.uiUrl === undefined ? {} : { uiUrl: server.uiUrl };
  try {
    if (ownWorker) worker.start();
    if (attached) await goOn(client, workflowId);
    const outcome = client.withAbortSignal(leaving.signal, () => cohortResult(handle));
    settled = outcome.catch(() => undefined);
    // A coded error is how the workflow ended; any other says nothing about it. What is below a terminated one still ends,
    // and the worker with it.
    outcome.then(
      () => (over = true),
      (error: unknown) => (over = error instanceof CohortflowError && error.code !== 'Terminated'),
    );
    shown = follow(new ProgressSource(client, workflowId, asking.signal), view, () => done);
    const tripped = shown.then((trip) => (trip === undefined ? new Promise<never>(() => undefined) : { trip }));
    for (;;) {
      const ending = await Promise.race([outcome, tripped, worker.failed, interrupts.next()]);
      if (ending !== 'interrupted' && 'trip' in ending) {
        sayPaused(ending.trip, input.output);
        return { workflowId, result: undefined, paused: ending.trip, ...ui };
      }
      if (ending !== 'interrupted') {
        done = true;
        // The worker has ended with its run: nobody answers any more.
        asking.abort();
        await shown;
        return { workflowId, result: ending, ...ui };
      }
      if (interrupts.count <= 1) {
        view.clear();
        if (!interrupts.terminated) {
          say('leaving; once more within two seconds cancels the run');
          await Promise.race([sleep(SECOND_MS), interrupts.next()]);
        }
        if (interrupts.count <= 1) {
          say(`the run goes on in the background; the same command comes back to it`);
          return { workflowId, result: undefined, ...ui };
        }
      }
      say('cancelling: what runs is stopped and every case gets its outcome');
      await handle.cancel();
    }
  } finally {
    done = true;
    // Told to end, not left to notice by itself: the server may be stopped before it looks again.
    if (over) worker.stop();
    else worker.leave();
    // A call that is still waiting would be tried again on the closed connection.
    leaving.abort();
    asking.abort();
    await Promise.all([settled, shown]);
    interrupts.end();
    await client.connection.close();
  }
}
