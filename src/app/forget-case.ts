import { layout } from '../contracts/layout.js';
import { CohortflowError } from '../domain/errors.js';
import type { RunOwner } from '../ports/run-ledger.js';
import { featureTraces, type FeatureServices } from './case-features.js';
import { caseTraces, unitKeysOf, type CasePlace, type Trace, type TraceServices } from './case-traces.js';
import { unitWorkflowIds } from './case-histories.js';

/** What forgetting needs. */
export interface ForgetServices extends TraceServices, FeatureServices {
  /** Asks whether a workflow is open, or this run of it; throws `OutputBusy` for a run on another server. */
  readonly isOpen: (workflowId: string, run?: RunOwner) => Promise<boolean>;
  /** Finds the runs of these workflows that the server keeps. */
  readonly histories: (workflowIds: readonly string[]) => Promise<readonly Trace[]>;
  readonly retentionDays: () => Promise<number | undefined>;
  /** The id that runs into this output have from the command line. */
  readonly workflowIdOf: (output: string) => string;
  /** What stands for a case's key in workflow ids where they are pseudonymised. */
  readonly pseudonym?: (key: string) => string;
}

/** What a case left, and what will be left of it when that is removed. */
export interface Forgetting {
  readonly traces: readonly Trace[];
  /** Sentences for people: what stays, where and until when. */
  readonly remains: readonly string[];
}

/**
 * Finds everything that a case left: results, records, rows, features, remembered hashes, histories. Removes nothing.
 *
 * @throws CohortflowError `OutputBusy` while a run is open there, `FileNotFound` when no run ever wrote there, `CaseNotFound`
 *   when the case left nothing, `ServerUnavailable`
 */
export async function findCase(place: CasePlace, services: ForgetServices): Promise<Forgetting> {
  const { output, caseId } = place;
  const { files, ledger } = services;
  if ((await files.stat(layout.run(output)))?.kind !== 'folder') {
    throw new CohortflowError('FileNotFound', `${output}: no run has written there`);
  }
  const owner = await ledger.owner(output);
  const owners = [...(owner === undefined ? [] : [owner]), ...(await ledger.claims(output))];
  // Every workflow that ever wrote here: someone may have started one under an id of their own.
  const rootIds = [...new Set([...owners.map(({ workflowId }) => workflowId), services.workflowIdOf(output)])];
  for (const id of rootIds) {
    const running = owner?.workflowId === id && owner.state === 'running' ? owner : undefined;
    if (await services.isOpen(id, running)) {
      const message = `workflow ${id} is writing into this folder: forgetting waits until it has ended or is cancelled`;
      throw new CohortflowError('OutputBusy', message);
    }
  }
  const { pseudonym } = services;
  const keys = await unitKeysOf(files, place);
  const ids = unitWorkflowIds(rootIds, pseudonym === undefined ? keys : [...keys, ...keys.map(pseudonym)]);
  const traces = [
    ...(await featureTraces(services, place)),
    ...(await services.histories(ids)),
    ...(await caseTraces(services, place)),
  ];
  if (traces.length === 0) {
    throw new CohortflowError('CaseNotFound', `case ${caseId} has left nothing in ${output}: is the id written right?`);
  }
  return { traces, remains: remaining(place, rootIds, await services.retentionDays()) };
}

function remaining({ caseId }: CasePlace, rootIds: readonly string[], days: number | undefined): readonly string[] {
  const until = days === undefined ? "until the server's retention ends" : `until ${days} day(s) after each run's end`;
  return [
    `your own files: the cohort sheet, the clinical table and the inputs of ${caseId}. Take its rows out of them, or the next run computes it again`,
    `on the Temporal server, ${until}: the histories of the cohorts themselves (${rootIds.join(', ')} and what is below), which name the case and the places of its inputs`,
    `in features/: deletion records with the id ${caseId}, so that copies of the feature groups learn of the deletion`,
    'logs of workers and commands, which name cases by their ids; backups, copies and reports that were made of this folder',
  ];
}

/** Removes what was found, in its order: interrupted, it can be begun again. */
export async function forgetCase(
  traces: readonly Trace[],
  say: (trace: Trace) => void = () => undefined,
): Promise<void> {
  for (const trace of traces) {
    await trace.remove();
    say(trace);
  }
}
