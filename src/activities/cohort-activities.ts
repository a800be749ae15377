import { ApplicationFailure, Context } from '@temporalio/activity';
import type { CohortActivities, RunEnd } from '../contracts/activities.js';
import { layout } from '../contracts/layout.js';
import { compactOutcomes, listFinished } from './case-index.js';
import { prepareCohort, type PrepareServices } from './prepare-cohort.js';
import { heartbeating, toApplicationFailure } from './step-activities.js';
import { nextUnits } from './next-units.js';
import { selectFailed } from './select-failed.js';
import type { LookUpServices } from './finished-step.js';

/** What the quick activities need. */
export interface CohortServices extends PrepareServices, LookUpServices {}

async function openWorkflows({ server }: CohortServices, ids: readonly string[]): Promise<{ open: string[] }> {
  const open: string[] = [];
  for (const id of ids) if (await server.isOpen(id)) open.push(id);
  return { open };
}

async function closeRun(services: CohortServices, end: RunEnd): Promise<void> {
  const { output, runId, state, result } = end;
  const owner = await services.ledger.owner(output);
  if (owner === undefined || owner.runId !== runId) return;
  await services.files.remove(layout.work(output));
  const endedAt = new Date().toISOString();
  await services.ledger.setOwner(output, { ...owner, state, endedAt, ...(result === undefined ? {} : { result }) });
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

/** The quick activities: over the ledger and the pages of units. */
export function createCohortActivities(services: CohortServices): CohortActivities {
  const { ledger } = services;
  return {
    prepareCohort: (request) => heartbeating(() => prepareCohort(request, services)),
    nextUnits: (page) => heartbeating((_attempt, signal) => nextUnits(page, services, signal)),
    selectFailed: (request) => heartbeating((_attempt, signal) => selectFailed(services, request, signal)),
    claimPool: (claim) => coded(() => services.server.claimPool(claim)),
    openWorkflows: ({ ids }) => coded(() => openWorkflows(services, ids)),
    recordOutcome: ({ output, runId, record }) => coded(() => ledger.record(output, runId, record)),
    listFinished: (request) => heartbeating((_attempt, signal) => listFinished(services, request, signal)),
    compactOutcomes: (end) => heartbeating((_attempt, signal) => compactOutcomes(services, end, signal)),
    closeRun: (end) => coded(() => closeRun(services, end)),
  };
}
