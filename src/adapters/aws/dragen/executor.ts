import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AwsSettings } from '../../../config/aws-settings.js';
import type { DragenChoice } from '../../../contracts/inputs.js';
import type { RemoteEnd, RemoteRequest, RemoteTicket } from '../../../contracts/remote-work.js';
import {
  NAMESPACE_TAG,
  namespaceTag,
  RUN_TAG,
  WORK_TAG,
  withoutWork,
  workflowOf,
} from '../../../contracts/work-tags.js';
import { CohortflowError } from '../../../domain/errors.js';
import {
  type BoxEnd,
  boxFailure,
  boxScript,
  dragenMachine,
  type DragenMachine,
  END_NAME,
  fetchAndRun,
  parseBoxEnd,
} from '../../../domain/genomics/dragen/index.js';
import type { Files } from '../../../ports/files.js';
import { WorkFailed, type RemoteAlive, type RemoteExecutor, type RemoteWork } from '../../../ports/remote-executor.js';
import { jittered, Rate } from '../rate.js';
import { sraArchive } from '../sra-archive.js';
import { checkRoom, goesDown, lostMachine, type Watch, withoutWord } from './bad-ends.js';
import { boxWork } from './box-work.js';
import { MachineCommands } from './commands.js';
import { endMachines } from './end-machines.js';
import { choicesOf, machineRequest } from './machine-request.js';
import { COSTS, Machines, type Machine } from './machines.js';
import { MachinePool, POOL_TAG, poolKey, RETIRED } from './pool.js';
import { HashTables, tablesFolder } from './tables.js';

const POLL_SECONDS = 30;
/** Looks a second at all machines of a worker together. */
const LOOKS_PER_SECOND = 4;
/** So long a machine that was started may not be seen yet. */
const UNSEEN_MS = 120_000;
/** So long a machine may take to boot and its agent to answer. */
const READY_WITHIN_MS = 20 * 60_000;
const SILENT_MS = 10 * 60_000;
/** So often in a row a service may not answer before the worker lets another one look. */
const MOST_BLIND_LOOKS = 60;
/** A launch whose answer was lost is looked for so often before it counts as never made; pauses in ms. */
const LOOKS_FOR_LOST = [0, 1_000, 4_000, 10_000];
/** So long work that builds a hash table may be without a machine: it has not got one yet, or has just ended. */
const WITHOUT_MACHINE_MS = 5 * 60_000;
const END_POLL_MS = 3_000;

const EVER = new Date(0).toISOString();

/** A command is over in these states. */
const OVER = /^(Success|Cancelled|TimedOut|Failed)$/;

/** How long this and that may take, in ms. */
export interface Patience {
  /** So long an agent may be silent before its machine counts as lost. */
  readonly silent: number;
  /** So long a machine that was started may not be seen yet. */
  readonly unseen: number;
  /** So long work that builds a hash table may be without a machine before another takes its place. */
  readonly withoutMachine: number;
}

const PATIENCE: Patience = { silent: SILENT_MS, unseen: UNSEEN_MS, withoutMachine: WITHOUT_MACHINE_MS };

/**
 * Samples on DRAGEN machines of EC2: one machine each, started for it and ended with it; or, where the settings say how many
 * (`aws.dragen.instances`), on a pool of them that take one sample after another.
 */
export class DragenExecutor implements RemoteExecutor {
  readonly name = 'dragen';
  readonly #machines: Machines;
  readonly #tables: HashTables;
  readonly #patience: Patience;
  readonly #archive = sraArchive();
  readonly #commands: MachineCommands;
  readonly #pool: MachinePool | undefined;

  /**
   * @param files S3, where scripts are put and results are found
   * @param namespace of Temporal whose machines {@link alive} lists
   */
  constructor(
    private readonly settings: AwsSettings,
    private readonly files: Files,
    private readonly namespace = 'default',
    patience: Partial<Patience> = {},
  ) {
    this.#patience = { ...PATIENCE, ...patience };
    this.#tables = new HashTables(settings, files);
    const rate = new Rate(LOOKS_PER_SECOND);
    this.#machines = new Machines(settings.region, rate);
    this.#commands = new MachineCommands(settings.region, rate);
    if (settings.dragen?.instances !== undefined) {
      const folder = `${tablesFolder(settings)}/machines`;
      this.#pool = new MachinePool(this.#machines, files, folder);
    }
  }

