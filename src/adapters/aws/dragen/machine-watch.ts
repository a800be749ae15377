import type { AwsSettings } from '../../../config/aws-settings.js';
import type { RemoteEnd } from '../../../contracts/remote-work.js';
import { CohortflowError } from '../../../domain/errors.js';
import {
  type BoxEnd,
  boxFailure,
  dragenMachine,
  END_NAME,
  fetchAndRun,
  MACHINE_NAME,
  type MachineFacts,
  parseBoxEnd,
} from '../../../domain/genomics/dragen/index.js';
import type { Files } from '../../../ports/files.js';
import { WorkFailed } from '../../../ports/remote-executor.js';
import { goesDown, lostMachine, type Watched, withoutWord } from './bad-ends.js';
import type { MachineCommands } from './commands.js';
import type { Machine, Machines } from './machines.js';
import type { Patience } from './patience.js';

/** So long a machine may take to boot and its agent to answer. */
const READY_WITHIN_MS = 20 * 60_000;

/** A command is over in these states. */
const OVER = /^(Success|Cancelled|TimedOut|Failed)$/;

/** Where the script lies that the machine fetches and runs. */
export const scriptOf = (place: string): string => `${place}/request/run.sh`;

/** What a watch looks at the account with. */
export interface WatchTools {
  readonly settings: AwsSettings;
  readonly files: Files;
  readonly machines: Machines;
  readonly commands: MachineCommands;
  readonly patience: Patience;
}

/** Watches a machine at its work: gives it its command as soon as its agent answers, and says how the work ended. */
export class MachineWatch {
  readonly #began = Date.now();
  #silentSince: number | undefined;
  #command: string | undefined;

  constructor(
    private readonly watched: Watched,
    private readonly tools: WatchTools,
  ) {}

  /** One look at the machine and its command; the end when it has come. */
  async look(signal: AbortSignal, onProgress: (message: string) => void): Promise<RemoteEnd | undefined> {
    const { machines, commands, patience } = this.tools;
    const { id, name } = this.watched;
    const machine = await machines.describe(id, signal);
    const gone = machine === undefined ? Date.now() - this.#began > patience.unseen : goesDown(machine);
    if (gone) {
      // What it had finished counts, whatever became of the machine.
      const said = await this.endSaid(machine, gone, signal);
      if (said !== undefined) return said;
      throw lostMachine(this.watched, machine);
    }
    if (machine?.state !== 'running') {
      onProgress(`machine ${machine?.state ?? 'not seen yet'}`);
      return undefined;
    }
    this.#command ??= (await commands.sent(id, name, signal))[0] ?? (await this.send(signal));
    if (this.#command === undefined) {
      if (Date.now() - this.#began > READY_WITHIN_MS) {
        const message = `the agent of the machine ${id} does not answer: its instance profile must allow Systems Manager, and its subnet must reach it`;
        throw new WorkFailed('InstanceLost', message, { machine: id });
      }
      onProgress('waiting for the agent of the machine');
      return undefined;
    }
    const state = await commands.state(id, this.#command, signal);
    onProgress(`command ${state?.status ?? 'not seen yet'}`);
    if (state === undefined) return undefined;
    if (!OVER.test(state.status)) return this.stillRunning(machine, signal);
    const said = await this.endSaid(machine, gone, signal);
    if (said !== undefined) return said;
    throw withoutWord(state, this.watched);
  }

  private send(signal: AbortSignal): Promise<string | undefined> {
    const { settings } = this.tools;
    const { id, name, place, logs } = this.watched;
    const minutes = dragenMachine(settings).maxMinutes;
    const commands = fetchAndRun(scriptOf(place), settings.region);
    return this.tools.commands.send({ machine: id, name, commands, minutes, logs: `${logs}.ssm` }, signal);
  }

  /** An agent that fell silent never ends its command: whether the machine has is asked of S3, for a while. */
  private async stillRunning(machine: Machine, signal: AbortSignal): Promise<RemoteEnd | undefined> {
    const { commands, patience } = this.tools;
    const { id } = this.watched;
    if ((await commands.online(id, signal)) === true) {
      this.#silentSince = undefined;
      return undefined;
    }
    this.#silentSince ??= Date.now();
    const said = await this.endSaid(machine, false, signal);
    if (said !== undefined) return said;
    if (Date.now() - this.#silentSince < patience.silent) return undefined;
    throw new WorkFailed('InstanceLost', `the agent of the machine ${id} does not answer any more`, { machine: id });
  }

  /** What the machine wrote in the end; undefined while it has not. Throws when it says that it failed. */
  private async endSaid(
    machine: Machine | undefined,
    gone: boolean,
    signal: AbortSignal,
  ): Promise<RemoteEnd | undefined> {
    const { files, machines } = this.tools;
    const { place, name, id, logs } = this.watched;
    const path = `${place}/results/${END_NAME}`;
    if ((await files.stat(path)) === undefined) return undefined;
    const end = parseBoxEnd(await files.readText(path, signal));
    if (end === undefined)
      throw new WorkFailed('DragenFailed', `${END_NAME} of ${name} cannot be read`, { machine: id });
    if (!end.ok) {
      const { code, message } = boxFailure(end);
      // A machine that goes down ends its programs, and they may make an error of it: their word does not count then.
      const now = gone ? machine : await machines.describe(id, signal);
      if (gone || (now !== undefined && goesDown(now))) throw lostMachine(this.watched, now, `; it said: ${message}`);
      throw new WorkFailed(code, `${message}; its log: ${logs}.log`, { machine: id });
    }
    await this.checkResults(end, signal);
    // What the command of work that went well said, nobody reads.
    await files.remove(`${logs}.ssm`);
    const at = (pattern: RegExp): readonly string[] =>
      end.results.filter((one) => pattern.test(one.name)).map((one) => `${place}/results/${one.name}`);
    const facts = { seconds: end.seconds, ...(machine === undefined ? {} : { instanceType: machine.type }) };
    const { intended } = this.watched;
    const made = intended === undefined ? [] : [await this.noteMachine({ ...intended, ...facts }, end, machine)];
    return { results: { quant: at(/\.quant\.sf$/), metrics: [...at(/\.(csv|json)$/), ...made] }, facts };
  }

  /** Puts beside the tables what they were made on, for the step that takes them up. */
  private async noteMachine(facts: MachineFacts, { version }: BoxEnd, machine: Machine | undefined): Promise<string> {
    const path = `${this.watched.place}/results/${MACHINE_NAME}`;
    const told = {
      ...(version === undefined ? {} : { version }),
      ...(machine === undefined ? {} : { spot: machine.spot }),
    };
    await this.tools.files.write(path, `${JSON.stringify({ ...facts, ...told } satisfies MachineFacts)}\n`);
    return path;
  }

  /** The tables are small: what is read here must be what the machine wrote. */
  private async checkResults({ results }: BoxEnd, signal: AbortSignal): Promise<void> {
    for (const { name, sha256 } of results) {
      if ((await this.tools.files.sha256(`${this.watched.place}/results/${name}`, signal)) !== sha256) {
        throw new CohortflowError('ChecksumMismatch', `${name} in S3 is not what the machine wrote`);
      }
    }
  }
}
