import { setTimeout as sleep } from 'node:timers/promises';
import type { AwsSettings } from '../../../config/aws-settings.js';
import type { DragenChoice } from '../../../contracts/inputs.js';
import type { RemoteEnd, RemoteRequest, RemoteTicket } from '../../../contracts/remote-work.js';
import { NAMESPACE_TAG, namespaceTag, RUN_TAG, WORK_TAG, workflowOf } from '../../../contracts/work-tags.js';
import type { PaidMachine } from '../../../domain/costs/index.js';
import { CohortflowError } from '../../../domain/errors.js';
import { boxScript, dragenMachine, type Intended } from '../../../domain/genomics/dragen/index.js';
import type { Files } from '../../../ports/files.js';
import { WorkFailed, type RemoteAlive, type RemoteExecutor, type RemoteWork } from '../../../ports/remote-executor.js';
import { Rate } from '../rate.js';
import { sraArchive } from '../sra-archive.js';
import { untilEnd } from '../until-end.js';
import { checkRoom } from './bad-ends.js';
import { boxWork } from './box-work.js';
import { MachineCommands } from './commands.js';
import { endMachines } from './end-machines.js';
import { MachineSupply } from './machine-supply.js';
import { MachineWatch, scriptOf } from './machine-watch.js';
import { COSTS, Machines, type Machine } from './machines.js';
import { PATIENCE, type Patience } from './patience.js';
import { MachinePool, POOL_TAG, RETIRED } from './pool.js';
import { TableWatch } from './table-watch.js';
import { HashTables, tablesFolder } from './tables.js';

const POLL_SECONDS = 30;
/** Looks a second at all machines of a worker together. */
const LOOKS_PER_SECOND = 4;
/** A launch whose answer was lost is looked for so often before it counts as never made; pauses in ms. */
const LOOKS_FOR_LOST = [0, 1_000, 4_000, 10_000];
const END_POLL_MS = 3_000;

const EVER = new Date(0).toISOString();

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
  readonly #supply: MachineSupply;

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
    this.#supply = new MachineSupply(settings, namespace, this.#machines, this.#commands, this.#pool);
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
    const { name, place, logs, request } = work;
    const { choice, unit } = taskOf(request);
    const { work: todo, unsized } = await boxWork(
      {
        ...{
          place,
          logs,
          choice,
          table: { uri: ready ?? this.#tables.build(table, name), ready: ready !== undefined },
        },
        ...(unit === undefined ? {} : { unit }),
      },
      this.settings,
      { files: this.files, archive: this.#archive },
    );
    const machine = dragenMachine(this.settings, choice.profile);
    checkRoom(todo.bytes, machine);
    await this.files.write(scriptOf(place), boxScript(todo));
    const id = await this.#supply.machineFor(work, machine, signal);
    const intended: Intended = {
      profile: choice.profile,
      reference: choice.reference.slice(choice.reference.lastIndexOf('/') + 1),
      hashTable: table.slice(table.lastIndexOf('/') + 1),
    };
    const facts = {
      machine: id,
      logs,
      ...(unit === undefined ? {} : { intended: { ...intended } }),
      ...(ready === undefined ? { table } : {}),
      ...(unsized.length === 0 ? {} : { unsized }),
    };
    return { executor: 'dragen', name, place, facts };
  }

  async await(ticket: RemoteTicket, signal: AbortSignal, onProgress: (message: string) => void): Promise<RemoteEnd> {
    const { name, place, facts = {} } = ticket;
    const { machine = '', logs = place, table, builder, unsized, intended } = facts as Facts;
    const ended = (look: Pick<MachineWatch | TableWatch, 'look'>): Promise<RemoteEnd> =>
      untilEnd(() => look.look(signal, onProgress), this.pollMs(), signal, onProgress);
    if (table !== undefined && builder !== undefined) {
      const waits = { name, table, builder };
      return ended(new TableWatch(waits, this.#tables, this.#machines, this.#pool, this.#patience));
    }
    if (unsized !== undefined) onProgress(`how large ${unsized.join(', ')} is, nobody could say from here`);
    const { settings, files } = this;
    const [machines, commands, patience] = [this.#machines, this.#commands, this.#patience];
    const watched = { id: machine, name, place, logs, ...(intended === undefined ? {} : { intended }) };
    try {
      const end = await ended(new MachineWatch(watched, { settings, files, machines, commands, patience }));
      if (table !== undefined) await this.#tables.publish(table, name);
      return end;
    } catch (error) {
      if (table !== undefined && error instanceof WorkFailed) await this.#tables.release(table, name);
      throw error;
    }
  }

  async stop(name: string, signal: AbortSignal): Promise<readonly PaidMachine[]> {
    if (this.#pool !== undefined) {
      const held = [...(await this.#pool.holders(signal))].filter(([, holder]) => holder.name === name);
      const paid: PaidMachine[] = [];
      for (const [id, { since }] of held) paid.push(...(await this.giveBack(this.#pool, id, name, since, signal)));
      if (held.length > 0) return paid;
    }
    let found: readonly Machine[] = [];
    for (const pause of LOOKS_FOR_LOST) {
      await sleep(pause, undefined, { signal });
      found = await this.#machines.tagged(WORK_TAG, name, signal, [...COSTS, 'shutting-down', 'terminated']);
      if (found.length > 0) break;
    }
    const paid = found.flatMap((machine) => this.paidFor(machine));
    await this.endAll(
      found.filter(({ state }) => COSTS.includes(state)),
      signal,
    );
    return paid;
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

  /** A machine whose work ended well is free for other work; what any other is like, nobody knows. */
  private async giveBack(
    pool: MachinePool,
    id: string,
    name: string,
    since: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly PaidMachine[]> {
    const machine = await this.#machines.describe(id, signal);
    // Not seen: it was forgotten long ago, or started just now.
    if (machine === undefined) await this.endAll([{ id }], signal);
    else if (COSTS.includes(machine.state)) {
      const [last] = await this.#commands.sent(id, name, signal);
      const state = last === undefined ? undefined : await this.#commands.state(id, last, signal);
      if (state?.status !== 'Success') await this.endAll([machine], signal);
    }
    await pool.release(id);
    return machine === undefined ? [] : this.paidFor(machine, since);
  }

  /** What a machine cost until now: since it was started, or since a piece of work has had it. */
  private paidFor({ type, since, spot }: Machine, given?: string): readonly PaidMachine[] {
    if (since === undefined) return [];
    const from = Math.max(Date.parse(since), given === undefined ? 0 : Date.parse(given));
    const { region } = this.settings;
    const seconds = Math.max(0, Date.now() - from) / 1000;
    return [{ executor: 'dragen', instanceType: type, seconds, spot, ...(region === undefined ? {} : { region }) }];
  }

  private pollMs(): number {
    return (this.settings.dragen?.pollSeconds ?? POLL_SECONDS) * 1000;
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
  readonly logs?: string;
  /** Folder of the hash table that this work builds, or waits for where `builder` says whose work builds it. */
  readonly table?: string;
  readonly builder?: string;
  /** Archives whose size nobody could say. */
  readonly unsized?: readonly string[];
  /** Of a sample. */
  readonly intended?: Intended;
}

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
