import { describe, expect, it } from 'vitest';
import { coresOfQuota, slotsOf, thisMachine } from '../../../src/config/machine.js';

describe('slots from the machine', () => {
  it('runs a heavy step a core where there is a gigabyte for each', () => {
    expect(slotsOf({ cores: 8, memoryMb: 32_768, heapMb: 4096 })).toEqual({
      jobs: 8,
      memoryPerJobMb: 3072,
      cachedWorkflows: 1000,
    });
  });

  it('runs fewer steps than cores where memory is short, and at least one', () => {
    expect(slotsOf({ cores: 16, memoryMb: 8192, heapMb: 2048 }).jobs).toBe(6);
    expect(slotsOf({ cores: 2, memoryMb: 512, heapMb: 256 })).toEqual({
      jobs: 1,
      memoryPerJobMb: 1024,
      cachedWorkflows: 50,
    });
  });

  it('gives each of the steps that someone asked for its share of the memory', () => {
    expect(slotsOf({ cores: 8, memoryMb: 32_768, heapMb: 4096 }, 2)).toMatchObject({ jobs: 2, memoryPerJobMb: 12_288 });
  });

  it('reads the quota of a container in whole cores, at least one; none is no limit', () => {
    expect(coresOfQuota('200000 100000\n')).toBe(2);
    expect(coresOfQuota('50000 100000\n')).toBe(1);
    expect(coresOfQuota('max 100000\n')).toBeUndefined();
  });

  it('takes no unlimited container for memory without end', () => {
    const { cores, memoryMb, heapMb } = thisMachine();
    expect(cores).toBeGreaterThanOrEqual(1);
    expect(memoryMb).toBeLessThan(2 ** 26);
    expect(heapMb).toBeGreaterThan(0);
  });
});
