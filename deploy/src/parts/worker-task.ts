import { Duration, Size, Stack } from 'aws-cdk-lib';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import {
  ContainerImage,
  CpuArchitecture,
  FargateTaskDefinition,
  LogDrivers,
  OperatingSystemFamily,
  Secret,
} from 'aws-cdk-lib/aws-ecs';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret as StoredSecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Settings, TemporalSettings, WorkerSettings } from '../settings.js';
import type { LogName, Logs } from './logs.js';

/** What a task of any kind runs with. */
export interface TaskPlan {
  readonly settings: Settings;
  readonly temporal: TemporalSettings;
  /** Where Temporal is reached when not by its own name. */
  readonly temporalHost: string | undefined;
  readonly repository: IRepository;
  readonly digest: string;
  readonly key: IKey;
  readonly logs: Logs;
  readonly awsJson: string;
}

/** Told to stop, a worker hands its work back within 110 s; Fargate waits no longer than this. */
const STOP_SECONDS = 120;
const HEALTH_PORT = 8080;
/** Asks the worker itself: the image has no curl, and needs none. */
const ALIVE = `fetch('http://127.0.0.1:${HEALTH_PORT}/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`;
/** Folders that are written to; everything else of the image is read only. */
const WRITABLE = ['/var/lib/cohortflow', '/tmp'];

function temporalEnvironment({ temporal, temporalHost }: TaskPlan): Record<string, string> {
  const [host = '', port = ''] = temporal.address.split(':');
  return {
    TEMPORAL_ADDRESS: `${temporalHost ?? host}:${port}`,
    TEMPORAL_NAMESPACE: temporal.namespace,
    ...(temporal.tls ? { TEMPORAL_TLS: 'true' } : {}),
    // The certificate is for the server's own name, not for that of the link.
    ...(temporal.tls && temporalHost !== undefined ? { TEMPORAL_TLS_SERVER_NAME: host } : {}),
  };
}

function temporalSecrets(scope: Construct, { auth, secret }: TemporalSettings): Record<string, Secret> {
  if (secret === undefined) return {};
  const stored = StoredSecret.fromSecretNameV2(scope, 'TemporalSecret', secret);
  const field = (name: string): Secret => Secret.fromSecretsManager(stored, name);
  return auth === 'apiKey'
    ? { TEMPORAL_API_KEY: field('apiKey') }
    : { TEMPORAL_TLS_CLIENT_CERT_DATA: field('certificate'), TEMPORAL_TLS_CLIENT_KEY_DATA: field('key') };
}

/** A task of the one image, by digest: read-only but for two folders, no privilege, logs kept for as long as is said. */
export function fargateTask(
  scope: Construct,
  what: LogName,
  plan: TaskPlan,
  size: Pick<WorkerSettings, 'vcpu' | 'memoryGb' | 'diskGb'>,
  taskRole: IRole,
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): FargateTaskDefinition {
  const { settings, temporal, key } = plan;
  const id = `${what[0]?.toUpperCase() ?? ''}${what.slice(1)}`;
  const definition = new FargateTaskDefinition(scope, `${id}Task`, {
    family: `${settings.name}-${what}`,
    cpu: size.vcpu * 1024,
    memoryLimitMiB: size.memoryGb * 1024,
    ephemeralStorageGiB: size.diskGb,
    taskRole,
    runtimePlatform: { cpuArchitecture: CpuArchitecture.X86_64, operatingSystemFamily: OperatingSystemFamily.LINUX },
  });
  const serves = command[0] === 'worker';
  const container = definition.addContainer('cohortflow', {
    image: ContainerImage.fromEcrRepository(plan.repository, plan.digest),
    command: [...command],
    logging: LogDrivers.awsLogs({ logGroup: plan.logs[what], streamPrefix: 'task' }),
    environment: {
      ...temporalEnvironment(plan),
      COHORTFLOW_AWS: plan.awsJson,
      COHORTFLOW_TASK_QUEUE: temporal.taskQueue,
      COHORTFLOW_ENCRYPTION_KMS_KEY: key.keyArn,
      COHORTFLOW_REQUIRE_ENCRYPTION: '1',
      AWS_REGION: Stack.of(scope).region,
      ...environment,
    },
    secrets: temporalSecrets(definition, temporal),
    user: 'node',
    privileged: false,
    readonlyRootFilesystem: true,
    stopTimeout: Duration.seconds(STOP_SECONDS),
    ...(serves
      ? {
          healthCheck: {
            command: ['CMD', 'node', '-e', ALIVE],
            interval: Duration.seconds(30),
            timeout: Duration.seconds(10),
            retries: 3,
            startPeriod: Duration.seconds(90),
          },
        }
      : {}),
  });
  WRITABLE.forEach((containerPath, at) => {
    const name = `writable-${at}`;
    definition.addVolume({ name });
    container.addMountPoints({ containerPath, sourceVolume: name, readOnly: false });
  });
  return definition;
}

/** Memory of one heavy step: what is left of a task beside the worker itself, shared by its vCPUs. */
export function memoryPerJob({ vcpu, memoryGb }: Pick<WorkerSettings, 'vcpu' | 'memoryGb'>): number {
  const own = Size.gibibytes(1).toMebibytes();
  return Math.max(512, Math.floor((memoryGb * 1024 - own) / Math.max(1, vcpu)));
}
