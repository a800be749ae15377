import { ApplicationFailure, Context } from '@temporalio/activity';
import type { CohortActivities, StepActivities, StepReport, StepRequest } from '../../src/contracts/activities.js';
import type { OutcomeRecord } from '../../src/contracts/outcome.js';
import { CLAIM_SIGNAL } from '../../src/contracts/pools.js';
import { poolWorkflowId } from '../../src/contracts/workflow-ids.js';
import type { CohortUnit, ImagingUnit } from '../../src/domain/cohort/manifest.js';

/** What one attempt of a simulated step does; returning means success. */
export type StepBehaviour = (request: StepRequest, attempt: number) => void | Promise<void>;

/** Studies `S-0`, `S-1`, …, whose folder tells which they are. */
export function simulatedStudies(count: number): ImagingUnit[] {
  return Array.from({ length: count }, (_, index) => ({
    modality: 'imaging',
    caseId: `S-${index}`,
    source: { kind: 'dicom', folder: `/studies/${index}` },
  }));
}

/** Index of a simulated study. */
export function indexOf(request: StepRequest): number {
  return Number(request.unit?.caseId.slice(2));
}

/**
 * Makes an attempt last simulated time: the server holds simulated time still while an activity runs, so the first
 * attempt of a step "fails" with the delay as its back-off and the second goes on. The study's real workflow, retries and
 * all, is what waits.
 */
export function lasting(milliseconds: (index: number) => number, step = 'imaging.convert'): StepBehaviour {
  return (request, attempt) => {
    if (request.step !== step || attempt > 1) return;
    const nextRetryDelay = milliseconds(indexOf(request));
    if (nextRetryDelay > 0) throw ApplicationFailure.create({ message: 'simulated work', nextRetryDelay });
  };
}

/** Works until it is cancelled, with a sign of life now and then, as the real step activity does. */
export async function untilCancelled(): Promise<void> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), 50);
  try {
    await context.cancelled;
  } finally {
    clearInterval(timer);
  }
}

/** Everything the workflows asked of the outside world. */
export interface Simulation extends CohortActivities, StepActivities {
  readonly records: OutcomeRecord[];
  readonly steps: { readonly step: string; readonly caseId: string; readonly attempt: number }[];
  readonly closed: string[];
}

/** Activities in memory over the given units, in place of files and processes. */
export function simulate(units: readonly CohortUnit[], behave: StepBehaviour = () => undefined): Simulation {
  const records: OutcomeRecord[] = [];
  const steps: { step: string; caseId: string; attempt: number }[] = [];
  const closed: string[] = [];
  const rounds = new Map<string, CohortUnit[]>();
  const of = (modality: string): CohortUnit[] => units.filter((unit) => unit.modality === modality);
  return {
    records,
    steps,
    closed,
    prepareCohort: async ({ runId, modalities }) => ({
      runId,
      cases: new Set(units.map((unit) => unit.caseId)).size,
      imaging: modalities.includes('imaging') ? of('imaging').length : 0,
      genomics: modalities.includes('genomics') ? of('genomics').length : 0,
    }),
    nextUnits: async ({ modality, round, first, stride, from, limit }) => {
      const whole = round === 0 ? of(modality) : (rounds.get(`${modality}-${round}`) ?? []);
      const slice = whole.filter((_, index) => index >= first && (index - first) % stride === 0);
      const found = slice.slice(from, from + limit).map((unit, index) => ({ unit, at: from + index, reused: 0 }));
      return { units: found, reused: 0, next: from + found.length };
    },
    selectFailed: async ({ modality, round, choice }) => {
      const ours = records.filter((record) => record.modality === modality);
      const last = new Map(ours.map((record) => [record.caseId, record]));
      const failed = of(modality).filter(({ caseId }) => {
        const record = last.get(caseId);
        return record?.outcome === 'failed' && (choice.code === undefined || record.code === choice.code);
      });
      rounds.set(`${modality}-${round}`, failed);
      return { total: failed.length };
    },
    claimPool: async (claim) => {
      const client = Context.current().client;
      await client.workflow.signalWithStart('resourcePool', {
        workflowId: poolWorkflowId(claim.pool),
        taskQueue: Context.current().info.taskQueue,
        args: [{ pool: claim.pool }],
        signal: CLAIM_SIGNAL,
        signalArgs: [claim],
      });
    },
    openWorkflows: async ({ ids }) => ({ open: ids }),
    recordOutcome: async ({ record }) => void records.push(record),
    listFinished: async () => ({ list: '/list.jsonl', units: 1, segments: 0 }),
    compactOutcomes: async () => ({
      file: '/outcomes.csv',
      cases: '/cases.jsonl',
      failed: records.filter((record) => record.outcome === 'failed').length,
    }),
    closeRun: async ({ state }) => void closed.push(state),
    runStep: async (request): Promise<StepReport> => {
      const { attempt } = Context.current().info;
      steps.push({ step: request.step, caseId: request.unit?.caseId ?? '', attempt });
      await behave(request, attempt);
      return { outcome: 'done', why: 'new', folder: '/out', outputs: ['a.txt'], summary: { rows: 1, columns: 1 } };
    },
  };
}