  async submit(work: RemoteWork, signal: AbortSignal): Promise<RemoteTicket | undefined> {
    const { name, place, request } = work;
    const { choice, unit } = taskOf(request);
    const table = await this.#tables.of(choice, signal);
    const ready = await this.#tables.ready(table);
    if (unit !== undefined) return this.begin(work, table, ready, signal);
    if (ready !== undefined) return undefined;
    const builder = await this.#tables.claim(table, name);
    if (builder !== name) return { executor: 'dragen', name, place, facts: { table, builder } };
    try {
      return await this.begin(work, table, ready, signal);
    } catch (error) {
      await this.#tables.release(table, name);
      throw error;
    }
  }

  /** Has a machine begin: with the build of the table that is ready, or with one of its own. */
  private async begin(
    work: RemoteWork,
    table: string,
    ready: string | undefined,
    signal: AbortSignal,
  ): Promise<RemoteTicket> {
    const { name, place, request } = work;
    const { choice, unit } = taskOf(request);
    const { work: todo, unsized } = await boxWork(
      {
        ...{ place, choice, table: { uri: ready ?? this.#tables.build(table, name), ready: ready !== undefined } },
        ...(unit === undefined ? {} : { unit }),
      },
      this.settings,
      { files: this.files, archive: this.#archive },
    );
    const machine = dragenMachine(this.settings, choice.profile);
    checkRoom(todo.bytes, machine);
    await this.files.write(scriptOf(place), boxScript(todo));
    const id = await this.machineFor(work, machine, signal);
    const facts = {
      machine: id,
      ...(ready === undefined ? { table } : {}),
      ...(unsized.length === 0 ? {} : { unsized }),
    };
    return { executor: 'dragen', name, place, facts };
  }

  async await(ticket: RemoteTicket, signal: AbortSignal, onProgress: (message: string) => void): Promise<RemoteEnd> {
    const { name, place, facts = {} } = ticket;
    const { machine = '', table, builder, unsized } = facts as Facts;
    if (table !== undefined && builder !== undefined) {
      const waiting: Waiting = { name, table, builder, withoutSince: undefined };
      return this.untilEnd(() => this.lookAtBuild(waiting, signal, onProgress), signal, onProgress);
    }
    if (unsized !== undefined) onProgress(`how large ${unsized.join(', ')} is, nobody could say from here`);
    const watch: Watch = { id: machine, name, place, began: Date.now(), silentSince: undefined, command: undefined };
    try {
      const end = await this.untilEnd(() => this.look(watch, signal, onProgress), signal, onProgress);
      if (table !== undefined) await this.#tables.publish(table, name);
      return end;
    } catch (error) {
      if (table !== undefined && error instanceof WorkFailed) await this.#tables.release(table, name);
      throw error;
    }
  }

  /** Looks until the end has come. */
  private async untilEnd(
    look: () => Promise<RemoteEnd | undefined>,
    signal: AbortSignal,
    onProgress: (message: string) => void,
  ): Promise<RemoteEnd> {
    let blind = 0;
    for (;;) {
      try {
        const end = await look();
        if (end !== undefined) return end;
        blind = 0;
      } catch (error) {
        // A service that does not answer says nothing of the work: it goes on, and so does the wait.
        const passes = error instanceof CohortflowError && !(error instanceof WorkFailed) && error.retryable;
        if (!passes || (blind += 1) >= MOST_BLIND_LOOKS) throw error;
        onProgress('the service does not answer');
      }
      await sleep(jittered(this.pollMs() * Math.max(1, Math.min(blind, 4))), undefined, { signal });
    }
  }

  /** One look at the hash table that other work builds; its end when the table is there. */
  private async lookAtBuild(
    waiting: Waiting,
    signal: AbortSignal,
    onProgress: (message: string) => void,
  ): Promise<RemoteEnd | undefined> {
    const { name, table, builder } = waiting;
    // In this order: a builder that has ended well has named its build before it takes its claim back.
    const holder = await this.#tables.holder(table);
    if ((await this.#tables.ready(table)) !== undefined) return { results: {} };
    const lost = new WorkFailed(
      'InstanceLost',
      `${builder}, which built the hash table for ${name}, ended without one`,
    );
    if (holder !== builder) throw lost;
    const held = (await this.#pool?.held(builder, signal)) ?? (await this.#machines.tagged(WORK_TAG, builder, signal));
    waiting.withoutSince = held.length > 0 ? undefined : (waiting.withoutSince ?? Date.now());
    if (Date.now() - (waiting.withoutSince ?? Date.now()) > this.#patience.withoutMachine) {
      await this.#tables.release(table, builder);
      throw lost;
    }
    onProgress(`waiting for the hash table that ${builder} builds`);
    return undefined;
  }

  async stop(name: string, signal: AbortSignal): Promise<void> {
    if (this.#pool !== undefined) {
      const held = await this.#pool.held(name, signal);
      for (const id of held) await this.giveBack(this.#pool, id, name, signal);
      if (held.length > 0) return;
    }
    let found: readonly Machine[] = [];
    for (const pause of LOOKS_FOR_LOST) {
      await sleep(pause, undefined, { signal });
      found = await this.#machines.tagged(WORK_TAG, name, signal, [...COSTS, 'shutting-down', 'terminated']);
      if (found.length > 0) break;
    }
    await this.endAll(
      found.filter(({ state }) => COSTS.includes(state)),
      signal,
    );
  }

  async alive(signal: AbortSignal): Promise<readonly RemoteAlive[]> {
    const found = await this.#machines.tagged(NAMESPACE_TAG, namespaceTag(this.namespace), signal);
    const holders = await this.#pool?.holders(signal);
    const idle = new Map<string, string>();
    for (const { id, tags, since } of found) {
      const holder = holders?.get(id);
      if (tags[POOL_TAG] === undefined || (holder !== undefined && holder.name !== RETIRED)) continue;
      const quiet = await this.#commands.quietSince(id, signal);
      // One that was never given anything waits since it was started.
      if (quiet !== undefined) idle.set(id, quiet === 0 ? (since ?? EVER) : new Date(quiet).toISOString());
    }
    return found.map(({ id, tags, since }) => {
      const idleSince = idle.get(id);
      const { name, workflowId, runId } = holders?.get(id) ?? {
        name: tags[WORK_TAG] ?? 'none',
        workflowId: workflowOf(tags),
        runId: tags[RUN_TAG],
      };
      return {
        ...{ executor: this.name, id, name },
        ...(workflowId === undefined ? {} : { workflowId }),
        ...(runId === undefined ? {} : { runId }),
        ...(since === undefined ? {} : { since }),
        ...(idleSince === undefined ? {} : { idleSince }),
      };
    });
  }

  async end({ id, idleSince }: RemoteAlive, signal: AbortSignal): Promise<void> {
    // Somebody may have given it work since it was listed.
    if (idleSince !== undefined && this.#pool !== undefined && !(await this.#pool.retire(id, signal))) return;
    const machine = await this.#machines.describe(id, signal);
    if (machine !== undefined) await this.endAll([machine], signal);
    await this.#pool?.release(id);
  }

  /** The machine that a piece of work has already, a free one of the pool, or a new one. */
  private async machineFor(work: RemoteWork, machine: DragenMachine, signal: AbortSignal): Promise<string> {
    const { name, tags } = work;
    if (this.#pool === undefined) {
      // An earlier attempt may have started one in a subnet that is not the first any more.
      const [before] = await this.#machines.tagged(WORK_TAG, name, signal);
      return before?.id ?? (await this.launch(machine, tags, name, signal));
    }
    const workflowId = workflowOf(tags);
    const runId = tags[RUN_TAG];
    const holder = {
      name,
      ...(workflowId === undefined ? {} : { workflowId }),
      ...(runId === undefined ? {} : { runId }),
    };
    const key = poolKey(this.settings, machine, this.namespace);
    const ofPool = { ...withoutWork(tags), [POOL_TAG]: key };
    const launch = (again: number): Promise<string> => this.launch(machine, ofPool, `${name}-${again}`, signal);
    return this.#pool.take(holder, key, launch, signal);
  }

  /** A machine whose work ended well is free for other work; what any other is like, nobody knows. */
  private async giveBack(pool: MachinePool, id: string, name: string, signal: AbortSignal): Promise<void> {
    const machine = await this.#machines.describe(id, signal);
    // Not seen: it was forgotten long ago, or started just now.
    if (machine === undefined) await this.endAll([{ id }], signal);
    else if (COSTS.includes(machine.state)) {
      const [last] = await this.#commands.sent(id, name, signal);
      const state = last === undefined ? undefined : await this.#commands.state(id, last, signal);
      if (state?.status !== 'Success') await this.endAll([machine], signal);
    }
    await pool.release(id);
  }

  private pollMs(): number {
    return (this.settings.dragen?.pollSeconds ?? POLL_SECONDS) * 1000;
  }

  /** One machine, of the first type in the first place where there is one. */
  private async launch(
    machine: DragenMachine,
    tags: Readonly<Record<string, string>>,
    tokenBase: string,
    signal: AbortSignal,
  ): Promise<string> {
    const { dragen = {} } = this.settings;
    const { ami, amiParameter } = dragen;
    if (ami === undefined && amiParameter === undefined) {
      throw new CohortflowError(
        'AwsNotConfigured',
        'the executor dragen needs the setting aws.dragen.ami or amiParameter',
      );
    }
    const image = await this.#machines.image(
      ami ?? (await this.#commands.parameter(amiParameter ?? '', signal)),
      signal,
    );
    let last: unknown;
    for (const [at, choice] of choicesOf(machine, this.settings).entries()) {
      // Where a parameter has come to name another image, it is another request.
      const token = createHash('sha256').update(`${tokenBase}\n${image.id}\n${at}`).digest('hex').slice(0, 48);
      try {
        return await this.#machines.launch(machineRequest(image, choice, machine, tags, token, this.settings), signal);
      } catch (error) {
        const elsewhere = error instanceof CohortflowError && /^Aws(NoCapacity|QuotaExceeded)$/.test(error.code);
        if (!elsewhere) throw error;
        last = error;
      }
    }
    throw last;
  }

  /** One look at a machine and its command; the end when it has come. */
  private async look(
    watch: Watch,
    signal: AbortSignal,
    onProgress: (message: string) => void,
  ): Promise<RemoteEnd | undefined> {
    const { id, name } = watch;
    const machine = await this.#machines.describe(id, signal);
    const gone = machine === undefined ? Date.now() - watch.began > this.#patience.unseen : goesDown(machine);
    if (gone) {
      // What it had finished counts, whatever became of the machine.
      const said = await this.endSaid(watch, machine, gone, signal);
      if (said !== undefined) return said;
      throw lostMachine(watch, machine);
    }
    if (machine?.state !== 'running') {
      onProgress(`machine ${machine?.state ?? 'not seen yet'}`);
      return undefined;
    }
    watch.command ??= (await this.#commands.sent(id, name, signal))[0] ?? (await this.send(watch, signal));
    if (watch.command === undefined) {
      if (Date.now() - watch.began > READY_WITHIN_MS) {
        const message = `the agent of the machine ${id} does not answer: its instance profile must allow Systems Manager, and its subnet must reach it`;
        throw new WorkFailed('InstanceLost', message, { machine: id });
      }
      onProgress('waiting for the agent of the machine');
      return undefined;
    }
    const state = await this.#commands.state(id, watch.command, signal);
    onProgress(`command ${state?.status ?? 'not seen yet'}`);
    if (state === undefined) return undefined;
    if (!OVER.test(state.status)) return this.stillRunning(watch, machine, signal);
    const said = await this.endSaid(watch, machine, gone, signal);
    if (said !== undefined) return said;
    throw withoutWord(state, watch);
  }

  /** An agent that fell silent never ends its command: whether the machine has is asked of S3, for a while. */
  private async stillRunning(watch: Watch, machine: Machine, signal: AbortSignal): Promise<RemoteEnd | undefined> {
    if ((await this.#commands.online(watch.id, signal)) === true) {
      watch.silentSince = undefined;
      return undefined;
    }
    watch.silentSince ??= Date.now();
    const said = await this.endSaid(watch, machine, false, signal);
    if (said !== undefined) return said;
    if (Date.now() - watch.silentSince < this.#patience.silent) return undefined;
    throw new WorkFailed('InstanceLost', `the agent of the machine ${watch.id} does not answer any more`, {
      machine: watch.id,
    });
  }

  private send({ id, name, place }: Watch, signal: AbortSignal): Promise<string | undefined> {
    const minutes = dragenMachine(this.settings).maxMinutes;
    const commands = fetchAndRun(scriptOf(place), this.settings.region);
    return this.#commands.send({ machine: id, name, commands, minutes, logs: `${place}.ssm` }, signal);
  }

  /** What the machine wrote in the end; undefined while it has not. Throws when it says that it failed. */
  private async endSaid(
    watch: Watch,
    machine: Machine | undefined,
    gone: boolean,
    signal: AbortSignal,
  ): Promise<RemoteEnd | undefined> {
    const { place, name, id } = watch;
    const path = `${place}/results/${END_NAME}`;
    if ((await this.files.stat(path)) === undefined) return undefined;
    const end = parseBoxEnd(await this.files.readText(path, signal));
    if (end === undefined)
      throw new WorkFailed('DragenFailed', `${END_NAME} of ${name} cannot be read`, { machine: id });
    if (!end.ok) {
      const { code, message } = boxFailure(end);
      // A machine that goes down ends its programs, and they may make an error of it: their word does not count then.
      const now = gone ? machine : await this.#machines.describe(id, signal);
      if (gone || (now !== undefined && goesDown(now))) throw lostMachine(watch, now, `; it said: ${message}`);
      throw new WorkFailed(code, `${message}; its log: ${place}.log`, { machine: id });
    }
    await this.checkResults(place, end, signal);
    const at = (pattern: RegExp): readonly string[] =>
      end.results.filter((one) => pattern.test(one.name)).map((one) => `${place}/results/${one.name}`);
    const facts = { seconds: end.seconds, ...(machine === undefined ? {} : { instanceType: machine.type }) };
    return { results: { quant: at(/\.quant\.sf$/), metrics: at(/\.(csv|json)$/) }, facts };
  }

  /** The tables are small: what is read here must be what the machine wrote. */
  private async checkResults(place: string, { results }: BoxEnd, signal: AbortSignal): Promise<void> {
    for (const { name, sha256 } of results) {
      if ((await this.files.sha256(`${place}/results/${name}`, signal)) !== sha256) {
        throw new CohortflowError('ChecksumMismatch', `${name} in S3 is not what the machine wrote`);
      }
    }
  }

  private endAll(found: readonly Pick<Machine, 'id' | 'since'>[], signal: AbortSignal): Promise<void> {
    if (found.length === 0) return Promise.resolve();
    const options = { unseenMs: this.#patience.unseen, pollMs: Math.min(END_POLL_MS, this.pollMs()) };
    return endMachines(this.#machines, found, options, signal);
  }
}

/** What a ticket tells of its work. */
interface Facts {
  readonly machine?: string;
  /** Folder of the hash table that this work builds, or waits for where `builder` says whose work builds it. */
  readonly table?: string;
  readonly builder?: string;
  /** Archives whose size nobody could say. */
  readonly unsized?: readonly string[];
}

/** What is known of a hash table that other work builds. */
interface Waiting {
  readonly name: string;
  readonly table: string;
  readonly builder: string;
  withoutSince: number | undefined;
}

const scriptOf = (place: string): string => `${place}/request/run.sh`;

/** What is asked: the hash table alone, or a sample. */
function taskOf(request: RemoteRequest): { choice: DragenChoice; unit?: Parameters<typeof boxWork>[0]['unit'] } {
  if (request.executor !== 'dragen') {
    throw new CohortflowError('InternalError', `dragen was given work for ${request.executor}`);
  }
  if ('table' in request) return { choice: request.table };
  const { dragen, unit } = request.input;
  if (dragen !== undefined) return { choice: dragen, unit };
  throw new CohortflowError(
    'InvalidInput',
    'dragen: what it is to compute is not given: {profile, reference, annotation}',
  );
}
