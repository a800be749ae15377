import { setMaxListeners } from 'node:events';
import type { Client } from '@temporalio/client';
import type { BreakerTrip } from '../contracts/control.js';
import { NO_UNITS, addCounts, type UnitCounts } from '../contracts/outcome.js';
import { PROGRESS_QUERY, type CohortProgress, type FanOutProgress } from '../contracts/progress.js';
import { modalityWorkflowId, type FanOutModality, type Modality } from '../contracts/workflow-ids.js';

/** Where one modality stands. */
export interface ModalityProgress extends FanOutProgress {
  /** The workflow that runs its units, and can be steered alone. */
  readonly workflowId: string;
  /** ISO time of the oldest of the answers that these numbers are made of. */
  readonly asOf: string;
}

/** Where a run stands, asked of the workflows that know. */
export interface RunProgress {
  readonly phase: CohortProgress['phase'];
  readonly startedAt: string;
  readonly modalities: Readonly<Partial<Record<Modality, ModalityProgress>>>;
  /** Why the end of the run, or its clinical table, waits for someone, and the workflow that does. */
  readonly breaker?: BreakerTrip & { readonly workflowId: string };
}

/** A workflow whose worker is gone does not answer at all. */
const PATIENCE_MS = 5_000;

interface Answer {
  readonly at: number;
  readonly progress: CohortProgress;
}

/**
 * Asks a run how far it is: the root, its modalities and their lanes. Remembers the last answers, so that a workflow whose
 * worker is busy or gone still shows what it said last, and how old that is.
 */
export class ProgressSource {
  private readonly last = new Map<string, Answer>();

  /** @param signal gives up what is being asked */
  constructor(
    private readonly client: Client,
    private readonly workflowId: string,
    private readonly signal: AbortSignal = new AbortController().signal,
  ) {
    // A listener for each workflow that is being asked.
    setMaxListeners(0, signal);
  }

  /** Undefined while nobody has ever answered. */
  async now(): Promise<RunProgress | undefined> {
    const root = await this.ask(this.workflowId);
    if (root === undefined) return undefined;
    const { phase, startedAt, children, fanOut, breaker } = root.progress;
    const modalities: Partial<Record<Modality, ModalityProgress>> = {};
    let waits = breaker === undefined ? undefined : { ...breaker, workflowId: this.workflowId };
    const parts = children.map((name) => [name, modalityWorkflowId(this.workflowId, name)] as const);
    // A modality that is its own root says which it is by having no children but units.
    const own = fanOut === undefined ? [] : [[fanOut.modality, this.workflowId] as const];
    await Promise.all(
      [...parts, ...own].map(async ([name, id]) => {
        const answer = await this.ask(id);
        const trip = answer?.progress.breaker;
        if (trip !== undefined) waits ??= { ...trip, workflowId: id };
        if (answer?.progress.fanOut !== undefined)
          modalities[name] = { ...(await this.withLanes(answer, answer.progress.fanOut)), workflowId: id };
      }),
    );
    return { phase, startedAt, modalities, ...(waits === undefined ? {} : { breaker: waits }) };
  }

  private async ask(workflowId: string): Promise<Answer | undefined> {
    // One for each call: the client never takes its listener off again, and a run may be followed for days.
    const call = new AbortController();
    const giveUp = (): void => call.abort();
    this.signal.addEventListener('abort', giveUp, { once: true });
    if (this.signal.aborted) giveUp();
    try {
      const handle = this.client.workflow.getHandle(workflowId);
      const progress = await this.client.withAbortSignal(call.signal, () =>
        this.client.withDeadline(Date.now() + PATIENCE_MS, () => handle.query<CohortProgress, []>(PROGRESS_QUERY)),
      );
      this.last.set(workflowId, { at: Date.now(), progress });
    } catch {
      // Not started yet, or no worker to answer: what it said last is shown, with its age.
    } finally {
      this.signal.removeEventListener('abort', giveUp);
    }
    return this.last.get(workflowId);
  }

  /** Puts what the lanes say in the place of what their cohort knows: it hears of them now and then only. */
  private async withLanes(answer: Answer, known: FanOutProgress): Promise<Omit<ModalityProgress, 'workflowId'>> {
    let { at } = answer;
    let counts: UnitCounts = known;
    let { running } = known;
    const lastFailures = [...known.lastFailures];
    await Promise.all(
      known.lanes.map(async ({ id, counts: told }) => {
        const lane = await this.ask(id);
        if (lane?.progress.fanOut === undefined) return;
        at = Math.min(at, lane.at);
        const { done, reused, failed, cancelled } = addCounts(lane.progress.fanOut, minus(told));
        counts = addCounts(counts, { ...NO_UNITS, done, reused, failed, cancelled });
        running += lane.progress.fanOut.running;
        lastFailures.push(...lane.progress.fanOut.lastFailures);
      }),
    );
    const asOf = new Date(at).toISOString();
    return { ...known, ...counts, running, lastFailures: lastFailures.slice(-5), asOf };
  }
}

function minus({ total, done, reused, failed, cancelled }: UnitCounts): UnitCounts {
  return { total: -total, done: -done, reused: -reused, failed: -failed, cancelled: -cancelled };
}

/** The modalities that the circuit breaker paused, whatever is still under way in them. */
export function trippedModalities({ modalities }: RunProgress): ModalityProgress[] {
  return Object.values(modalities).filter(({ breaker }) => breaker !== undefined);
}

/** What a run waits for that its circuit breaker paused and in which nothing is under way any more. */
export function trippedModality(progress: RunProgress): FanOutModality | undefined {
  return (['imaging', 'genomics'] as const).find((name) => {
    const one = progress.modalities[name];
    return one?.breaker !== undefined && one.running === 0;
  });
}
