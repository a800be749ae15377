import { ApplicationFailure, Context } from '@temporalio/activity';
import type { RemoteActivities, RemoteExecutorName, RemoteRequest } from '../contracts/remote-work.js';
import { workTags } from '../contracts/work-tags.js';
import { layout } from '../contracts/layout.js';
import { isUri } from '../domain/cohort/sheet-paths.js';
import { CohortflowError } from '../domain/errors.js';
import { WorkFailed, type RemoteExecutor, type RemoteWork } from '../ports/remote-executor.js';
import { adoptStudy } from './adopt-study.js';
import { sha256Text } from './canonical-json.js';
import type { LookUpServices } from './finished-step.js';
import { finishedSteps, reusedRecords, type AnyUnitInput } from './finished-unit.js';
import { checkInputs, noteInputs } from './job-inputs.js';
import { notePaid } from './run-costs.js';
import { heartbeating } from './step-activities.js';

/** What giving work away needs. */
export interface RemoteServices extends LookUpServices {
  readonly executor: (name: RemoteExecutorName) => RemoteExecutor;
  /** `s3://…` for work whose results do not go to S3 themselves; undefined when the settings name none. */
  readonly workPlace: string | undefined;
}

/** How often those who wait tell that they live, and hear of a cancellation: each time is billed. */
export const REMOTE_HEARTBEAT_MS = 45_000;

/** Which try of which unit this is, in a name that services take: 45 letters, digits and hyphens. */
export function workName(namespace: string, workflowId: string, runId: string, attempt: number): string {
  return `cohortflow-${sha256Text([namespace, workflowId, runId, String(attempt)].join('\n')).slice(0, 32)}`;
}

/** The work of a unit; what is for a whole cohort is not taken over by any. */
type UnitRequest = Extract<RemoteRequest, { readonly input: unknown }>;

const isOfUnit = (request: RemoteRequest): request is UnitRequest => 'input' in request;

function inputOf({ input, output, runId }: UnitRequest): AnyUnitInput {
  return { ...input, output, runId };
}

/** Records the steps of a unit that are all finished already; false when something is left to do. */
async function foundFinished(request: UnitRequest, services: RemoteServices, signal: AbortSignal): Promise<boolean> {
  const input = inputOf(request);
  const steps = await finishedSteps(input, services, signal);
  if (steps === undefined) return false;
  for (const record of reusedRecords(input, steps, new Date().toISOString())) {
    await services.ledger.record(request.output, request.runId, record);
  }
  return true;
}

/** Where the request of a piece of work and its results go, and where what it says: that is read when the run is over. */
function placeFor(
  { output, executor, runId }: RemoteRequest,
  name: string,
  workPlace: string | undefined,
): Pick<RemoteWork, 'place' | 'logs'> {
  if (isUri(output)) return { place: `${layout.work(output)}/${name}`, logs: `${layout.logs(output, runId)}/${name}` };
  if (workPlace === undefined) {
    const message = `the executor ${executor} needs a place in S3: set aws.work (s3://bucket/folder), or give --output s3://…`;
    throw new CohortflowError('AwsNotConfigured', message);
  }
  const place = `${workPlace.replace(/\/+$/, '')}/${name}`;
  return { place, logs: place };
}

/** The work of this activity's workflow run. */
function workOf(request: RemoteRequest, services: RemoteServices): RemoteWork {
  const { workflowExecution, workflowNamespace: namespace = 'default' } = Context.current().info;
  const { workflowId = '', runId = '' } = workflowExecution ?? {};
  const name = workName(namespace, workflowId, runId, request.attempt);
  const tags = workTags(name, workflowId, namespace, runId);
  return { request, name, ...placeFor(request, name, services.workPlace), tags };
}

/**
 * An activity that only waits learns with its heartbeats that its workflow was terminated: nobody else will stop the work
 * then.
 */
async function stopWhenAbandoned(executor: RemoteExecutor, name: string): Promise<void> {
  const reason: unknown = await Context.current().cancelled.catch((error: unknown) => error);
  if (!(reason instanceof Error) || !/NOT_FOUND/.test(reason.message)) return;
  await executor.stop(name, new AbortController().signal);
}

/** The end of work is not waited for again: whether it is given away once more, the workflow decides by its code. */
function endOfWork(error: unknown): unknown {
  if (!(error instanceof WorkFailed)) return error;
  const { code, message, details } = error;
  return ApplicationFailure.create({ type: code, message, nonRetryable: true, details: [details] });
}

/** The activities of work that services do. */
export function createRemoteActivities(services: RemoteServices): RemoteActivities {
  return {
    submitWork: (request) =>
      heartbeating(async (_attempt, signal) => {
        if (isOfUnit(request) && (await foundFinished(request, services, signal))) return { reused: true };
        const work = workOf(request, services);
        if (isOfUnit(request)) await noteInputs(work.place, request.input.unit, services, signal);
        const ticket = await services
          .executor(request.executor)
          .submit(work, signal)
          .catch((error: unknown) => Promise.reject(endOfWork(error) as Error));
        const { output, runId } = request;
        return ticket === undefined
          ? { reused: true }
          : { reused: false, ticket: { ...ticket, run: { output, runId } } };
      }, REMOTE_HEARTBEAT_MS),
    awaitWork: async ({ ticket }) => {
      const executor = services.executor(ticket.executor);
      return heartbeating(async (_attempt, signal, progress) => {
        try {
          const end = await executor.await(ticket, signal, progress);
          if (ticket.run !== undefined) await notePaid(services.files, ticket.run, ticket.name, end.paid);
          // The results of a job are looked at when they are adopted, once more; those of a machine a step takes up from here.
          if (ticket.executor === 'dragen') await checkInputs(ticket, services, signal);
          return end;
        } catch (error) {
          if (!signal.aborted) throw endOfWork(error);
          await stopWhenAbandoned(executor, ticket.name);
          throw error;
        }
      }, REMOTE_HEARTBEAT_MS);
    },
    adoptWork: ({ request, ticket, facts = {} }) =>
      heartbeating(async (_attempt, signal) => {
        if (!isOfUnit(request)) throw new CohortflowError('InternalError', 'only the work of a unit is taken over');
        const adoption = { request, ticket, facts, input: inputOf(request), services, signal };
        await adoptStudy(adoption).catch((error: unknown) => Promise.reject(endOfWork(error) as Error));
        return { outcome: 'done' };
      }, REMOTE_HEARTBEAT_MS),
    stopWork: (request) =>
      heartbeating(async (_attempt, signal) => {
        const { name, place } = workOf(request, services);
        const paid = await services.executor(request.executor).stop(name, signal);
        await notePaid(services.files, request, name, paid);
        await services.files.remove(place);
      }, REMOTE_HEARTBEAT_MS),
  };
}
