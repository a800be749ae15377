import { createServer, type Server } from 'node:net';
import type { Listen } from '../config/config.js';

/**
 * Makes a server listen where a setting says.
 *
 * @returns `host:port` it listens on
 * @throws Error of the system when it cannot
 */
export async function listenAt(server: Server, listen: Listen): Promise<string> {
  const at = listen.lastIndexOf(':');
  const where = { host: listen.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(listen.slice(at + 1)) };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? `${address.address}:${address.port}` : listen;
}

/** The setting itself, or `off` where something else listens already. */
export async function ifFree(listen: Listen): Promise<Listen> {
  if (listen === 'off') return listen;
  const probe = createServer();
  try {
    await listenAt(probe, listen);
    return listen;
  } catch {
    return 'off';
  } finally {
    probe.close();
  }
}
