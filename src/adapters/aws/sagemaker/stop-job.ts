import { WORK_TAG } from '../../../contracts/work-tags.js';
import { CohortflowError } from '../../../domain/errors.js';
import { untilEnd } from '../until-end.js';
import { URGENT, type JobCalls } from './job-calls.js';

/** So long a job that was taken on may not be seen: the service answers from copies that lag behind. */
export const UNSEEN_MS = 120_000;
/** A job that the service refused to begin is looked for only so long, in case an earlier call had begun it. */
const UNSEEN_WHEN_REFUSED_MS = 15_000;
/** Pauses between looks for a job that is not seen; the last one again and again. */
const LOOKS_FOR_UNSEEN_MS = [1_000, 4_000, 10_000, 20_000];
/** A job takes up to minutes to stop. */
const STOPPED_WITHIN_MS = 30 * 60_000;
const STOP_POLL_MS = 5_000;
/** A job that was seen is gone when it is not seen so often in a row. */
const LOOKS_FOR_GONE = 12;

type Described = NonNullable<Awaited<ReturnType<JobCalls['describe']>>>;

const ENDED: ReadonlySet<string | undefined> = new Set(['Completed', 'Failed', 'Stopped']);

interface Stopping {
  /** The service said no to every request for the job: it is not looked for long. */
  readonly refused: boolean;
  readonly pollMs: number;
  /** Seconds of patience that pass in one: 1, but in tests. */
  readonly speed: number;
}

/**
 * Stops the job of a name if there is one, and waits until it has ended. Whether a job that is not seen was never begun or is
 * not shown yet, only time tells; calls that fail meanwhile do not begin that time anew.
 *
 * @returns the job of ours as it ended; undefined where there was none
 * @throws CohortflowError `AwsUnavailable` when it does not stop, and when the service does not answer for long
 */
export async function stopJob(
  calls: JobCalls,
  name: string,
  { refused, pollMs, speed }: Stopping,
  signal: AbortSignal,
): Promise<Described | undefined> {
  const began = Date.now();
  const waited = (): number => (Date.now() - began) * speed;
  const patience = refused ? UNSEEN_WHEN_REFUSED_MS : UNSEEN_MS;
  const pollPause = Math.min(STOP_POLL_MS, pollMs);
  const known = { ours: false, seen: false, unseen: 0 };

  async function look(): Promise<{ readonly over: boolean; readonly job?: Described } | undefined> {
    if (waited() > STOPPED_WITHIN_MS) return { over: false };
    const job = await calls.describe(name, signal, URGENT);
    const status = job?.ProcessingJobStatus;
    if (job !== undefined && ENDED.has(status)) return { over: true, job };
    if (job === undefined) {
      known.unseen += 1;
      if (known.seen ? known.unseen === LOOKS_FOR_GONE : waited() > patience) return { over: true };
    } else Object.assign(known, { seen: true, unseen: 0 });
    if (!known.ours && job?.ProcessingJobArn !== undefined) {
      const work = (await calls.tagsOf(job.ProcessingJobArn, signal, URGENT))[WORK_TAG];
      // A job of that name that is somebody else's is none of our business.
      if (work !== undefined && work !== name) return { over: true };
      known.ours = work === name;
    }
    // Also when it is not seen: one that has only just begun may be stopped all the same.
    const mayRun = status === 'InProgress' || (job === undefined && !refused);
    if (mayRun && (await calls.stop(name, signal))) known.seen = true;
    return undefined;
  }

  const pause = (): number => {
    const unseenPause = LOOKS_FOR_UNSEEN_MS[Math.min(known.unseen, LOOKS_FOR_UNSEEN_MS.length) - 1];
    return (known.seen ? pollPause : (unseenPause ?? pollPause)) / speed;
  };
  const { over, job } = await untilEnd(look, pause, signal);
  if (!over) throw new CohortflowError('AwsUnavailable', `the processing job ${name} does not stop`, { job: name });
  return job;
}
