import { describe, expect, it } from 'vitest';
import { mapBounded } from '../../../src/domain/map-bounded.js';

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

describe('mapping with a bound', () => {
  it('keeps the order of the items and never has more under way than told', async () => {
    let underWay = 0;
    let most = 0;
    const items = Array.from({ length: 20 }, (_, index) => index);
    const doubled = await mapBounded(items, 3, async (item) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await turn();
      underWay -= 1;
      return item * 2;
    });
    expect(doubled).toEqual(items.map((item) => item * 2));
    expect(most).toBe(3);
  });

  it('throws the first failure after what was under way has ended, and starts nothing more', async () => {
    const started: number[] = [];
    let ended = 0;
    const mapping = mapBounded([0, 1, 2, 3, 4], 2, async (item) => {
      started.push(item);
      if (item === 0) throw new Error('first');
      await turn();
      ended += 1;
    });
    await expect(mapping).rejects.toThrow('first');
    expect(started).toEqual([0, 1]);
    expect(ended).toBe(1);
  });

  it('has nothing to do for no items', async () => {
    expect(await mapBounded([], 5, async () => 1)).toEqual([]);
  });
});
