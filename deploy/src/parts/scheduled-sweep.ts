import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { EcsTask } from 'aws-cdk-lib/aws-events-targets';
import { FargatePlatformVersion } from 'aws-cdk-lib/aws-ecs';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { fargateTask, type TaskPlan } from './worker-task.js';
import type { ServicePlace } from './worker-service.js';

/**
 * `cohortflow sweep --yes` as a task of its own: it ends what nobody waits for even when no worker is alive to run the
 * schedule of Temporal.
 *
 * @returns the family of its tasks
 */
export function scheduledSweep(scope: Construct, plan: TaskPlan, place: ServicePlace, taskRole: IRole): string {
  const size = { vcpu: 0.5, memoryGb: 1, diskGb: 21 };
  const definition = fargateTask(scope, 'sweep', plan, size, taskRole, ['sweep', '--yes'], {});
  new Rule(scope, 'SweepSchedule', {
    description: 'ends jobs and machines that no running workflow waits for',
    schedule: Schedule.rate(Duration.minutes(plan.settings.sweepMinutes)),
    targets: [
      new EcsTask({
        cluster: place.cluster,
        taskDefinition: definition,
        subnetSelection: { subnets: [...place.subnets] },
        securityGroups: [place.securityGroup],
        platformVersion: FargatePlatformVersion.VERSION1_4,
        assignPublicIp: false,
        retryAttempts: 2,
      }),
    ],
  });
  return definition.family;
}
