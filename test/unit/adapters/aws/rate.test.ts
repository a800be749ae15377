import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { jittered, Rate } from '../../../../src/adapters/aws/rate.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Asks for a turn; its name is in the list once it has had it. */
function ask(rate: Rate, had: string[], name: string, urgent = false, signal?: AbortSignal): void {
  rate.turn(signal, { urgent }).then(
    () => had.push(name),
    (reason: unknown) => had.push(`${name}: ${String(reason)}`),
  );
}

describe('calls at a bounded rate', () => {
  it('go one after another, in the order in which they came', async () => {
    const rate = new Rate(2);
    const had: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) ask(rate, had, name);
    await vi.advanceTimersByTimeAsync(0);
    expect(had).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(had).toEqual(['a', 'b', 'c']);
    await vi.advanceTimersByTimeAsync(500);
    expect(had).toEqual(['a', 'b', 'c', 'd']);
  });

  it('of a stop do not wait behind a hundred looks', async () => {
    const rate = new Rate(2);
    const had: string[] = [];
    for (let look = 0; look < 100; look += 1) ask(rate, had, `look ${look}`);
    await vi.advanceTimersByTimeAsync(1000);
    ask(rate, had, 'stop', true);
    ask(rate, had, 'another stop', true);
    await vi.advanceTimersByTimeAsync(1000);
    expect(had).toEqual(['look 0', 'look 1', 'look 2', 'stop', 'another stop']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(had).toHaveLength(102);
    expect(had.at(-1)).toBe('look 99');
  });

  it('keep to the rate, whoever is urgent', async () => {
    const rate = new Rate(10);
    const had: string[] = [];
    for (let at = 0; at < 50; at += 1) ask(rate, had, String(at), at % 2 === 0);
    await vi.advanceTimersByTimeAsync(950);
    expect(had).toHaveLength(10);
  });

  it('that are given up take no turn from the others', async () => {
    const rate = new Rate(1);
    const had: string[] = [];
    const stop = new AbortController();
    ask(rate, had, 'a');
    for (const name of ['b', 'c']) ask(rate, had, name, false, stop.signal);
    ask(rate, had, 'd');
    await vi.advanceTimersByTimeAsync(0);
    stop.abort('enough');
    await vi.advanceTimersByTimeAsync(1000);
    expect(had).toEqual(['a', 'b: enough', 'c: enough', 'd']);
    ask(rate, had, 'e', false, stop.signal);
    await vi.advanceTimersByTimeAsync(0);
    expect(had.at(-1)).toBe('e: enough');
  });

  it('go half as fast after each that was throttled, and a little faster after each that went through', async () => {
    const rate = new Rate(8);
    const had: string[] = [];
    const during = async (ms: number): Promise<number> => {
      const before = had.length;
      await vi.advanceTimersByTimeAsync(ms);
      return had.length - before;
    };
    for (let at = 0; at < 500; at += 1) ask(rate, had, String(at));
    expect(await during(1000)).toBe(9);
    rate.throttled();
    await during(1000);
    expect(await during(1000)).toBe(4);
    for (let at = 0; at < 20; at += 1) rate.throttled();
    // Never none at all.
    await during(2000);
    expect(await during(10_000)).toBe(5);
    for (let at = 0; at < 15; at += 1) rate.wentThrough();
    await during(2000);
    expect(await during(1000)).toBe(8);
    // And never more than the whole rate.
    for (let at = 0; at < 15; at += 1) rate.wentThrough();
    expect(await during(1000)).toBe(8);
  });

  it('do not store up turns while nobody asks', async () => {
    const rate = new Rate(2);
    const had: string[] = [];
    ask(rate, had, 'a');
    await vi.advanceTimersByTimeAsync(60_000);
    for (const name of ['b', 'c']) ask(rate, had, name);
    await vi.advanceTimersByTimeAsync(0);
    expect(had).toEqual(['a', 'b']);
  });
});

describe('a jittered time', () => {
  it('is around the given one, and not always the same', () => {
    const times = Array.from({ length: 200 }, () => jittered(1000));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(750);
    expect(Math.max(...times)).toBeLessThanOrEqual(1250);
    expect(new Set(times).size).toBeGreaterThan(100);
  });
});
