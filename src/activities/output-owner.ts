import { CohortflowError } from '../domain/errors.js';
import type { CohortServer, ServerIdentity } from '../ports/cohort-server.js';
import type { RunClaim, RunLedger, RunOwner } from '../ports/run-ledger.js';

interface Services {
  readonly ledger: RunLedger;
  readonly server: CohortServer;
}

function busy(message: string): CohortflowError {
  return new CohortflowError('OutputBusy', message);
}

/** What is said of a run on a server that is not ours: nobody here can ask whether it is open. */
function elsewhere(workflowId: string, { namespace, address }: ServerIdentity): CohortflowError {
  return busy(
    `the output folder belongs to workflow ${workflowId} on another Temporal server (namespace ${namespace} at ${address}), ` +
      'and has not written that it ended: let it end there, or cancel it there. ' +
      'Only when that server is gone for good: cohortflow run with --take-over',
  );
}

/**
 * True when a run that has not written its end is open.
 *
 * @throws CohortflowError `OutputBusy` when it runs on another server, which nobody here can ask; `ServerUnavailable`
 */
export async function isOpenHere(server: CohortServer, run: Omit<RunClaim, 'startedAt'>): Promise<boolean> {
  const { workflowId, runId } = run;
  if (run.server !== undefined && run.server.namespaceId !== (await server.identity()).namespaceId) {
    throw elsewhere(workflowId, run.server);
  }
  return server.isOpen(workflowId, runId);
}

/** Throws `OutputBusy` while another run may be writing; true when it was taken from one on another server. */
async function refuseBusy(before: RunOwner, { server }: Services, takeOver: boolean): Promise<boolean> {
  if (before.state !== 'running') return false;
  const { workflowId } = before;
  const others = before.server !== undefined && before.server.namespaceId !== (await server.identity()).namespaceId;
  if (others && takeOver) return true;
  if (await isOpenHere(server, before)) {
    throw busy(`the output folder belongs to workflow ${workflowId}, which is running`);
  }
  return false;
}

/**
 * Claims the output folder: another open workflow there would overwrite this one's files. Who comes after whom is written
 * once per predecessor, so that of two that come at the same time one is refused.
 *
 * @returns the runs it was taken from on other servers, which may still be at work
 * @throws CohortflowError `OutputBusy`
 */
export async function claimOutput(
  services: Services,
  output: string,
  claim: Omit<RunClaim, 'server'>,
  options: { readonly takeOver: boolean; readonly retryOf?: string | undefined },
): Promise<readonly string[]> {
  const { ledger, server } = services;
  const ours: RunClaim = { ...claim, server: await server.identity() };
  const taken: string[] = [];
  const seen = new Set<string>();
  let before = await ledger.owner(output);
  while (before?.runId !== ours.runId) {
    if (before !== undefined) {
      if (await refuseBusy(before, services, options.takeOver)) taken.push(before.runId);
      seen.add(before.runId);
    }
    const next = await ledger.claim(output, before?.runId, ours);
    if (next.runId === ours.runId) break;
    if (seen.has(next.runId))
      throw new CohortflowError('InternalError', 'the claims of the output folder go in a circle');
    // It claimed the folder and was lost before it said so, or says so this very moment.
    before = { ...next, state: 'running' };
  }
  const { retryOf } = options;
  await ledger.setOwner(output, { ...ours, state: 'running', ...(retryOf === undefined ? {} : { retryOf }) });
  return taken;
}

/**
 * Throws when the output folder has been taken over by another run: what this one would still write is the other's.
 *
 * @throws CohortflowError `OutputBusy`
 */
export async function refuseForeignOutput(ledger: RunLedger, output: string, runId: string): Promise<void> {
  const owner = await ledger.owner(output);
  if (owner === undefined || owner.runId === runId) return;
  throw busy(`the output folder was taken over by workflow ${owner.workflowId} (run ${owner.runId})`);
}
