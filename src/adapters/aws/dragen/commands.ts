import type { CommandInvocationStatus, SSMClient } from '@aws-sdk/client-ssm';
import { CohortflowError } from '../../../domain/errors.js';
import { awsError } from '../aws-errors.js';
import { abortable, clientOptions } from '../client-options.js';
import type { Rate } from '../rate.js';
import { locationOf } from '../s3-location.js';

type Sdk = typeof import('@aws-sdk/client-ssm');

/** How a command stands. */
export interface CommandState {
  readonly status: CommandInvocationStatus;
  /** Says more where the status is short: `Execution Timed Out`, `Delivery Timed Out`, `Undeliverable`. */
  readonly details: string;
  /** Exit code of what ran; -1 while it runs. */
  readonly exit: number;
}

/** What a machine is to run. */
export interface CommandToSend {
  readonly machine: string;
  /** Which piece of work this is: by it the command is found again. */
  readonly name: string;
  readonly commands: readonly string[];
  readonly minutes: number;
  /** `s3://…`: what the commands say, whole. */
  readonly logs: string;
}

interface Listed {
  readonly id: string;
  /** Of which piece of work. */
  readonly comment: string | undefined;
  readonly at: number;
}

/** Longest that the service lets a command run, in seconds. */
const LONGEST = 172_800;
/** Seconds in which a command must have reached its machine. */
const DELIVERED_WITHIN = 600;

const named = (error: unknown, ...names: readonly string[]): boolean =>
  error instanceof Error && names.includes(error.name);

/** Commands on machines through the agent of Systems Manager: nobody logs in, nothing listens. */
export class MachineCommands {
  #client: Promise<{ readonly sdk: Sdk; readonly client: SSMClient }> | undefined;

  /** @param rate of looking, shared by all who wait */
  constructor(
    private readonly region: string | undefined,
    private readonly rate: Rate,
  ) {}

  private ssm(): Promise<{ readonly sdk: Sdk; readonly client: SSMClient }> {
    return (this.#client ??= import('@aws-sdk/client-ssm').then((sdk) => ({
      sdk,
      client: new sdk.SSMClient(clientOptions(this.region)),
    })));
  }

  /** The value of a public parameter, as the id of the newest machine image. */
  async parameter(name: string, signal: AbortSignal): Promise<string> {
    const { sdk, client } = await this.ssm();
    try {
      const { Parameter } = await client.send(new sdk.GetParameterCommand({ Name: name }), abortable(signal));
      if (Parameter?.Value === undefined)
        throw new CohortflowError('AwsNotConfigured', `the parameter ${name} is empty`);
      return Parameter.Value;
    } catch (error) {
      if (named(error, 'ParameterNotFound')) {
        throw new CohortflowError('AwsNotConfigured', `aws.dragen.amiParameter: there is no parameter ${name}`);
      }
      throw awsError(error, `Systems Manager, reading the parameter ${name}`, signal);
    }
  }

  /** True when the machine's agent answers; undefined when Systems Manager does not know the machine (yet). */
  async online(machine: string, signal: AbortSignal): Promise<boolean | undefined> {
    await this.rate.turn(signal);
    const { sdk, client } = await this.ssm();
    try {
      const { InstanceInformationList = [] } = await client.send(
        new sdk.DescribeInstanceInformationCommand({ Filters: [{ Key: 'InstanceIds', Values: [machine] }] }),
        abortable(signal),
      );
      const status = InstanceInformationList[0]?.PingStatus;
      return status === undefined ? undefined : status === 'Online';
    } catch (error) {
      if (named(error, 'InvalidInstanceId')) return undefined;
      throw awsError(error, 'Systems Manager, looking at a machine', signal);
    }
  }

  /** Sends a command; undefined when the machine cannot be reached yet. There is no token: sent twice it arrives twice. */
  async send(command: CommandToSend, signal: AbortSignal): Promise<string | undefined> {
    const { machine, name, commands, minutes, logs } = command;
    const { sdk, client } = await this.ssm();
    const { bucket, key } = locationOf(logs);
    try {
      const { Command } = await client.send(
        new sdk.SendCommandCommand({
          DocumentName: 'AWS-RunShellScript',
          InstanceIds: [machine],
          Comment: name,
          TimeoutSeconds: DELIVERED_WITHIN,
          Parameters: { commands: [...commands], executionTimeout: [String(Math.min(LONGEST, minutes * 60))] },
          OutputS3BucketName: bucket,
          OutputS3KeyPrefix: key,
        }),
        abortable(signal),
      );
      return Command?.CommandId;
    } catch (error) {
      if (named(error, 'InvalidInstanceId')) return undefined;
      throw awsError(error, 'Systems Manager, sending a command', signal);
    }
  }

  /** The commands of this piece of work that a machine was sent, newest first. */
  async sent(machine: string, name: string, signal: AbortSignal): Promise<readonly string[]> {
    const all = await this.listed(machine, signal);
    return all.filter(({ comment }) => comment === name).map(({ id }) => id);
  }

  /**
   * When the last command of a machine ended.
   *
   * @returns ms of the epoch; undefined while one runs, and 0 where none was ever sent
   */
  async quietSince(machine: string, signal: AbortSignal): Promise<number | undefined> {
    const [last] = await this.listed(machine, signal);
    if (last === undefined) return 0;
    await this.rate.turn(signal);
    const { sdk, client } = await this.ssm();
    try {
      const { ExecutionEndDateTime: end = '' } = await client.send(
        new sdk.GetCommandInvocationCommand({ InstanceId: machine, CommandId: last.id }),
        abortable(signal),
      );
      const at = Date.parse(end);
      return Number.isNaN(at) ? undefined : at;
    } catch (error) {
      if (named(error, 'InvocationDoesNotExist')) return undefined;
      throw awsError(error, 'Systems Manager, looking at a command', signal);
    }
  }

  /** All commands that a machine was sent, newest first. */
  private async listed(machine: string, signal: AbortSignal): Promise<readonly Listed[]> {
    const { sdk, client } = await this.ssm();
    const found: Listed[] = [];
    let NextToken: string | undefined;
    do {
      await this.rate.turn(signal);
      try {
        const input = { InstanceId: machine, MaxResults: 50, ...(NextToken === undefined ? {} : { NextToken }) };
        const page = await client.send(new sdk.ListCommandInvocationsCommand(input), abortable(signal));
        for (const { CommandId: id, Comment, RequestedDateTime } of page.CommandInvocations ?? []) {
          if (id !== undefined) found.push({ id, comment: Comment, at: RequestedDateTime?.getTime() ?? 0 });
        }
        NextToken = page.NextToken === '' ? undefined : page.NextToken;
      } catch (error) {
        if (named(error, 'InvalidInstanceId')) return [];
        throw awsError(error, 'Systems Manager, looking for commands', signal);
      }
    } while (NextToken !== undefined);
    return found.sort((one, other) => other.at - one.at);
  }

  /** How a command stands; undefined right after it was sent. */
  async state(machine: string, command: string, signal: AbortSignal): Promise<CommandState | undefined> {
    await this.rate.turn(signal);
    const { sdk, client } = await this.ssm();
    try {
      const {
        Status = 'Pending',
        StatusDetails = '',
        ResponseCode = -1,
      } = await client.send(
        new sdk.GetCommandInvocationCommand({ InstanceId: machine, CommandId: command }),
        abortable(signal),
      );
      return { status: Status, details: StatusDetails, exit: ResponseCode };
    } catch (error) {
      if (named(error, 'InvocationDoesNotExist')) return undefined;
      throw awsError(error, 'Systems Manager, looking at a command', signal);
    }
  }
}
