import type { EC2Client, Filter, Instance, RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { CohortflowError } from '../../../domain/errors.js';
import { awsError } from '../aws-errors.js';
import { abortable, clientOptions } from '../client-options.js';
import type { Rate } from '../rate.js';
import type { BootImage } from './machine-request.js';

type Sdk = typeof import('@aws-sdk/client-ec2');

/** A machine of ours as EC2 sees it. */
export interface Machine {
  readonly id: string;
  readonly state: 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped';
  readonly type: string;
  /** Code and text of why it is in this state, as EC2 gives them; empty when it says nothing. */
  readonly reason: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly since?: string;
  readonly spot: boolean;
}

/** States in which a machine, or its volume, still costs. */
export const COSTS: readonly Machine['state'][] = ['pending', 'running', 'stopping', 'stopped'];

/** So often the same launch is asked for until there is an answer; pauses in ms. */
const LAUNCH_AGAIN = [500, 2_000, 6_000];

function machineOf(found: Instance): Machine {
  const { InstanceId: id = '', InstanceType: type = '', InstanceLifecycle, LaunchTime, Tags = [], StateReason } = found;
  return {
    id,
    type,
    state: found.State?.Name ?? 'pending',
    reason: [StateReason?.Code, StateReason?.Message].filter((part) => part !== undefined && part !== '').join(': '),
    tags: Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value])),
    spot: InstanceLifecycle === 'spot',
    ...(LaunchTime === undefined ? {} : { since: LaunchTime.toISOString() }),
  };
}

const named = (error: unknown, pattern: RegExp): boolean => error instanceof Error && pattern.test(error.name);

/** Machines of EC2: started, found, ended. */
export class Machines {
  #client: Promise<{ readonly sdk: Sdk; readonly client: EC2Client }> | undefined;
  readonly #images = new Map<string, Promise<BootImage>>();

  /** @param rate of looking, shared by all who wait */
  constructor(
    private readonly region: string | undefined,
    private readonly rate: Rate,
  ) {}

  private ec2(): Promise<{ readonly sdk: Sdk; readonly client: EC2Client }> {
    return (this.#client ??= import('@aws-sdk/client-ec2').then((sdk) => ({
      sdk,
      client: new sdk.EC2Client(clientOptions(this.region)),
    })));
  }

  /** The root device of a machine image. */
  image(id: string, signal: AbortSignal): Promise<BootImage> {
    let known = this.#images.get(id);
    if (known === undefined) {
      known = this.readImage(id, signal);
      known.catch(() => this.#images.delete(id));
      this.#images.set(id, known);
    }
    return known;
  }

  /**
   * Starts one machine. The same token gives the same machine, so a lost answer is asked for again.
   *
   * @returns its id, and its state when it was there already
   */
  async launch(request: RunInstancesCommandInput, signal: AbortSignal): Promise<string> {
    const { sdk, client } = await this.ec2();
    for (let again = 0; ; again += 1) {
      try {
        const { Instances = [] } = await client.send(new sdk.RunInstancesCommand(request), abortable(signal));
        const id = Instances[0]?.InstanceId;
        if (id !== undefined) return id;
        throw new CohortflowError('AwsUnavailable', 'EC2 started a machine and did not say which');
      } catch (error) {
        const coded = awsError(error, 'EC2, starting a machine', signal);
        const pause = LAUNCH_AGAIN[again];
        const unanswered = coded instanceof CohortflowError && coded.code === 'AwsUnavailable';
        if (!unanswered || pause === undefined) throw coded;
        await new Promise((resolve) => setTimeout(resolve, pause));
        signal.throwIfAborted();
      }
    }
  }

  /** Undefined when EC2 does not know the id, as it may be for a moment after the start. */
  async describe(id: string, signal: AbortSignal): Promise<Machine | undefined> {
    await this.rate.turn(signal);
    const { sdk, client } = await this.ec2();
    try {
      const { Reservations = [] } = await client.send(
        new sdk.DescribeInstancesCommand({ InstanceIds: [id] }),
        abortable(signal),
      );
      const found = Reservations.flatMap(({ Instances = [] }) => Instances)[0];
      return found === undefined ? undefined : machineOf(found);
    } catch (error) {
      if (named(error, /^InvalidInstanceID\.NotFound/)) return undefined;
      throw awsError(error, 'EC2, looking at a machine', signal);
    }
  }

  /** All machines with a tag that cost, or that are in other states when asked for. */
  async tagged(
    key: string,
    value: string,
    signal: AbortSignal,
    states: readonly Machine['state'][] = COSTS,
  ): Promise<readonly Machine[]> {
    const { sdk, client } = await this.ec2();
    const Filters: Filter[] = [
      { Name: `tag:${key}`, Values: [value] },
      { Name: 'instance-state-name', Values: [...states] },
    ];
    const found: Machine[] = [];
    let NextToken: string | undefined;
    do {
      await this.rate.turn(signal);
      const input = { Filters, MaxResults: 100, ...(NextToken === undefined ? {} : { NextToken }) };
      try {
        const page = await client.send(new sdk.DescribeInstancesCommand(input), abortable(signal));
        for (const { Instances = [] } of page.Reservations ?? []) found.push(...Instances.map(machineOf));
        NextToken = page.NextToken === '' ? undefined : page.NextToken;
      } catch (error) {
        throw awsError(error, 'EC2, looking for machines', signal);
      }
    } while (NextToken !== undefined);
    return found;
  }

  /** Ends a machine; one that has ended stays so, and one that is not seen (yet) is not ended. */
  async terminate(id: string, signal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.ec2();
    try {
      await client.send(new sdk.TerminateInstancesCommand({ InstanceIds: [id] }), abortable(signal));
    } catch (error) {
      if (named(error, /^InvalidInstanceID\.NotFound/)) return;
      throw awsError(error, 'EC2, ending a machine', signal);
    }
  }

  private async readImage(id: string, signal: AbortSignal): Promise<BootImage> {
    const { sdk, client } = await this.ec2();
    try {
      const { Images = [] } = await client.send(new sdk.DescribeImagesCommand({ ImageIds: [id] }), abortable(signal));
      return { id, rootDevice: Images[0]?.RootDeviceName ?? '/dev/sda1' };
    } catch (error) {
      throw awsError(error, `EC2, reading the machine image ${id}`, signal);
    }
  }
}
