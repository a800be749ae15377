import type { RemoteEnd } from '../../../contracts/remote-work.js';
import { WORK_TAG } from '../../../contracts/work-tags.js';
import { WorkFailed } from '../../../ports/remote-executor.js';
import type { Machines } from './machines.js';
import type { Patience } from './patience.js';
import type { MachinePool } from './pool.js';
import type { HashTables } from './tables.js';

/** Watches a hash table that other work builds. */
export class TableWatch {
  #withoutSince: number | undefined;

  /** @param waits work that waits for the folder `table`, which the work `builder` builds */
  constructor(
    private readonly waits: { readonly name: string; readonly table: string; readonly builder: string },
    private readonly tables: HashTables,
    private readonly machines: Machines,
    private readonly pool: MachinePool | undefined,
    private readonly patience: Patience,
  ) {}

  /** One look; the end when the table is there. */
  async look(signal: AbortSignal, onProgress: (message: string) => void): Promise<RemoteEnd | undefined> {
    const { name, table, builder } = this.waits;
    // In this order: a builder that has ended well has named its build before it takes its claim back.
    const holder = await this.tables.holder(table);
    if ((await this.tables.ready(table)) !== undefined) return { results: {} };
    const lost = new WorkFailed(
      'InstanceLost',
      `${builder}, which built the hash table for ${name}, ended without one`,
    );
    if (holder !== builder) throw lost;
    const held = (await this.pool?.held(builder, signal)) ?? (await this.machines.tagged(WORK_TAG, builder, signal));
    this.#withoutSince = held.length > 0 ? undefined : (this.#withoutSince ?? Date.now());
    if (Date.now() - (this.#withoutSince ?? Date.now()) > this.patience.withoutMachine) {
      await this.tables.release(table, builder);
      throw lost;
    }
    onProgress(`waiting for the hash table that ${builder} builds`);
    return undefined;
  }
}
