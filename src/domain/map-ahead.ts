/**
 * Maps a stream in order, working on up to `width` items ahead of the reader: many small reads one after the other would
 * mostly wait. The first failure is thrown where its result would have come.
 */
export async function* mapAhead<T, R>(
  items: AsyncIterable<T>,
  width: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, undefined> {
  const underWay: Promise<R>[] = [];
  for await (const item of items) {
    const result = work(item);
    // Looked at when its turn comes; until then a failure is not unhandled.
    result.catch(() => undefined);
    underWay.push(result);
    if (underWay.length >= width) yield await (underWay.shift() as Promise<R>);
  }
  for (const result of underWay) yield await result;
  return undefined;
}
