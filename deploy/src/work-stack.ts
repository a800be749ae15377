import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Cluster, ContainerInsights } from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import { asYaml, awsBlock } from './aws-block.js';
import type { DataStack } from './data-stack.js';
import type { NetworkStack } from './network-stack.js';
import { Alarms } from './parts/alarms.js';
import { budget } from './parts/budget.js';
import { scheduledSweep } from './parts/scheduled-sweep.js';
import { workerService, type ServicePlace } from './parts/worker-service.js';
import type { TaskPlan } from './parts/worker-task.js';
import { featuresRole, jobsRole, machinesRole } from './roles/service-roles.js';
import { operatorPolicies, taskRole } from './roles/worker-roles.js';
import { WORKER_ROLES, type Settings, type TemporalSettings } from './settings.js';

/** What a running installation needs and a resting one does not. */
export interface WorkParts {
  readonly settings: Settings;
  readonly temporal: TemporalSettings;
  readonly images: { readonly worker: string; readonly processing: string };
  readonly data: DataStack;
  readonly network: NetworkStack;
}

/** Workers, roles, alarms and budget. Removing it removes what costs by the hour; no data is in it. */
export class WorkStack extends Stack {
  constructor(scope: Construct, id: string, parts: WorkParts, props: StackProps = {}) {
    super(scope, id, { ...props, description: `${parts.settings.name}: workers, roles, alarms` });
    const { settings, temporal, images, data, network } = parts;
    const { key, inputs, results, repository, logs } = data;
    const before = {
      scope: this,
      ...{ settings, key, inputs, results },
      repositoryArn: repository.repositoryArn,
      subnetIds: network.subnets.map(({ subnetId }) => subnetId),
      jobsGroupId: network.jobs.securityGroupId,
      machinesGroupId: network.machines.securityGroupId,
    };
    const machines = settings.dragen === undefined ? undefined : machinesRole(before);
    const grounds = {
      ...before,
      jobsRole: jobsRole(before),
      featuresRole: featuresRole(before),
      ...(machines === undefined ? {} : { machinesRole: machines.role }),
    };
    const block = awsBlock({
      ...grounds,
      region: this.region,
      jobsImage: `${repository.repositoryUri}@${images.processing}`,
      ...(machines === undefined ? {} : { machinesProfileName: machines.profile.instanceProfileName }),
    });
    const plan: TaskPlan = {
      ...{ settings, temporal, repository, key, logs },
      temporalHost: network.temporalHost,
      digest: images.worker,
      awsJson: this.toJsonString(block),
    };
    const cluster = new Cluster(this, 'Cluster', {
      vpc: network.vpc,
      clusterName: settings.name,
      containerInsightsV2: ContainerInsights.DISABLED,
    });
    const place: ServicePlace = { cluster, subnets: network.subnets, securityGroup: network.workers };
    const alarms = new Alarms(this, settings, key);
    for (const role of WORKER_ROLES) {
      alarms.watchService(workerService(this, role, plan, place, taskRole(role, grounds)));
    }
    alarms.watchOutcomes();
    alarms.watchTasks(cluster);
    if (settings.dragen !== undefined) alarms.watchMachines();
    if (settings.sweepMinutes > 0) {
      alarms.watchSweeps(cluster, scheduledSweep(this, plan, place, taskRole('sweep', grounds)));
    }
    budget(this, settings);
    for (const policy of operatorPolicies(grounds)) {
      new CfnOutput(this, `${policy.node.id}Policy`, { value: policy.managedPolicyArn });
    }
    new CfnOutput(this, 'Settings', { value: asYaml(block), description: 'for cohortflow.yaml' });
  }
}
