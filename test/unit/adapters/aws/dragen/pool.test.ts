import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { MachinePool, poolKey } from '../../../../../src/adapters/aws/dragen/pool.js';
import type { Machine, Machines } from '../../../../../src/adapters/aws/dragen/machines.js';
import type { AwsSettings } from '../../../../../src/config/aws-settings.js';
import { dragenMachine } from '../../../../../src/domain/genomics/dragen/index.js';
import { LocalFiles } from '../../../../../src/adapters/local/files.js';
import { temporaryFolder } from '../../../../support/run-step.js';

const { signal } = new AbortController();

/** Machines of an account, as far as a pool asks for them. */
function account() {
  const all = new Map<string, Machine['state']>();
  const machines = {
    describe: async (id: string) => (all.has(id) ? { id, state: all.get(id) } : undefined),
    tagged: async (_key: string, _value: string, _signal: AbortSignal, states: readonly string[]) =>
      [...all].flatMap(([id, state]) => (states.includes(state) ? [{ id, state }] : [])),
  } as unknown as Machines;
  let started = 0;
  const launch = async (): Promise<string> => {
    const id = `i-${(started += 1)}`;
    all.set(id, 'pending');
    return id;
  };
  return { all, machines, launch, started: () => started };
}

describe('a pool of machines', () => {
  const root = temporaryFolder('machine-pool');
  let count = 0;
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const folder = (): string => join(root, String((count += 1)), 'machines');

  it('starts a machine where none is free, and gives one back to the next', async () => {
    const { machines, launch, started } = account();
    const pool = new MachinePool(machines, new LocalFiles(), folder());
    expect(await pool.take({ name: 'one' }, 'key', launch, signal)).toBe('i-1');
    expect(await pool.take({ name: 'two' }, 'key', launch, signal)).toBe('i-2');
    await pool.release('i-1');
    expect(await pool.take({ name: 'three' }, 'key', launch, signal)).toBe('i-1');
    expect(started()).toBe(2);
    expect([...(await pool.holders(signal))]).toEqual([
      ['i-1', { name: 'three' }],
      ['i-2', { name: 'two' }],
    ]);
  });

  it('finds the machine that a piece of work has already, and passes over one that has ended', async () => {
    const { all, machines, launch } = account();
    const pool = new MachinePool(machines, new LocalFiles(), folder());
    await pool.take({ name: 'one', workflowId: 'w' }, 'key', launch, signal);
    expect(await pool.take({ name: 'one', workflowId: 'w' }, 'key', launch, signal)).toBe('i-1');
    all.set('i-1', 'shutting-down');
    expect(await pool.take({ name: 'one', workflowId: 'w' }, 'key', launch, signal)).toBe('i-2');
    expect(await pool.held('one', signal)).toEqual(['i-1', 'i-2']);
  });

  it('takes its machine for one that EC2 does not know yet', async () => {
    const { all, machines, launch } = account();
    const pool = new MachinePool(machines, new LocalFiles(), folder());
    await pool.take({ name: 'one' }, 'key', launch, signal);
    all.clear();
    expect(await pool.take({ name: 'one' }, 'key', launch, signal)).toBe('i-1');
  });

  it('never gives one machine to two, however many ask at once', async () => {
    const { machines, launch, started } = account();
    const place = folder();
    const pools = [1, 2, 3].map(() => new MachinePool(machines, new LocalFiles(), place));
    for (let round = 0; round < 5; round += 1) {
      const names = Array.from({ length: 6 }, (_, at) => `round-${round}-work-${at}`);
      const taken = await Promise.all(names.map((name, at) => pools[at % 3]!.take({ name }, 'key', launch, signal)));
      expect(new Set(taken).size).toBe(6);
      await Promise.all(taken.map((id) => pools[0]!.release(id)));
    }
    // Those of the first round serve all others, but for a few that were started while others were being given back.
    expect(started()).toBeLessThan(30);
  });

  it('is another one for other settings and other namespaces', () => {
    const dragen = { ami: 'ami-1', instances: 2 };
    const keyOf = (given: AwsSettings['dragen'], namespace = 'default', profile = '4.3') =>
      poolKey({ dragen: given! }, dragenMachine({ dragen: given! }, profile), namespace);
    const key = keyOf(dragen);
    expect(keyOf({ ...dragen, instances: 3 })).toBe(key);
    expect(keyOf({ ...dragen, instanceTypes: ['f2.6xlarge'] })).toBe(key);
    expect(keyOf(dragen, 'other')).not.toBe(key);
    expect(keyOf(dragen, 'default', 'seed')).not.toBe(key);
    expect(keyOf({ ...dragen, ami: 'ami-2' })).not.toBe(key);
    expect(keyOf({ ...dragen, spot: true })).not.toBe(key);
  });
});
