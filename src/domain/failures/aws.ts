import type { FailureKind } from './failure.js';

/** Failures of calls to AWS, whichever service, and of the work that is given to its machines. */
export const AWS_FAILURES = {
  AwsThrottled: {
    retryable: true,
    fault: 'environment',
    reason: 'An AWS service refused a call because too many came at once.',
    remedy: 'Nothing to do: the call is repeated, later each time. Lower --start-rate or --concurrency if it goes on.',
  },
  AwsUnavailable: {
    retryable: true,
    fault: 'environment',
    reason: 'An AWS service did not answer, or answered that it cannot now.',
    remedy:
      'Nothing to do at first: the call is repeated. If it goes on, look at the network and at the state of the Region.',
  },
  AwsCredentials: {
    retryable: false,
    fault: 'environment',
    reason: 'There are no AWS credentials, or they are expired or not valid.',
    remedy: 'Sign in again, or give the worker a role; `cohortflow doctor --profile aws` shows who is signed in.',
  },
  AwsDenied: {
    retryable: false,
    fault: 'environment',
    reason: 'The AWS credentials in use may not do this.',
    remedy: 'Grant the action that the message names; docs/aws.md lists all of them.',
  },
  AwsQuotaExceeded: {
    retryable: true,
    fault: 'environment',
    reason: 'The account may not have more of this at once.',
    remedy: 'Ask for a higher quota, or lower --concurrency; `cohortflow doctor --profile aws` shows the quotas.',
  },
  AwsNoCapacity: {
    retryable: true,
    fault: 'environment',
    reason: 'AWS has no machine of this type free.',
    remedy: 'Wait, or name further instance types or subnets in the settings.',
  },
  AwsInvalidRequest: {
    retryable: false,
    fault: 'environment',
    reason: 'An AWS service refused a request as it was written.',
    remedy: 'Correct the setting that the message names.',
  },
  AwsNotConfigured: {
    retryable: false,
    fault: 'input',
    reason: 'Something was asked for on AWS that the settings say too little about.',
    remedy: 'Add what the message names under `aws` in cohortflow.yaml; docs/aws.md has an example.',
  },
  AwsNotReady: {
    retryable: false,
    fault: 'input',
    reason: 'The account lacks something that the run needs; it was looked at before anything was started.',
    remedy: 'Do what the message says for each; `cohortflow doctor --profile aws` looks again.',
  },
  ObjectArchived: {
    retryable: false,
    fault: 'input',
    reason: 'An object lies in an archive class of S3 (Glacier), which hands nothing out before it is restored.',
    remedy:
      'Have it restored (`aws s3api restore-object`), or copied to another storage class, and give the command again.',
  },
  ChecksumMismatch: {
    retryable: true,
    fault: 'environment',
    reason: 'What was read is not what was written: the checksums differ.',
    remedy: 'The transfer is repeated. If it goes on, the stored object is damaged: put it there again.',
  },
  JobFailed: {
    retryable: false,
    fault: 'environment',
    reason: 'The program of a processing job ended with an error that it has no code for.',
    remedy: "Read the job's log in CloudWatch; the message names the job.",
  },
  JobRejected: {
    retryable: false,
    fault: 'environment',
    reason: 'A processing job could not begin: its image, role, input or network is at fault.',
    remedy: 'Correct what the message names; `cohortflow doctor --profile aws` checks them.',
  },
  SweepIncomplete: {
    retryable: false,
    fault: 'environment',
    reason:
      'A sweep could not look at all services, or could not end all that nobody waits for: something may still cost.',
    remedy:
      'Look at the services named in the message: credentials, permissions, network. `cohortflow sweep` tells more; the next sweep tries again.',
  },
  JobKilled: {
    retryable: true,
    fault: 'environment',
    reason: 'A processing job was killed from outside, as the system does when memory runs out.',
    remedy: 'It is tried again. If it goes on, choose an instance type with more memory.',
  },
  JobDiskFull: {
    retryable: false,
    fault: 'environment',
    reason: 'The volume of a processing job does not hold the study and what is made of it.',
    remedy: 'Raise aws.sagemaker.volumeGb: a study wants about twice its size, and 1 GB.',
  },
  JobTimedOut: {
    retryable: false,
    fault: 'environment',
    reason: 'A processing job was stopped because it ran longer than it may.',
    remedy: 'Look at the case; raise the maximum run time if it is simply large.',
  },
  JobLost: {
    retryable: true,
    fault: 'environment',
    reason: 'The service lost a job or a machine that it had given, or what a job had made.',
    remedy: 'Nothing to do: the work is given away again.',
  },
} as const satisfies Record<string, FailureKind>;
