import type { Faults } from './faults.js';
import { invalid, ServiceError } from './service-error.js';
import type { Machine, StandInMachines } from './machines.js';

type Json = Readonly<Record<string, unknown>>;

export interface CommandOptions {
  readonly machines: StandInMachines;
  readonly parameters: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly faults: Faults;
  /** Seconds for which a new command is not seen. */
  readonly unseenSeconds: number;
  readonly scale: number;
  /** Puts what a command said into S3. */
  readonly keep: (bucket: string, key: string, text: string) => Promise<void>;
}

interface Command {
  readonly id: string;
  readonly machine: Machine;
  readonly comment: string;
  readonly sent: number;
  /** Seconds that it may run. */
  readonly seconds: number;
  status: string;
  details: string;
  responseCode: number;
  stdout: string;
  stderr: string;
  ended?: number;
  kill: (() => void) | undefined;
}

const asJson = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});

/** What the document that runs a script takes. */
const PARAMETERS = ['commands', 'executionTimeout', 'workingDirectory'];

/** Commands on machines as Systems Manager runs them. */
export class StandInCommands {
  readonly #commands: Command[] = [];

  constructor(private readonly options: CommandOptions) {}

  readonly actions: Readonly<Record<string, (request: Json) => Json>> = {
    SendCommand: (request) => this.send(request),
    GetCommandInvocation: (request) => this.state(request),
    ListCommandInvocations: (request) => this.list(request),
    CancelCommand: (request) => {
      for (const command of this.#commands) if (command.id === request['CommandId']) this.cancel(command);
      return {};
    },
    DescribeInstanceInformation: (request) => {
      const [filter] = (request['Filters'] ?? []) as readonly { Values?: readonly string[] }[];
      const found = (filter?.Values ?? []).flatMap((id) => {
        const machine = this.options.machines.all.get(id);
        if (machine === undefined || (!machine.online && !machine.agentLost)) return [];
        return [{ InstanceId: id, PingStatus: machine.agentLost || !machine.online ? 'ConnectionLost' : 'Online' }];
      });
      return { InstanceInformationList: found };
    },
    GetParameter: ({ Name }) => {
      const value = this.options.parameters[String(Name)];
      if (value === undefined) throw new ServiceError('ParameterNotFound', '');
      return { Parameter: { Name, Value: value, Type: 'String' } };
    },
    DescribeParameters: () => ({ Parameters: Object.keys(this.options.parameters).map((Name) => ({ Name })) }),
    DescribeSecret: ({ SecretId }) => {
      if (this.options.secrets[String(SecretId)] === undefined)
        throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
      return { ARN: SecretId, Name: SecretId, VersionIdsToStages: { [crypto.randomUUID()]: ['AWSCURRENT'] } };
    },
    GetSecretValue: ({ SecretId }) => {
      const value = this.options.secrets[String(SecretId)];
      if (value === undefined)
        throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the secret");
      return { ARN: SecretId, Name: SecretId, SecretString: value };
    },
  };

  /** Seconds that each command may run, in the order in which they were sent. */
  timeouts(): readonly number[] {
    return this.#commands.map(({ seconds }) => seconds);
  }

  /** What was sent, in order: whose work (its comment), to which machine, and how it ended. */
  sent(): readonly { readonly comment: string; readonly machine: string; readonly status: string }[] {
    return this.#commands.map(({ comment, machine, status }) => ({ comment, machine: machine.id, status }));
  }

  /** Pages of what was sent, newest first; not what was sent a moment ago. */
  private list({ InstanceId, CommandId, MaxResults = 50, NextToken = '0' }: Json): Json {
    const most = Number(MaxResults);
    if (!(most >= 1 && most <= 50)) throw invalid('maxResults must be 1 to 50');
    const found = this.#commands
      .filter((command) => this.asked(InstanceId, command.machine.id) && this.asked(CommandId, command.id))
      .filter((command) => this.seen(command))
      .reverse();
    const from = Number(NextToken);
    const page = found.slice(from, from + most);
    return {
      CommandInvocations: page.map(({ id, machine, comment, status, details, sent }) => ({
        ...{ CommandId: id, InstanceId: machine.id, Comment: comment, Status: status, StatusDetails: details },
        RequestedDateTime: sent / 1000,
      })),
      ...(from + most < found.length ? { NextToken: String(from + most) } : {}),
    };
  }

  private seen({ sent }: Command): boolean {
    return Date.now() - sent >= (this.options.unseenSeconds * 1000) / this.options.scale;
  }

  private asked(wanted: unknown, value: string): boolean {
    return wanted === undefined || wanted === value;
  }

  private send(request: Json): Json {
    const { DocumentName, InstanceIds, TimeoutSeconds = 3600, Comment = '', Parameters } = request;
    if (DocumentName !== 'AWS-RunShellScript') throw new ServiceError('InvalidDocument', 'no such document');
    const { commands, executionTimeout = ['3600'] } = asJson(Parameters) as {
      commands?: readonly string[];
      executionTimeout?: readonly string[];
    };
    const seconds = Number(executionTimeout[0]);
    if (!Array.isArray(commands) || commands.length === 0)
      throw new ServiceError('InvalidParameters', 'commands is required');
    if (!Array.isArray(executionTimeout) || !(seconds >= 1 && seconds <= 172_800)) {
      throw new ServiceError('InvalidParameters', 'executionTimeout must be 1 to 172800');
    }
    if (Number(TimeoutSeconds) < 30 || Number(TimeoutSeconds) > 2_592_000)
      throw invalid('timeoutSeconds is out of range');
    if (String(Comment).length > 100) throw invalid('comment is too long');
    const strange = Object.keys(asJson(Parameters)).find((name) => !PARAMETERS.includes(name));
    if (strange !== undefined) throw new ServiceError('InvalidParameters', `no parameter ${strange}`);
    const [id = '', ...more] = (InstanceIds ?? []) as readonly string[];
    if (more.length > 0) throw invalid('this stand-in sends a command to one machine');
    const machine = this.options.machines.all.get(id);
    if (machine?.online !== true)
      throw new ServiceError('InvalidInstanceId', `Instances [[${id}]] not in a valid state`);
    const command: Command = {
      ...{ id: crypto.randomUUID(), machine, comment: String(Comment), sent: Date.now(), seconds },
      ...{ status: 'Pending', details: 'Pending', responseCode: -1, stdout: '', stderr: '', kill: undefined },
    };
    this.#commands.push(command);
    if (machine.agentLost) {
      this.options.machines.after(Number(TimeoutSeconds), () => this.undelivered(command));
    } else void this.run(command, commands.join('\n'), seconds, request);
    return { Command: { CommandId: command.id, Status: 'Pending', Comment, InstanceIds } };
  }

  /** An agent that answers nobody takes no command either. */
  private undelivered(command: Command): void {
    if (command.status === 'Pending') this.set(command, 'TimedOut', 'Delivery Timed Out');
  }

  private set(command: Command, status: string, details = status): void {
    if (/^(Success|Cancelled|TimedOut|Failed)$/.test(status)) command.ended = Date.now();
    command.status = status;
    command.details = details;
  }

  private async run(
    command: Command,
    script: string,
    seconds: number,
    { OutputS3BucketName: bucket, OutputS3KeyPrefix: prefix }: Json,
  ): Promise<void> {
    const { machine } = command;
    this.set(command, 'InProgress');
    machine.commands += 1;
    let timedOut = false;
    const timer = this.options.machines.after(seconds, () => {
      timedOut = true;
      command.kill?.();
    });
    const end = await machine.box?.run(script, (kill) => (command.kill = kill));
    clearTimeout(timer);
    // Nobody tells of the end of a machine that is gone, or whose agent is.
    if (end === undefined || machine.agentLost || machine.state !== 'running') return;
    command.stdout = end.stdout.slice(0, 24_000);
    command.stderr = end.stderr.slice(0, 8_000);
    command.responseCode = end.exitCode;
    if (typeof bucket === 'string') {
      const base = `${String(prefix)}/${command.id}/${machine.id}/awsrunShellScript/0.awsrunShellScript`;
      if (end.stdout !== '') await this.options.keep(bucket, `${base}/stdout`, end.stdout);
      if (end.stderr !== '') await this.options.keep(bucket, `${base}/stderr`, end.stderr);
    }
    if (command.status === 'Cancelling') this.set(command, 'Cancelled');
    else if (timedOut) this.set(command, 'TimedOut', 'Execution Timed Out');
    else if (end.exitCode === 0) this.set(command, 'Success');
    else this.set(command, 'Failed');
  }

  private cancel(command: Command): void {
    if (command.status !== 'InProgress' && command.status !== 'Pending') return;
    this.set(command, 'Cancelling');
    command.kill?.();
  }

  private state({ CommandId, InstanceId }: Json): Json {
    const command = this.#commands.find(({ id, machine }) => id === CommandId && machine.id === InstanceId);
    if (command === undefined || !this.seen(command)) throw new ServiceError('InvocationDoesNotExist', '');
    const { status, details, responseCode, stdout, stderr, comment } = command;
    const over = responseCode !== -1;
    return {
      ...{
        CommandId,
        InstanceId,
        Comment: comment,
        Status: status,
        StatusDetails: details,
        ResponseCode: responseCode,
      },
      ExecutionEndDateTime: command.ended === undefined ? '' : new Date(command.ended).toISOString(),
      ...{ StandardOutputContent: over ? stdout : '', StandardErrorContent: over ? stderr : '' },
    };
  }
}
