/**
 * Maps items to results in order, with at most `width` under way at once. The first failure is thrown and nothing more is
 * started; what was under way is awaited first, so that nothing of it goes on unseen.
 */
export async function mapBounded<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const waiting = items.entries();
  const failures: unknown[] = [];
  const runner = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      try {
        results[index] = await work(item, index);
      } catch (error) {
        failures.push(error);
      }
      if (failures.length > 0) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(Math.max(1, width), items.length) }, runner));
  if (failures.length > 0) throw failures[0];
  return results;
}
