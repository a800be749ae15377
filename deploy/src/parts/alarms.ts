import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  Metric,
  Stats,
  TreatMissingData,
  type AlarmProps,
  type IMetric,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import type { ICluster } from 'aws-cdk-lib/aws-ecs';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { Settings } from '../settings.js';
import type { WorkerService } from './worker-service.js';

/** Lines of the workers' log that are counted; the log is one JSON object a line (docs/operating.md). */
const COUNTED = {
  FailedSteps: FilterPattern.stringValue('$.outcome', '=', 'failed'),
  LostProcesses: FilterPattern.any(
    FilterPattern.stringValue('$.code', '=', 'OutOfMemory'),
    FilterPattern.stringValue('$.code', '=', 'ProcessLost'),
  ),
} as const;

/** Alarms of an installation, and the one topic that all of them go to. */
export class Alarms {
  readonly topic: Topic;
  readonly #action: SnsAction;

  constructor(
    private readonly scope: Construct,
    private readonly settings: Settings,
    key: IKey,
  ) {
    this.topic = new Topic(scope, 'Alarms', {
      displayName: `${settings.name} alarms`,
      masterKey: key,
      enforceSSL: true,
    });
    for (const email of settings.watch.emails) this.topic.addSubscription(new EmailSubscription(email));
    this.#action = new SnsAction(this.topic);
  }

  /** Workers of a role: none there, or as many as there may be and all of them busy for an hour, which is a backlog. */
  watchService({ role, service, logs }: WorkerService): void {
    const busy = service.metricCpuUtilization({ period: Duration.minutes(15), statistic: Stats.AVERAGE });
    const there = service.metricCpuUtilization({ period: Duration.minutes(5), statistic: Stats.SAMPLE_COUNT });
    this.add(`${role}-none`, `no worker of the role ${role} runs: cohorts wait`, there, {
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 3,
      treatMissingData: TreatMissingData.BREACHING,
    });
    this.add(
      `${role}-backlog`,
      `workers of the role ${role} have been busy for an hour: raise workers.${role}.most`,
      busy,
      {
        threshold: 90,
        evaluationPeriods: 4,
      },
    );
    for (const [name, filterPattern] of Object.entries(COUNTED)) {
      new MetricFilter(this.scope, `${role}-${name}`, {
        logGroup: logs,
        filterPattern,
        metricNamespace: this.settings.name,
        metricName: name,
        metricValue: '1',
        defaultValue: 0,
      });
    }
  }

  /** What the logs of all workers count. */
  watchOutcomes(): void {
    const count = (metricName: string): Metric =>
      new Metric({ namespace: this.settings.name, metricName, period: Duration.hours(1), statistic: Stats.SUM });
    const { failedSteps } = this.settings.watch;
    this.add('failed-steps', 'many cases fail: see their codes in run/outcomes.csv', count('FailedSteps'), {
      threshold: failedSteps,
      evaluationPeriods: 1,
    });
    this.add('lost-processes', 'steps run out of memory or die: give workers.cpu more memory', count('LostProcesses'), {
      threshold: 3,
      evaluationPeriods: 1,
    });
  }

  /** F-family machines that never stopped to run for so many hours, whoever's they are: the account's own usage metric. */
  watchMachines(): void {
    const { machineHours } = this.settings.watch;
    for (const market of ['OnDemand', 'Spot']) {
      const vcpus = new Metric({
        namespace: 'AWS/Usage',
        metricName: 'ResourceCount',
        dimensionsMap: { Service: 'EC2', Type: 'Resource', Resource: 'vCPU', Class: `F/${market}` },
        period: Duration.hours(1),
        statistic: Stats.MINIMUM,
      });
      this.add(
        `machines-${market.toLowerCase()}`,
        `F machines (${market}) run for ${machineHours} hours on end`,
        vcpus,
        {
          threshold: 1,
          evaluationPeriods: machineHours,
        },
      );
    }
  }

  /** Workers' tasks that ended by themselves or did not start. */
  watchTasks(cluster: ICluster): void {
    new Rule(this.scope, 'StoppedTasks', {
      description: 'worker tasks that ended by themselves, were unhealthy or did not start',
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Task State Change'],
        detail: {
          clusterArn: [cluster.clusterArn],
          lastStatus: ['STOPPED'],
          stopCode: ['EssentialContainerExited', 'TaskFailedToStart'],
          group: [{ prefix: 'service:' }],
        },
      },
      targets: [new SnsTopic(this.topic)],
    });
  }

  /**
   * Sweeps that did not do what they are for: each is a task that ends by itself, so only its exit code tells. A sweep that
   * fails in silence looks like one that found nothing.
   *
   * @param family of the sweep's task definition
   */
  watchSweeps(cluster: ICluster, family: string): void {
    const stopped = {
      clusterArn: [cluster.clusterArn],
      lastStatus: ['STOPPED'],
      group: [`family:${family}`],
    };
    new Rule(this.scope, 'FailedSweeps', {
      description: 'a sweep did not start or left something undone: jobs and machines may cost that nobody waits for',
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Task State Change'],
        detail: {
          ...stopped,
          // A container that never ran has no exit code.
          $or: [{ containers: { exitCode: [{ 'anything-but': [0] }] } }, { stopCode: ['TaskFailedToStart'] }],
        },
      },
      targets: [new SnsTopic(this.topic)],
    });
  }

  private add(
    id: string,
    alarmDescription: string,
    metric: IMetric,
    props: Pick<AlarmProps, 'threshold' | 'evaluationPeriods'> & Partial<AlarmProps>,
  ): void {
    const alarm = new Alarm(this.scope, `Alarm-${id}`, {
      alarmName: `${this.settings.name}-${id}`,
      alarmDescription,
      metric,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...props,
    });
    alarm.addAlarmAction(this.#action);
  }
}
