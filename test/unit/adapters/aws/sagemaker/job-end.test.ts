import { describe, expect, it } from 'vitest';
import { endOf } from '../../../../../src/adapters/aws/sagemaker/job-end.js';
import { failureKind } from '../../../../../src/domain/failures/index.js';
import { WorkFailed } from '../../../../../src/ports/remote-executor.js';

function failure(job: Parameters<typeof endOf>[1]): WorkFailed {
  try {
    endOf('job-1', job);
  } catch (error) {
    expect(error).toBeInstanceOf(WorkFailed);
    return error as WorkFailed;
  }
  throw new Error('it did not fail');
}

const failed = (FailureReason: string, ExitMessage?: string): WorkFailed =>
  failure({ ProcessingJobStatus: 'Failed', FailureReason, ExitMessage });

describe('the end of a processing job', () => {
  it('is not reached while it goes on', () => {
    for (const status of ['InProgress', 'Stopping', undefined] as const) {
      expect(endOf('job-1', { ProcessingJobStatus: status })).toBeUndefined();
    }
  });

  it('tells the machine and the seconds of one that is complete', () => {
    const end = endOf('job-1', {
      ProcessingJobStatus: 'Completed',
      ProcessingStartTime: new Date(1_000_000),
      ProcessingEndTime: new Date(1_061_500),
      ProcessingResources: {
        ClusterConfig: { InstanceType: 'ml.r5.large', InstanceCount: 1, VolumeSizeInGB: 5 },
      },
    });
    expect(end).toEqual({ results: {}, facts: { instanceType: 'ml.r5.large', seconds: 61.5 } });
  });

  it('is the code, step and message that our container wrote', () => {
    const note = JSON.stringify({ code: 'MissingSlice', step: 'imaging.convert', message: 'slice 12 is missing' });
    expect(failed('AlgorithmError: , exit code: 1', note)).toMatchObject({
      code: 'MissingSlice',
      message: 'slice 12 is missing',
      details: { step: 'imaging.convert' },
    });
  });

  it('is told in one line, of a step that there can be', () => {
    const note = { code: 'MissingSlice', step: { is: 'none' }, message: 'slice 12\n\u001b[31mis missing' };
    expect(failed('AlgorithmError: , exit code: 1', JSON.stringify(note))).toMatchObject({
      code: 'MissingSlice',
      message: 'slice 12 [31mis missing',
      details: { step: 'imaging.job' },
    });
    const without = JSON.stringify({ ...note, message: ['no', 'text'] });
    expect(failed('AlgorithmError: , exit code: 1', without)).toMatchObject({ code: 'JobFailed' });
  });

  it.each([
    ['AlgorithmError: , exit code: 137', 'JobKilled'],
    ['AlgorithmError: , exit code: 1', 'JobFailed'],
    ['InternalServerError: We encountered an internal error. Please try again.', 'JobLost'],
    ['CapacityError: Unable to provision requested ML compute capacity.', 'AwsNoCapacity'],
    ['ClientError: Cannot pull the image', 'JobRejected'],
    ['ThrottlingException: Rate exceeded', 'AwsThrottled'],
    ['ClientError: Data download failed: Please reduce your request rate.', 'AwsThrottled'],
    ['ClientError: Data download failed: [Errno 28] No space left on device', 'JobDiskFull'],
    ['ClientError: Please use an instance type with more memory', 'JobKilled'],
    ['ClientError: Unable to provision requested ML compute capacity', 'AwsNoCapacity'],
    // What our program, or a study's path, says is not what the service says.
    ['AlgorithmError: ClientError in user code, exit code: 1', 'JobFailed'],
    ['AlgorithmError: ThrottlingException and no space left on device, exit code: 1', 'JobFailed'],
    ['AlgorithmError: it said exit code: 137 before, exit code: 1', 'JobFailed'],
    ['AlgorithmError: See job logs for more information, exit code: 139', 'JobKilled'],
    ['ClientError: no objects under s3://bucket/throttled/no-space-left', 'JobRejected'],
    ['something nobody has seen', 'JobFailed'],
    ["ClientError: Data download failed: The operation is not valid for the object's storage class", 'ObjectArchived'],
    ['ResourceLimitExceeded: The account-level service limit', 'AwsQuotaExceeded'],
  ])('for "%s" is %s', (reason, code) => {
    expect(failed(reason).code).toBe(code);
    // A note that is not ours says nothing.
    expect(failed(reason, 'Traceback (most recent call last)').code).toBe(code);
  });

  it('names the setting where the volume was too small', () => {
    expect(failureKind('JobDiskFull').remedy).toContain('aws.sagemaker.volumeGb');
    // Another try would have no more room.
    expect(failureKind('JobDiskFull').retryable).toBe(false);
    expect(failureKind('AwsThrottled').retryable).toBe(true);
  });

  it('takes a job that was stopped, not by us, for one that ran too long', () => {
    expect(failure({ ProcessingJobStatus: 'Stopped' }).code).toBe('JobTimedOut');
  });

  it('does not repeat the places that a reason names', () => {
    const { message } = failed('ClientError: no objects under s3://hospital/DOE^JANE/1.2.840.113');
    expect(message).toContain('s3://…');
    expect(message).not.toMatch(/DOE|1\.2\.840/);
  });
});
