import { ActivityFailure, CancellationScope, isCancellation, log, sleep, workflowInfo } from '@temporalio/workflow';
import type { RemoteEnd, RemoteRequest, RemoteStart, RemoteTicket } from '../contracts/remote-work.js';
import { failureKind } from '../domain/failures/index.js';
import { remoteWork } from './activities.js';
import { isReportable, stepFailure } from './failures.js';
import { MOST_REMOTE_TRIES, MOST_TRIES_FOR_ROOM, type Activities } from './work-classes.js';

type Given<R> = R extends unknown ? Omit<R, 'attempt'> : never;
/** Work to give away; which try it is, is said here. */
export type RemoteTask = Given<RemoteRequest>;

/** A processing job ends by itself; a machine stays until someone ends it. */
const ENDS_BY_ITSELF: Readonly<Record<RemoteRequest['executor'], boolean>> = { sagemaker: true, dragen: false };

/**
 * Ends what may be left of a try. Where not even that works the sweep finds it by its tags: how the unit ended is what its
 * work came to, not whether a service answered afterwards.
 */
async function stop(request: RemoteRequest): Promise<void> {
  try {
    await CancellationScope.nonCancellable(() => remoteWork().stopWork(request));
  } catch (error) {
    if (!isReportable(error)) throw error;
    const { code } = stepFailure(error);
    log.warn('the work of a service could not be stopped; the sweep will end it', { code, executor: request.executor });
  }
}

/**
 * Has work given away. A unit that is cancelled before it has begun, as the last ones of a cohort are, has asked for that and
 * taken it back within one workflow task: then nothing of it ever left the worker. Nobody knows that of a submission which
 * did: also one that no worker has now may have been tried before.
 *
 * @param neverSent told when no submission was sent
 */
async function submitted(request: RemoteRequest, neverSent: () => void): Promise<RemoteStart> {
  const asked = workflowInfo().historyLength;
  try {
    return await remoteWork().submitWork(request);
  } catch (error) {
    // What a task asks for is sent when the task is done, which makes the history longer.
    if (workflowInfo().historyLength === asked) neverSent();
    throw error;
  }
}

/** One try: given away, waited for, taken over; and in the end nothing of it is left, however it went. */
async function tryOnce<T>(
  request: RemoteRequest,
  take: (request: RemoteRequest, ticket: RemoteTicket, end: RemoteEnd) => Promise<T>,
): Promise<T | undefined> {
  const service = remoteWork();
  let mayBeAlive = true;
  try {
    const start = await submitted(request, () => {
      mayBeAlive = false;
    });
    if (start.reused) {
      mayBeAlive = false;
      return undefined;
    }
    const end = await service.awaitWork({ ticket: start.ticket });
    const taken = await take(request, start.ticket, end);
    // What was not taken over is not wanted any more either: of that its place is cleared.
    if (ENDS_BY_ITSELF[request.executor]) mayBeAlive = false;
    return taken;
  } finally {
    // Also where only the answer of the submission was lost: the name of the work is known without it.
    if (mayBeAlive) await stop(request);
  }
}

/** The pause before another try: a service that has just lost work, or has no room, may still be so. */
function pauseBefore(attempt: number): string {
  return `${Math.min(15 * 2 ** (attempt - 2), 600)} seconds`;
}

const AWAITED: keyof Activities = 'awaitWork';

/**
 * True of work that was taken on and then found no machine, or too many calls before it. Of a submission that was refused for
 * the same reason it is not: that has been tried often enough by itself.
 */
function foundNoRoom(error: unknown): boolean {
  if (!(error instanceof ActivityFailure) || error.activityType !== AWAITED) return false;
  return ['AwsNoCapacity', 'AwsThrottled'].includes(stepFailure(error).code);
}

/**
 * Has the work of a unit done by a service, again where it was lost there. Undefined when all of it is finished already.
 *
 * @param take brings the results of work that ended well into their place
 * @param onTry told of each try as it begins
 * @throws ActivityFailure with the code that the work failed with, once nothing of it is alive
 */
export async function remotely<T>(
  task: RemoteTask,
  take: (request: RemoteRequest, ticket: RemoteTicket, end: RemoteEnd) => Promise<T>,
  onTry: (attempt: number) => void = () => undefined,
): Promise<T | undefined> {
  let [lost, withoutRoom] = [0, 0];
  for (let attempt = 1; ; attempt += 1) {
    onTry(attempt);
    try {
      return await tryOnce({ ...task, attempt }, take);
    } catch (error) {
      if (isCancellation(error) || !isReportable(error)) throw error;
      if (foundNoRoom(error)) withoutRoom += 1;
      else lost += 1;
      if (lost === MOST_REMOTE_TRIES || withoutRoom === MOST_TRIES_FOR_ROOM) throw error;
      if (!failureKind(stepFailure(error).code).retryable) throw error;
      await sleep(pauseBefore(attempt + 1));
    }
  }
}
