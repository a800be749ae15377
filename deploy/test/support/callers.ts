/** Who calls AWS: the workers by role, the scheduled sweep, and people on the command line. */
export const CALLERS = ['orchestration', 'io', 'cpu', 'sweep', 'operator'] as const;
export type Caller = (typeof CALLERS)[number];

type Uses = Readonly<Partial<Record<Caller, 'all' | readonly string[]>>>;

const OBJECTS: Uses = { io: 'all', cpu: 'all', operator: 'all' };
/** Of objects the sweep looks only at those that say whose the machines of a pool are, and removes them. */
const swept = (...commands: readonly string[]): Uses => ({ ...OBJECTS, sweep: commands });
const LOOKS_OF_JOBS = ['DescribeProcessingJob', 'ListProcessingJobs', 'ListTags', 'StopProcessingJob'];
const LOOKS_OF_MACHINES = ['DescribeInstances', 'TerminateInstances'];

/**
 * Which calls of a file each caller makes. Activities of the queues `own` and `remote` run in the role io, heavy steps in cpu,
 * workflow code in orchestration (src/workers/create-workers.ts); `run --no-worker` computes nothing on the operator's machine.
 */
export const USES: Readonly<Record<string, Uses>> = {
  'src/adapters/aws/s3-list.ts': swept('ListObjectsV2'),
  'src/adapters/aws/s3-read.ts': swept('GetObject', 'HeadObject'),
  'src/adapters/aws/s3-write.ts': swept('DeleteObjects'),
  // Payloads of workflows.
  'src/adapters/aws/kms-keys.ts': { orchestration: 'all', io: 'all', cpu: 'all', sweep: 'all', operator: 'all' },
  'src/adapters/aws/sagemaker/job-calls.ts': { io: 'all', sweep: LOOKS_OF_JOBS, operator: LOOKS_OF_JOBS },
  // Submitting alone asks what key an alias stands for.
  'src/adapters/aws/sagemaker/key-arn.ts': { io: 'all' },
  'src/adapters/aws/dragen/machines.ts': { io: 'all', sweep: LOOKS_OF_MACHINES, operator: LOOKS_OF_MACHINES },
  'src/adapters/aws/dragen/commands.ts': { io: 'all' },
  'src/adapters/aws/sagemaker-feature-groups.ts': { io: 'all', operator: ['DescribeFeatureGroup'] },
  'src/adapters/aws/sagemaker-feature-store.ts': {
    io: ['BatchWriteRecord', 'PutRecord'],
    operator: ['DeleteRecord'],
  },
  'src/adapters/aws/athena-queries.ts': { operator: 'all' },
  'src/adapters/aws/account/quotas.ts': { io: 'all', operator: 'all' },
  'src/adapters/aws/account/account-reader.ts': { operator: 'all' },
  'src/adapters/aws/account/machines.ts': { operator: 'all' },
  'src/adapters/aws/account/network.ts': { operator: 'all' },
  'src/adapters/aws/account/holdings.ts': { operator: 'all' },
};

/** Files that a worker's program contains and never calls, with the reason. */
export const NOT_BY_WORKERS: Readonly<Record<string, string>> = {
  'src/adapters/aws/account/account-reader.ts': 'workers ask for quotas only (planRemote takes no more of the account)',
  'src/adapters/aws/account/machines.ts': 'part of the account reader: doctor',
  'src/adapters/aws/account/network.ts': 'part of the account reader: doctor',
};
