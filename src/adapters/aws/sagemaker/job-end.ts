import type { PaidMachine } from '../../../domain/costs/index.js';
import type { DescribeProcessingJobCommandOutput } from '@aws-sdk/client-sagemaker';
import type { ProcessingFailure } from '../../../contracts/processing.js';
import type { RemoteEnd } from '../../../contracts/remote-work.js';
import { WorkFailed } from '../../../ports/remote-executor.js';
import { isFailureCode, type FailureCode } from '../../../domain/failures/index.js';

type Described = Partial<
  Pick<
    DescribeProcessingJobCommandOutput,
    | 'ProcessingJobStatus'
    | 'FailureReason'
    | 'ExitMessage'
    | 'ProcessingStartTime'
    | 'ProcessingEndTime'
    | 'ProcessingResources'
  >
>;

const STEP = /^imaging\.[a-z-]+$/;

/** What our container wrote on its way out; undefined when it did not get to it, or was not ours. */
function noteOf(exitMessage: string | undefined): ProcessingFailure | undefined {
  try {
    const { code, step, message } = JSON.parse(exitMessage ?? '') as Partial<ProcessingFailure>;
    if (typeof code !== 'string' || !isFailureCode(code) || typeof message !== 'string') return undefined;
    const known = typeof step === 'string' && STEP.test(step) ? step : 'imaging.job';
    return { code, step: known, message: message.replaceAll(/\p{Cc}+/gu, ' ') };
  } catch {
    return undefined;
  }
}

type Rule = readonly [pattern: RegExp, code: FailureCode];

/** Our program, or who killed it: 128 and the signal. */
const EXITS: Readonly<Record<string, FailureCode>> = {
  134: 'JobKilled',
  135: 'JobKilled',
  137: 'JobKilled',
  139: 'JobKilled',
};

/** The word before the first colon, by which the service tells kinds of reasons apart. */
const KINDS: readonly Rule[] = [
  [/^(Throttl\w*|TooManyRequests\w*|RequestLimitExceeded)$/, 'AwsThrottled'],
  [/LimitExceeded\w*$/, 'AwsQuotaExceeded'],
  [/^(CapacityError|InsufficientCapacity\w*)$/, 'AwsNoCapacity'],
  [/^(InternalServer\w*|InternalError|InternalFailure|ServiceUnavailable\w*)$/, 'JobLost'],
];

/** What the text says, where the word is `ClientError` or none of those. */
const TEXTS: readonly Rule[] = [
  [/no space left|not enough (disk )?space|disk (is )?full/i, 'JobDiskFull'],
  [/InvalidObjectState|object's storage class/i, 'ObjectArchived'],
  [/rate exceeded|throttl|too many requests|slow ?down|reduce your request rate/i, 'AwsThrottled'],
  [/ResourceLimitExceeded|service limit/i, 'AwsQuotaExceeded'],
  [/InsufficientCapacity|unable to provision/i, 'AwsNoCapacity'],
  [/OutOfMemory|out of memory|more memory/i, 'JobKilled'],
];

const match = (rules: readonly Rule[], text: string): FailureCode | undefined =>
  rules.find(([pattern]) => pattern.test(text))?.[1];

/**
 * The code for a reason of the service. What it says of our program (`AlgorithmError`) is that program's own text: only the
 * exit code in its end counts.
 */
function codeOf(reason: string): FailureCode {
  const [, kind = '', text = reason] = /^\s*(\w+):(.*)$/s.exec(reason) ?? [];
  if (kind === 'AlgorithmError') return EXITS[/exit code:? *(\d+)\s*$/i.exec(text)?.[1] ?? ''] ?? 'JobFailed';
  return match(KINDS, kind) ?? match(TEXTS, text) ?? (kind === 'ClientError' ? 'JobRejected' : 'JobFailed');
}

/** A reason without the places that it names: keys of studies may say whose they are. */
function withoutPlaces(reason: string): string {
  return reason.replaceAll(/s3:\/\/[^\s"',)]+/g, 's3://…');
}

/** Machine and seconds, for the costs. */
function factsOf(job: Described): NonNullable<RemoteEnd['facts']> {
  const { ProcessingStartTime: from, ProcessingEndTime: to, ProcessingResources: resources } = job;
  const cluster = resources?.ClusterConfig as { InstanceType?: string; SelectedInstanceType?: string } | undefined;
  const type = cluster?.SelectedInstanceType ?? cluster?.InstanceType;
  return {
    ...(type === undefined ? {} : { instanceType: type }),
    ...(from === undefined || to === undefined ? {} : { seconds: (to.getTime() - from.getTime()) / 1000 }),
  };
}

/** What a job cost: from the start of its container to its end; nothing for one that never began. */
export function paidFor(job: Described, region: string | undefined): readonly PaidMachine[] {
  const { instanceType, seconds } = factsOf(job);
  if (typeof instanceType !== 'string' || typeof seconds !== 'number') return [];
  const where = region === undefined ? {} : { region };
  return [{ executor: 'sagemaker', instanceType, seconds, spot: false, ...where }];
}

/**
 * What an ended job came to; undefined while it goes on.
 *
 * A job that ran too long ends as stopped, not as failed, and ours are stopped by nobody else: cancelled work is not waited
 * for.
 *
 * @throws WorkFailed with the code that the work failed with
 */
export function endOf(name: string, job: Described): RemoteEnd | undefined {
  switch (job.ProcessingJobStatus) {
    case 'Completed':
      return { results: {}, facts: factsOf(job) };
    case 'Failed': {
      const note = noteOf(job.ExitMessage);
      if (note !== undefined) {
        throw new WorkFailed(note.code as FailureCode, note.message, { step: note.step, job: name });
      }
      // Places are taken out before anything is read into the words.
      const reason = withoutPlaces(job.FailureReason ?? 'no reason was given');
      const message = `the processing job ${name} failed: ${reason.slice(0, 500)}`;
      throw new WorkFailed(codeOf(reason), message, { job: name });
    }
    case 'Stopped': {
      const message = `the processing job ${name} was stopped before it had ended: it ran longer than it may, or someone stopped it`;
      throw new WorkFailed('JobTimedOut', message, { job: name });
    }
    case 'InProgress':
    case 'Stopping':
    case undefined:
      return undefined;
  }
}
