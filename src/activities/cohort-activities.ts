import { ApplicationFailure, Context } from '@temporalio/activity';
import type { CohortActivities, RunEnd } from '../contracts/activities.js';
import { layout } from '../contracts/layout.js';
import { compactOutcomes, listFinished } from './case-index.js';
import { prepareCohort, type PrepareServices } from './prepare-cohort.js';
import { heartbeating, toApplicationFailure } from './step-activities.js';
import { nextUnits } from './next-units.js';
import { refuseForeignOutput } from './output-owner.js';
import { selectFailed } from './select-failed.js';
import type { LookUpServices } from './finished-step.js';

/** What the quick activities need. */
export interface CohortServices extends PrepareServices, LookUpServices {}

async function openWorkflows({ server }: CohortServices, ids: readonly string[]): Promise<{ open: string[] }> {
  const open: string[] = [];
  for (const id of ids) if (await server.isOpen(id)) open.push(id);
  return { open };
}

async function closeRun({ files, ledger }: CohortServices, end: RunEnd): Promise<void> {
  const { output, runId, state, joinedAt, result } = end;
  const owner = await ledger.owner(output);
  if (owner !== undefined && owner.runId !== runId) return;
  await files.remove(layout.work(output));
  const endedAt = new Date().toISOString();
  // Someone removed or damaged run.json: the run is over all the same, and its results are worth being found.
  const claim = owner ?? (await ledger.claims(output)).find((made) => made.runId === runId);
  const workflowId = Context.current().info.workflowExecution?.workflowId ?? '';
  const known = claim ?? { workflowId, runId, startedAt: endedAt };
  const told = { ...(joinedAt === undefined ? {} : { joinedAt }), ...(result === undefined ? {} : { result }) };
  await ledger.setOwner(output, { ...known, state, endedAt, ...told });
}

async function coded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ApplicationFailure
      ? error
      : toApplicationFailure(error, { attempt: Context.current().info.attempt });
  }
}

/** A pool that was ended from outside is asked who held its slots; from this attempt on one is started without that. */
const BLIND_CLAIM = 6;

/** The quick activities: over the ledger and the pages of units. */
export function createCohortActivities(services: CohortServices): CohortActivities {
  const { ledger } = services;
  /** What reads or writes what the whole output has once: not for a run that the output was taken from. */
  const asOwner = <R extends { readonly output: string; readonly runId: string }, T>(
    request: R,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> =>
    heartbeating(async (_attempt, signal) => {
      await refuseForeignOutput(ledger, request.output, request.runId);
      return work(signal);
    });
  return {
    prepareCohort: (request) => heartbeating(() => prepareCohort(request, services)),
    nextUnits: (page) => asOwner(page, (signal) => nextUnits(page, services, signal)),
    selectFailed: (request) => asOwner(request, (signal) => selectFailed(services, request, signal)),
    claimPool: (claim) => coded(() => services.server.claimPool(claim, Context.current().info.attempt < BLIND_CLAIM)),
    openWorkflows: ({ ids }) => coded(() => openWorkflows(services, ids)),
    recordOutcome: ({ output, runId, record }) => coded(() => ledger.record(output, runId, record)),
    listFinished: (request) => asOwner(request, (signal) => listFinished(services, request, signal)),
    compactOutcomes: (end) => asOwner(end, (signal) => compactOutcomes(services, end, signal)),
    closeRun: (end) => heartbeating(() => closeRun(services, end)),
  };
}
