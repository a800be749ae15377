import { ManagedPolicy, Role, ServicePrincipal, type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { WorkerRole } from '../settings.js';
import { cleanFeatures, forgetFeatures, queryFeatures, writeFeatures } from './features.js';
import type { Grounds } from './grounds.js';
import { endJobs, quotas, startJobs } from './jobs.js';
import { cleanInfra, looks } from './looks.js';
import {
  commandMachines,
  endMachines,
  freeMachines,
  keyForVolumes,
  launchMachines,
  machineImages,
  tryLaunch,
} from './machines.js';
import { keyForDisks, payloads, storage } from './storage.js';

/** Whose process it is: a worker of one role, or the sweep. */
export type TaskName = WorkerRole | 'sweep';

/** What ends forgotten work: nothing of it can start any, nor read data. */
const ending = (grounds: Grounds): readonly PolicyStatement[] => [
  payloads(grounds),
  ...endJobs(grounds),
  ...endMachines(grounds),
];

/** What each kind of task may do in the account. */
export function statementsOf(task: TaskName, grounds: Grounds): readonly PolicyStatement[] {
  switch (task) {
    // Workflow code touches nothing: only payloads are opened.
    case 'orchestration':
      return [payloads(grounds)];
    case 'cpu':
      return [payloads(grounds), ...storage(grounds)];
    case 'sweep':
      return [...ending(grounds), ...freeMachines(grounds)];
    case 'io':
      return [
        ...ending(grounds),
        ...storage(grounds),
        ...startJobs(grounds),
        ...keyForDisks(grounds),
        quotas(),
        ...launchMachines(grounds),
        ...keyForVolumes(grounds),
        ...commandMachines(grounds),
        ...machineImages(grounds),
        ...writeFeatures(grounds),
      ];
  }
}

/** The role of a task in ECS, with that and nothing else. */
export function taskRole(task: TaskName, grounds: Grounds): Role {
  const role = new Role(grounds.scope, `${task[0]?.toUpperCase() ?? ''}${task.slice(1)}TaskRole`, {
    assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'),
    description: `cohortflow ${task}`,
  });
  for (const statement of statementsOf(task, grounds)) role.addToPolicy(statement);
  return role;
}

/**
 * For people who use the command line (`run --no-worker`, `doctor`, `plan`, `sweep`, `dataset`, `forget`, `clean`): to be
 * attached to whoever they are in this account.
 */
export function operatorPolicies(grounds: Grounds): readonly ManagedPolicy[] {
  const { scope } = grounds;
  const policy = (id: string, description: string, statements: readonly PolicyStatement[]): ManagedPolicy =>
    new ManagedPolicy(scope, id, { description, statements: [...statements] });
  return [
    policy('Operator', 'cohortflow on the command line: run, doctor, plan, sweep, dataset, forget', [
      ...ending(grounds),
      ...storage(grounds),
      ...tryLaunch(grounds),
      ...machineImages(grounds),
      ...queryFeatures(grounds),
      ...looks(grounds),
      quotas(),
    ]),
    policy('Cleaner', 'cohortflow on the command line: forget and clean', [
      forgetFeatures(grounds),
      ...cleanFeatures(grounds),
      ...cleanInfra(grounds),
    ]),
  ];
}
