import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { arn, type Grounds } from './grounds.js';

const ours = (grounds: Grounds): string[] => [arn(grounds, 'sagemaker', 'processing-job/cohortflow-*')];

/** Starts processing jobs, all of which are named `cohortflow-…` and run under the one role. */
export function startJobs(grounds: Grounds): readonly PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'StartJobs',
      actions: ['sagemaker:CreateProcessingJob', 'sagemaker:AddTags'],
      resources: ours(grounds),
    }),
    new PolicyStatement({
      sid: 'PassJobsRole',
      actions: ['iam:PassRole'],
      resources: [grounds.jobsRole.roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } },
    }),
  ];
}

/** Finds jobs, looks at them and ends them. */
export function endJobs(grounds: Grounds): readonly PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'EndJobs',
      actions: ['sagemaker:DescribeProcessingJob', 'sagemaker:ListTags', 'sagemaker:StopProcessingJob'],
      resources: ours(grounds),
    }),
    new PolicyStatement({ sid: 'FindJobs', actions: ['sagemaker:ListProcessingJobs'], resources: ['*'] }),
  ];
}

/** How much of anything the account may have. */
export function quotas(): PolicyStatement {
  return new PolicyStatement({
    sid: 'Quotas',
    actions: ['servicequotas:ListServiceQuotas', 'servicequotas:ListAWSDefaultServiceQuotas'],
    resources: ['*'],
  });
}
