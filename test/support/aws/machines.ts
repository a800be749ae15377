import { createHash } from 'node:crypto';
import { Box, type BoxImage } from './boxes.js';
import type { Faults } from './faults.js';
import { ServiceError } from './service-error.js';
import { authorizeLaunch, tagsOf, validateLaunch } from './validate-machine.js';
import type { FormValue, XmlValue } from './xml.js';

type Form = Readonly<Record<string, FormValue>>;
type State = 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped';

const VCPUS: Readonly<Record<string, number>> = {
  'f1.2xlarge': 8,
  'f1.4xlarge': 16,
  'f2.6xlarge': 24,
  'f2.12xlarge': 48,
};
const CODES: Readonly<Record<State, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

export interface MachineOptions {
  /** Machine images by id: the size of their root snapshot in GB, and what is on them. */
  readonly amis: Readonly<Record<string, BoxImage & { readonly rootGb: number; readonly unsubscribed?: boolean }>>;
  /** Subnets and their zones. */
  readonly subnets: Readonly<Record<string, string>>;
  readonly securityGroups: readonly string[];
  readonly instanceProfiles: readonly string[];
  /** Types that can be had; F1 is retired. */
  readonly types: readonly string[];
  /** vCPUs of the F family that may run at once. */
  readonly vcpus: number;
  readonly bootSeconds: number;
  /** Seconds from running until the agent answers. */
  readonly agentSeconds: number;
  /** Seconds for which a new machine is not seen. */
  readonly unseenSeconds: number;
  /** Dollars an hour, by type. */
  readonly prices: Readonly<Record<string, number>>;
  readonly scale: number;
  readonly faults: Faults;
  readonly environment: () => NodeJS.ProcessEnv;
}

export interface Machine {
  readonly id: string;
  readonly type: string;
  readonly token: string;
  readonly digest: string;
  readonly subnet: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly launched: number;
  readonly onShutdown: string;
  readonly spot: boolean;
  state: State;
  reason: readonly [code: string, message: string] | undefined;
  ended: number | undefined;
  online: boolean;
  agentLost: boolean;
  box: Box | undefined;
  commands: number;
  /** Its next change of state that the service makes, and the one that it asked for itself. */
  timer: NodeJS.Timeout | undefined;
  shutdown: NodeJS.Timeout | undefined;
}

