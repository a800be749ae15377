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

/** What our container wrote on its way out; undefined when it did not get to it, or was not ours. */
function noteOf(exitMessage: string | undefined): ProcessingFailure | undefined {
  try {
    const { code, step, message } = JSON.parse(exitMessage ?? '') as Partial<ProcessingFailure>;
    if (typeof code !== 'string' || !isFailureCode(code)) return undefined;
    return { code, step: String(step ?? 'imaging.job'), message: String(message ?? '') };
  } catch {
    return undefined;
  }
}

/** How the service begins its reasons, and what they mean; the first that fits. 137 is 128 and SIGKILL. */
const REASONS: readonly (readonly [pattern: RegExp, code: FailureCode])[] = [
  [/ResourceLimitExceeded|service limit/i, 'AwsQuotaExceeded'],
  [/CapacityError|InsufficientCapacity|Unable to provision/i, 'AwsNoCapacity'],
  [/InternalServerError|InternalError/i, 'JobLost'],
  [/exit code:? *(137|139|134|135)\b|OutOfMemory|out of memory|SIGKILL/i, 'JobKilled'],
  [/ClientError/i, 'JobRejected'],
];

/** A reason without the places that it names: keys of studies may say whose they are. */
function shown(reason: string): string {
  return reason.replaceAll(/s3:\/\/[^\s"',)]+/g, 's3://…').slice(0, 500);
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
      const reason = job.FailureReason ?? 'no reason was given';
      const [, code = 'JobFailed'] = REASONS.find(([pattern]) => pattern.test(reason)) ?? [];
      throw new WorkFailed(code, `the processing job ${name} failed: ${shown(reason)}`, { job: name });
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
