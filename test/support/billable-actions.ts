import { createServer, type AddressInfo } from 'node:net';

/** A port of the loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * The actions that a development server has counted, by kind: what Temporal Cloud bills by.
 *
 * @param port the server's `--metrics-port`
 */
export async function billableActions(port: number): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) {
    // One line for each namespace, task queue and kind; a kind may have further labels.
    const [, labels = '', value = '0'] = /^action\{(.*)\} ([\d.e+]+)$/.exec(line) ?? [];
    const kind = /(?:^|,)action_type="([^"]*)"/.exec(labels)?.[1];
    if (kind === undefined || /(?:^|,)namespace="temporal[-_]system"/.test(labels)) continue;
    counts.set(kind, (counts.get(kind) ?? 0) + Number(value));
  }
  return counts;
}

/** All of them together. */
export function sumOf(actions: ReadonlyMap<string, number>): number {
  return [...actions.values()].reduce((sum, count) => sum + count, 0);
}