const fault = (type: string, message: string, status = 400): ServiceError => new ServiceError(type, message, status);
const text = (value: FormValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
const list = (value: FormValue | undefined): readonly FormValue[] =>
  Array.isArray(value) ? (value as readonly FormValue[]) : [];
const map = (value: FormValue | undefined): Form =>
  typeof value === 'object' && !Array.isArray(value) ? (value as Form) : {};
const filtersOf = (form: Form): readonly { readonly name: string; readonly values: readonly string[] }[] =>
  list(form['Filter'])
    .map(map)
    .map((filter) => ({ name: text(filter['Name']) ?? '', values: list(filter['Value']).map(String) }));
const COSTS: readonly State[] = ['pending', 'running', 'stopping', 'stopped'];

/** The machines of an account: their states pass with time, and their insides really run. */
export class StandInMachines {
  readonly all = new Map<string, Machine>();
  #peak = 0;

  constructor(private readonly options: MachineOptions) {}

  readonly actions: Readonly<Record<string, (form: Form) => XmlValue>> = {
    RunInstances: (form) => this.run(form),
    DescribeInstances: (form) => this.describe(form),
    TerminateInstances: (form) => this.terminate(list(form['InstanceId']).map(String)),
    DescribeImages: (form) => ({
      imagesSet: list(form['ImageId']).map((id) => {
        const ami = this.options.amis[String(id)];
        if (ami === undefined) throw fault('InvalidAMIID.NotFound', `The image id '[${String(id)}]' does not exist`);
        return {
          ...{ imageId: String(id), imageState: 'available', name: 'dragen', rootDeviceName: '/dev/xvda' },
          blockDeviceMapping: [{ deviceName: '/dev/xvda', ebs: { volumeSize: ami.rootGb } }],
        };
      }),
    }),
    DescribeInstanceTypeOfferings: (form) => {
      const [wanted = ''] = filtersOf(form)[0]?.values ?? [];
      const zones = this.options.types.includes(wanted) ? [...new Set(Object.values(this.options.subnets))] : [];
      return { instanceTypeOfferingSet: zones.map((location) => ({ instanceType: wanted, location })) };
    },
    DescribeSubnets: (form) => ({
      subnetSet: Object.entries(this.options.subnets)
        .filter(([id]) => filtersOf(form).every(({ name, values }) => name !== 'subnet-id' || values.includes(id)))
        .map(([id, zone]) => {
          return { subnetId: id, availabilityZone: zone, vpcId: 'vpc-1', availableIpAddressCount: 200 };
        }),
    }),
    DescribeRouteTables: () => ({
      routeTableSet: [
        {
          ...{ vpcId: 'vpc-1', routeTableId: 'rtb-1' },
          routeSet: [{ destinationCidrBlock: '0.0.0.0/0', natGatewayId: 'nat-1', state: 'active' }],
          associationSet: [{ main: true, routeTableId: 'rtb-1' }],
        },
      ],
    }),
    DescribeVpcEndpoints: () => ({ vpcEndpointSet: [] }),
    DescribeSecurityGroups: (form) => ({
      securityGroupInfo: filtersOf(form)
        .flatMap(({ name, values }) => (name === 'group-id' ? values : []))
        .filter((id) => this.options.securityGroups.includes(id))
        .map((groupId) => ({ groupId, vpcId: 'vpc-1' })),
    }),
  };

  /** What is and was there, and what it would have cost. */
  census(): {
    readonly alive: number;
    readonly peak: number;
    readonly launched: number;
    readonly dollars: number;
    readonly machines: readonly Pick<Machine, 'id' | 'type' | 'state' | 'commands' | 'subnet' | 'tags' | 'spot'>[];
  } {
    const machines = [...this.all.values()];
    const { prices, scale } = this.options;
    const hours = ({ launched, ended = Date.now() }: Machine): number => ((ended - launched) * scale) / 3_600_000;
    return {
      alive: this.alive().length,
      peak: this.#peak,
      launched: machines.length,
      dollars: machines.reduce((sum, machine) => sum + hours(machine) * (prices[machine.type] ?? 0), 0),
      machines: machines.map(({ id, type, state, commands, subnet, tags, spot }) => ({
        ...{ id, type, state, commands, subnet, tags, spot },
      })),
    };
  }

  close(): void {
    for (const machine of this.all.values()) {
      clearTimeout(machine.timer);
      clearTimeout(machine.shutdown);
      machine.box?.destroy();
    }
  }

  /**
   * Takes a machine away, as a spot machine is.
   *
   * @param down seconds that its programs get to end by themselves, and whether the system says that it stops
   */
  interrupt(id: string, down?: { readonly seconds: number; readonly says: boolean }): void {
    const machine = this.all.get(id);
    if (machine === undefined) return;
    const reason = ['Server.SpotInstanceTermination', 'Server.SpotInstanceTermination: Instance terminated'] as const;
    this.end(machine, 'terminate', reason, down);
  }

  after(seconds: number, act: () => void): NodeJS.Timeout {
    return setTimeout(act, (seconds * 1000) / this.options.scale).unref();
  }

  private alive(): Machine[] {
    return [...this.all.values()].filter(({ state }) => COSTS.includes(state));
  }

  /** What AWS looks at before it starts anything. */
  private check(form: Form): void {
    const { amis, subnets, instanceProfiles, types, vcpus, faults } = this.options;
    const [type, ami, subnet] = [text(form['InstanceType']) ?? '', text(form['ImageId']) ?? '', text(form['SubnetId'])];
    validateLaunch(form);
    authorizeLaunch(form);
    const image = amis[ami];
    if (image === undefined) throw fault('InvalidAMIID.NotFound', `The image id '[${ami}]' does not exist`);
    if (!types.includes(type)) {
      if (!/^[a-z]+\d[a-z]*\.[a-z0-9]+$/.test(type))
        throw fault('InvalidParameterValue', `Invalid value '${type}' for InstanceType.`);
      throw fault('Unsupported', `The requested configuration is currently not supported: ${type}.`);
    }
    if (image.unsubscribed === true) {
      const message = 'In order to use this AWS Marketplace product you need to accept terms and subscribe.';
      throw fault('OptInRequired', message, 401);
    }
    if (subnet !== undefined && subnets[subnet] === undefined) {
      throw fault('InvalidSubnetID.NotFound', `The subnet ID '${subnet}' does not exist`);
    }
    const strange = list(form['SecurityGroupId']).find((id) => !this.options.securityGroups.includes(String(id)));
    if (strange !== undefined) {
      throw fault('InvalidGroup.NotFound', `The security group '${String(strange)}' does not exist`);
    }
    const profile = map(form['IamInstanceProfile']);
    const name = text(profile['Name']) ?? text(profile['Arn'])?.split('/').at(-1);
    if (name !== undefined && !instanceProfiles.includes(name)) {
      throw fault(
        'InvalidParameterValue',
        `Value (${name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name`,
      );
    }
    for (const mapping of list(form['BlockDeviceMapping']).map(map)) {
      const size = Number(text(map(mapping['Ebs'])['VolumeSize']) ?? image.rootGb);
      if (size < image.rootGb) {
        throw fault(
          'InvalidBlockDeviceMapping',
          `Volume of size ${size}GB is smaller than snapshot, expect size >= ${image.rootGb}GB`,
        );
      }
    }
    const running = this.alive().reduce((sum, machine) => sum + (VCPUS[machine.type] ?? 0), 0);
    if (running + (VCPUS[type] ?? 0) > vcpus) {
      throw fault(
        'VcpuLimitExceeded',
        `You have requested more vCPU capacity than your current vCPU limit of ${vcpus} allows.`,
      );
    }
    // A trial asks whether one may, not whether there is one.
    if (text(form['DryRun']) === 'true') {
      throw fault('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412);
    }
    if (faults.capacity(type, subnet)) {
      throw fault('InsufficientInstanceCapacity', `We currently do not have sufficient ${type} capacity.`, 500);
    }
  }

  private run(form: Form): XmlValue {
    const token = text(form['ClientToken']) ?? '';
    const digest = createHash('sha256').update(JSON.stringify(form)).digest('hex');
    const before = token === '' ? undefined : [...this.all.values()].find((one) => one.token === token);
    if (before !== undefined) {
      if (before.digest === digest) return this.reservation(before);
      throw fault('IdempotentParameterMismatch', 'The client token was used with other parameters.');
    }
    this.check(form);
    const tags = tagsOf(form, 'instance');
    const machine: Machine = {
      id: `i-${createHash('sha256').update(crypto.randomUUID()).digest('hex').slice(0, 17)}`,
      ...{ type: text(form['InstanceType']) ?? '', token, digest, tags, subnet: text(form['SubnetId']) },
      ...{ launched: Date.now(), onShutdown: text(form['InstanceInitiatedShutdownBehavior']) ?? 'stop' },
      spot: text(map(form['InstanceMarketOptions'])['MarketType']) === 'spot',
      ...{ state: 'pending', reason: undefined, ended: undefined, online: false, agentLost: false },
      ...{ box: undefined, commands: 0, timer: undefined, shutdown: undefined },
    };
    this.all.set(machine.id, machine);
    this.#peak = Math.max(this.#peak, this.alive().length);
    this.boot(machine, text(form['ImageId']) ?? '', text(form['UserData']));
    return this.reservation(machine);
  }

  private boot(machine: Machine, ami: string, userData: string | undefined): void {
    const { bootSeconds, agentSeconds, amis, environment, faults } = this.options;
    machine.timer = this.after(bootSeconds, () => {
      if (machine.state !== 'pending') return;
      machine.state = 'running';
      machine.box = new Box(amis[ami] ?? {}, environment(), (words) => this.shutDown(machine, words));
      if (userData !== undefined) void machine.box.run(Buffer.from(userData, 'base64').toString());
      this.after(agentSeconds, () => (machine.online = machine.state === 'running'));
    });
    const share = faults.strikes('interrupt');
    if (share !== undefined) this.after((bootSeconds + agentSeconds) * (1 + share), () => this.interrupt(machine.id));
    const silent = faults.strikes('lose-agent');
    if (silent !== undefined) {
      this.after((bootSeconds + agentSeconds) * (1.2 + silent), () => (machine.agentLost = true));
    }
  }

  /** `shutdown` on the machine: now, in minutes, or not after all. */
  private shutDown(machine: Machine, words: readonly string[]): void {
    const when = words.find((word) => /^(\+\d+|now)$/.test(word));
    clearTimeout(machine.shutdown);
    if (words.includes('-c') || when === undefined) return;
    const minutes = when === 'now' ? 0 : Number(when.slice(1));
    // A new time replaces the one before, as with the real one.
    machine.shutdown = this.after(minutes * 60, () =>
      this.end(machine, machine.onShutdown, ['Client.InstanceInitiatedShutdown', 'Instance initiated shutdown']),
    );
  }

  private end(
    machine: Machine,
    how: string,
    reason: readonly [string, string],
    down?: { readonly seconds: number; readonly says: boolean },
  ): void {
    if (!COSTS.includes(machine.state)) return;
    const stops = how === 'stop';
    machine.state = stops ? 'stopping' : 'shutting-down';
    machine.reason = reason;
    machine.online = false;
    machine.ended = Date.now();
    if (down === undefined) machine.box?.destroy();
    else machine.box?.goDown((down.seconds * 1000) / this.options.scale, down.says);
    machine.timer = this.after(20, () => (machine.state = stops ? 'stopped' : 'terminated'));
  }

  private terminate(ids: readonly string[]): XmlValue {
    const found = ids.map((id) => this.known(id));
    for (const machine of found) {
      if (machine.state === 'stopped') machine.state = 'terminated';
      else
        this.end(machine, 'terminate', [
          'Client.UserInitiatedShutdown',
          'Client.UserInitiatedShutdown: User initiated shutdown',
        ]);
    }
    return {
      instancesSet: found.map(({ id, state }) => ({
        instanceId: id,
        currentState: { code: CODES[state], name: state },
      })),
    };
  }

  private seen({ launched }: Machine): boolean {
    return Date.now() - launched >= (this.options.unseenSeconds * 1000) / this.options.scale;
  }

  private known(id: string): Machine {
    const machine = this.all.get(id);
    if (machine !== undefined && this.seen(machine)) return machine;
    throw fault('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
  }

  private fits(machine: Machine, { name, values }: ReturnType<typeof filtersOf>[number]): boolean {
    if (name === 'instance-state-name') return values.includes(machine.state);
    if (name === 'tag-key') return values.some((key) => key in machine.tags);
    if (name.startsWith('tag:')) return values.includes(machine.tags[name.slice(4)] ?? '\0');
    if (name === 'client-token') return values.includes(machine.token);
    throw fault('InvalidParameterValue', `The filter '${name}' is invalid`);
  }

  private describe(form: Form): XmlValue {
    const ids = list(form['InstanceId']).map(String);
    const from = Number(text(form['NextToken']) ?? 0);
    const most = Number(text(form['MaxResults']) ?? 1000);
    if (form['MaxResults'] !== undefined) {
      if (ids.length > 0) {
        const message = 'The parameter instancesSet cannot be used with the parameter maxResults';
        throw fault('InvalidParameterCombination', message);
      }
      if (!(most >= 5 && most <= 1000)) throw fault('InvalidParameterValue', 'maxResults must be 5 to 1000');
    }
    const filters = filtersOf(form);
    const fitting = (
      ids.length > 0 ? ids.map((id) => this.known(id)) : [...this.all.values()].filter((one) => this.seen(one))
    ).filter((machine) => filters.every((filter) => this.fits(machine, filter)));
    const page = fitting.slice(from, from + most);
    return {
      reservationSet: page.map((machine) => this.reservation(machine)),
      ...(from + most < fitting.length ? { nextToken: String(from + most) } : {}),
    };
  }

  private reservation(machine: Machine): { readonly [name: string]: XmlValue } {
    const { id, type, state, reason, tags, launched, token, subnet, spot } = machine;
    const [code, message] = reason ?? [];
    return {
      reservationId: `r-${id.slice(2)}`,
      instancesSet: [
        {
          ...{ instanceId: id, instanceType: type, clientToken: token, subnetId: subnet },
          // EC2 says it of spot machines only.
          ...(spot ? { instanceLifecycle: 'spot' } : {}),
          instanceState: { code: CODES[state], name: state },
          launchTime: new Date(launched).toISOString(),
          ...(code === undefined ? {} : { stateReason: { code, message } }),
          tagSet: Object.entries(tags).map(([key, value]) => ({ key, value })),
        },
      ],
    };
  }
}
