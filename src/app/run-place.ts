import { CohortflowError } from '../domain/errors.js';
import type { CohortServer, ServerIdentity } from '../ports/cohort-server.js';
import type { RunLedger, RunOwner } from '../ports/run-ledger.js';

/** Who can be asked where a run is: the server that the command talks to, and what is written in the output folder. */
export interface PlaceServices {
  readonly server: Pick<CohortServer, 'identity'>;
  readonly ledger: Pick<RunLedger, 'owner'>;
}

export function serverName({ address, namespace }: ServerIdentity): string {
  return `the Temporal server at ${address} (namespace ${namespace})`;
}

const TAKE_OVER = 'only when that server is gone for good: cohortflow run with --take-over';

/** Where the run is that an output folder names, when that is not the server which was asked; and what to do then. */
function elsewhere(output: string, { workflowId, state, server }: RunOwner, asked: ServerIdentity): string | undefined {
  if (server === undefined || server.namespaceId === asked.namespaceId) return undefined;
  // Another database behind the same name: an embedded server whose state was deleted, a namespace made anew.
  const made = server.address === asked.address && server.namespace === asked.namespace;
  const where = made ? `${serverName(server)}, which has been set up anew since` : serverName(server);
  if (state !== 'running') {
    return (
      `the last run into ${output} was workflow ${workflowId} on ${where}, and is ${state}: ask that server, ` +
      'or give the command of run again, which does what is new, changed or failed'
    );
  }
  const ask = 'ask that server (TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, or a profile of the Temporal CLI)';
  return `${output} is held by workflow ${workflowId} on ${where}: ${made ? '' : `${ask}; `}${TAKE_OVER}`;
}

/**
 * Says where the run is that writes, or wrote last, into a folder, when that is another server than the one that is asked.
 * Undefined when it is on this one, or when nobody can tell.
 */
export async function heldElsewhere(output: string, { server, ledger }: PlaceServices): Promise<string | undefined> {
  const owner = await ledger.owner(output).catch(() => undefined);
  return owner?.server === undefined ? undefined : elsewhere(output, owner, await server.identity());
}

/**
 * Refuses to answer for a run by what this server knows of an earlier one.
 *
 * @throws CohortflowError `RunNotFound` when the last run into the folder is on another server
 */
export async function refuseEarlier(
  workflowId: string,
  output: string | undefined,
  services: PlaceServices,
): Promise<void> {
  if (output === undefined || (await heldElsewhere(output, services)) === undefined) return;
  throw new CohortflowError('RunNotFound', `the run ${workflowId} that this server knows of is an earlier one`);
}

/** The failure of a command that found no run, with which server was asked and where the run is. */
export async function withPlace(
  error: CohortflowError,
  workflowId: string,
  output: string | undefined,
  { server, ledger }: PlaceServices,
): Promise<CohortflowError> {
  const asked = await server.identity().catch(() => undefined);
  if (asked === undefined) return error;
  const add = (...more: readonly string[]): CohortflowError =>
    new CohortflowError(error.code, [error.message, ...more].join('; '), error.details, error);
  const was = `${serverName(asked)} was asked`;
  if (output === undefined)
    return add(was, '--output with the folder of the run, instead of its id, says where that is');
  const owner = await ledger.owner(output).catch(() => undefined);
  if (owner === undefined) return add(was);
  const there = elsewhere(output, owner, asked);
  if (there !== undefined) return add(was, there);
  if (owner.state !== 'running' || owner.workflowId === workflowId) return add(was);
  // Started by hand, under an id of somebody's own.
  return add(`${output} belongs to workflow ${owner.workflowId}: give that id instead`);
}
