import { describe, expect, it } from 'vitest';
import { mapAhead } from '../../../src/domain/map-ahead.js';

async function* numbers(count: number): AsyncIterable<number> {
  for (let at = 0; at < count; at += 1) yield at;
}

describe('mapping a stream ahead', () => {
  it('keeps the order and works on no more than told', async () => {
    let underWay = 0;
    let most = 0;
    const found: number[] = [];
    const work = async (item: number): Promise<number> => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, item % 3));
      underWay -= 1;
      return item;
    };
    for await (const item of mapAhead(numbers(20), 4, work)) found.push(item);
    expect(found).toEqual(Array.from({ length: 20 }, (_, at) => at));
    expect(most).toBe(4);
  });

  it('throws a failure in its turn, after the results before it', async () => {
    const found: number[] = [];
    const reading = (async () => {
      const work = async (item: number): Promise<number> => {
        if (item === 2) throw new Error('third');
        return item;
      };
      for await (const item of mapAhead(numbers(10), 5, work)) found.push(item);
    })();
    await expect(reading).rejects.toThrow('third');
    expect(found).toEqual([0, 1]);
  });
});
