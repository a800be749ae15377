import { createHash } from 'node:crypto';
import type { AwsSettings } from '../../../config/aws-settings.js';
import type { DragenMachine } from '../../../domain/genomics/dragen/index.js';
import type { Files } from '../../../ports/files.js';
import type { Machine, Machines } from './machines.js';

/** States in which a machine can be given work. */
const USABLE: readonly Machine['state'][] = ['pending', 'running'];

/** Whose a machine is at the moment. */
export interface Holder {
  readonly name: string;
  readonly workflowId?: string;
  readonly runId?: string;
  /** ISO time of the claim. */
  readonly since?: string;
}

/** What tells machines that can stand for one another: on all of them the tag has one value. */
export const POOL_TAG = 'cohortflow:pool';

/** Holder of machines that a sweep was about to end: when that went wrong the next one ends them. */
export const RETIRED = 'sweep';

/** Machines of other settings, or of another namespace, are another pool. */
export function poolKey(settings: AwsSettings, machine: DragenMachine, namespace: string): string {
  const { ami, amiParameter, instanceProfile, spot, subnets, securityGroups } = settings.dragen ?? {};
  const { instanceTypes, rootVolume } = machine;
  const shape = [ami, amiParameter, instanceTypes, instanceProfile, spot, rootVolume, subnets, securityGroups];
  const text = JSON.stringify([namespace, settings.region, settings.kmsKey, shape.map((part) => part ?? null)]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/**
 * Machines that take one sample after another. Whose a machine is stands in S3, in an object that is only ever made where
 * there is none: unlike tags it has one answer at a time, and is seen at once.
 */
export class MachinePool {
  /**
   * @param folder `s3://…` of the objects that say whose a machine is, without a slash at the end
   */
  constructor(
    private readonly machines: Machines,
    private readonly files: Files,
    private readonly folder: string,
  ) {}

  /**
   * A machine for a piece of work: the one it has, a free one, or a new one.
   *
   * @param key of {@link poolKey}
   * @param launch starts a machine with the tag of the pool; told how often it was asked before
   */
  async take(
    holder: Holder,
    key: string,
    launch: (again: number) => Promise<string>,
    signal: AbortSignal,
  ): Promise<string> {
    for (const id of await this.held(holder.name, signal)) {
      // One that EC2 does not know is one that it does not know yet.
      const state = (await this.machines.describe(id, signal))?.state ?? 'pending';
      if (USABLE.includes(state)) return id;
    }
    const found = await this.machines.tagged(POOL_TAG, key, signal, USABLE);
    const inUse = new Set(await this.files.names(this.folder));
    for (const { id } of found) {
      if (!inUse.has(id) && (await this.claim(id, holder, signal))) return id;
    }
    // A machine that was just started is there for all: another one may be quicker.
    for (let again = 0; ; again += 1) {
      signal.throwIfAborted();
      const id = await launch(again);
      if (await this.claim(id, holder, signal)) return id;
    }
  }

  /** Machines that a piece of work has; more than one only after answers were lost. */
  async held(name: string, signal: AbortSignal): Promise<readonly string[]> {
    const found = [...(await this.holders(signal))];
    return found.filter(([, holder]) => holder.name === name).map(([id]) => id);
  }

  /** Whose the machines are. */
  async holders(signal: AbortSignal): Promise<ReadonlyMap<string, Holder>> {
    const holders = new Map<string, Holder>();
    for (const id of await this.files.names(this.folder)) {
      const holder = await this.holderOf(id, signal);
      if (holder !== undefined) holders.set(id, holder);
    }
    return holders;
  }

  /** Takes a machine that nobody holds out of the pool, so that no work is given to it while it is ended. */
  retire(id: string, signal: AbortSignal): Promise<boolean> {
    return this.claim(id, { name: RETIRED }, signal);
  }

  /** Gives a machine back, or forgets one that has ended. */
  async release(id: string): Promise<void> {
    await this.files.remove(`${this.folder}/${id}`);
  }

  private async claim(id: string, holder: Holder, signal: AbortSignal): Promise<boolean> {
    if (await this.files.writeOnce(`${this.folder}/${id}`, JSON.stringify(holder))) return true;
    // A worker that had claimed it and died was asked again: it is its own.
    return (await this.holderOf(id, signal))?.name === holder.name;
  }

  private async holderOf(id: string, signal: AbortSignal): Promise<Holder | undefined> {
    const path = `${this.folder}/${id}`;
    try {
      return JSON.parse(await this.files.readText(path, signal)) as Holder;
    } catch (error) {
      // Given back a moment ago.
      if ((await this.files.stat(path)) === undefined) return undefined;
      throw error;
    }
  }
}
