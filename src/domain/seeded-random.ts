/** Numbers that follow from a seed: synthetic data must be equal byte for byte on every machine. */
export interface SeededRandom {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Uniform whole number from 0 to `count - 1`. */
  below(count: number): number;
  /** Standard normal (Box and Muller 1958, one of the pair). */
  normal(): number;
  /** One of the values. */
  pick<T>(values: readonly T[]): T;
}

/** A generator with 32 bits of state (mulberry32, T. Ettinger 2017): good enough for synthetic data, not for secrets. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const below = (count: number): number => Math.floor(uniform() * count);
  return {
    uniform,
    below,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    pick: (values) => {
      const chosen = values[below(values.length)];
      if (chosen === undefined) throw new RangeError('nothing to pick from');
      return chosen;
    },
  };
}
