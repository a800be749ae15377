import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { compareVersions, type TemporalProgram } from './temporal-server-program.js';
import type { Log } from './tool-cache.js';

/** Everything of the embedded server is in one folder of the state folder. */
export function serverPlaces(
  stateFolder: string,
): Record<'folder' | 'database' | 'versionNote' | 'log' | 'record' | 'lock', string> {
  const folder = join(stateFolder, 'temporal-server');
  return {
    folder,
    database: join(folder, 'temporal.db'),
    versionNote: join(folder, 'temporal.db.version'),
    log: join(folder, 'server.log'),
    record: join(folder, 'server.json'),
    lock: join(folder, 'lock'),
  };
}

async function databaseFiles(stateFolder: string): Promise<string[]> {
  const { folder } = serverPlaces(stateFolder);
  // SQLite keeps a journal and shared memory beside the database; they belong together.
  return (await readdir(folder)).filter((name) => /^temporal\.db(-wal|-shm|-journal)?$/.test(name));
}

/** Renames the database out of the way; returns its new name in the server's folder, or undefined if there was none. */
export async function putDatabaseAside(stateFolder: string, why: string): Promise<string | undefined> {
  const { folder } = serverPlaces(stateFolder);
  const names = await databaseFiles(stateFolder);
  if (!names.includes('temporal.db')) return undefined;
  const aside = `temporal.${why}-${new Date().toISOString().replaceAll(':', '').slice(0, 17)}.db`;
  for (const name of names) await rename(join(folder, name), join(folder, name.replace('temporal.db', aside)));
  return aside;
}

export async function restoreDatabase(stateFolder: string, aside: string): Promise<void> {
  const { folder } = serverPlaces(stateFolder);
  for (const name of await databaseFiles(stateFolder)) await rm(join(folder, name), { force: true });
  const names = (await readdir(folder)).filter((name) => name.startsWith(aside));
  for (const name of names) await rename(join(folder, name), join(folder, name.replace(aside, 'temporal.db')));
}

/** An older server must not write into a database that a newer one has changed, even if it would open it. */
export async function putNewerDatabaseAside(stateFolder: string, program: TemporalProgram, log: Log): Promise<void> {
  const { versionNote } = serverPlaces(stateFolder);
  const wroteIt = await readFile(versionNote, 'utf8')
    .then((text) => text.trim())
    .catch(() => undefined);
  const minor = (version: string): string => version.split('.').slice(0, 2).join('.');
  if (wroteIt === undefined || compareVersions(minor(wroteIt), minor(program.serverVersion)) <= 0) return;
  const aside = await putDatabaseAside(stateFolder, `server-${wroteIt}`);
  if (aside === undefined) return;
  log(
    `Temporal server: its database was written by server ${wroteIt}, newer than ${program.serverVersion}: kept as ${aside}`,
  );
}

export async function databaseSize(stateFolder: string): Promise<number> {
  const { folder } = serverPlaces(stateFolder);
  const names = await databaseFiles(stateFolder).catch(() => []);
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name)).then(({ size }) => size)));
  return sizes.reduce((sum, size) => sum + size, 0);
}
