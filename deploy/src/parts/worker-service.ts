import { Duration } from 'aws-cdk-lib';
import type { ISecurityGroup, ISubnet } from 'aws-cdk-lib/aws-ec2';
import { FargatePlatformVersion, FargateService, type ICluster } from 'aws-cdk-lib/aws-ecs';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { WorkerRole } from '../settings.js';
import { fargateTask, memoryPerJob, type TaskPlan } from './worker-task.js';

/** Where services run. */
export interface ServicePlace {
  readonly cluster: ICluster;
  readonly subnets: readonly ISubnet[];
  readonly securityGroup: ISecurityGroup;
}

/** A role's service and where it logs. */
export interface WorkerService {
  readonly role: WorkerRole;
  readonly service: FargateService;
  readonly logs: ILogGroup;
}

const TITLES: Readonly<Record<WorkerRole, string>> = { orchestration: 'Orchestration', io: 'Io', cpu: 'Cpu' };

/**
 * The workers of one role. A worker asks for work only while it has room, so busy processors are what a backlog looks like from
 * here: tasks are added above 60 % and taken away slowly, since what a task was computing is done again elsewhere.
 */
export function workerService(
  scope: Construct,
  role: WorkerRole,
  plan: TaskPlan,
  place: ServicePlace,
  taskRole: IRole,
): WorkerService {
  const size = plan.settings.workers[role];
  const definition = fargateTask(scope, role, plan, size, taskRole, ['worker', '--role', role], {
    COHORTFLOW_JOBS: String(Math.max(1, Math.floor(size.vcpu))),
    COHORTFLOW_MEMORY_PER_JOB: String(memoryPerJob(size)),
  });
  const alone = role === 'orchestration';
  const service = new FargateService(scope, `${TITLES[role]}Service`, {
    cluster: place.cluster,
    taskDefinition: definition,
    serviceName: `${plan.settings.name}-${role}`,
    // No number of tasks: a deploy would set it, and take away what scaling had added.
    // Workflow workers of two versions side by side would pass workflows to and fro: the old ones stop first.
    minHealthyPercent: alone ? 0 : 100,
    maxHealthyPercent: alone ? 100 : 200,
    assignPublicIp: false,
    vpcSubnets: { subnets: [...place.subnets] },
    securityGroups: [place.securityGroup],
    platformVersion: FargatePlatformVersion.VERSION1_4,
    circuitBreaker: { rollback: true },
    enableExecuteCommand: false,
    enableECSManagedTags: true,
  });
  const scaling = service.autoScaleTaskCount({ minCapacity: size.least, maxCapacity: size.most });
  scaling.scaleOnCpuUtilization('Busy', {
    targetUtilizationPercent: 60,
    scaleOutCooldown: Duration.minutes(2),
    scaleInCooldown: Duration.minutes(20),
  });
  return { role, service, logs: plan.logs[role] };
}
