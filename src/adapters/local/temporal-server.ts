import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CohortflowError } from '../../domain/errors.js';
import { configuredServer, type Environment, type TemporalServer } from './temporal-server-configured.js';
import {
  databaseSize,
  putDatabaseAside,
  putNewerDatabaseAside,
  restoreDatabase,
  serverPlaces,
} from './temporal-server-database.js';
import { obtainTemporalProgram, type TemporalProgram } from './temporal-server-program.js';
import {
  LOOPBACK,
  answers,
  endProcess,
  isServerProcess,
  logTail,
  startProcess,
  untilAnswering,
} from './temporal-server-process.js';
import { withLock, type Log } from './tool-cache.js';

export { configuredServer, type TemporalServer } from './temporal-server-configured.js';

/** What the state folder remembers of the embedded server. */
interface ServerRecord {
  readonly pid: number;
  readonly port: number;
  readonly uiPort: number;
  readonly program: string;
  readonly serverVersion: string;
  /** ISO time. */
  readonly startedAt: string;
}

/** What `server status` shows. */
export interface ServerStatus {
  readonly running: boolean;
  /** True when the process is there and also answers. */
  readonly answering: boolean;
  readonly address?: string;
  readonly uiUrl?: string;
  readonly pid?: number;
  readonly serverVersion?: string;
  readonly startedAt?: string;
  readonly database: string;
  readonly databaseBytes: number;
  readonly log: string;
}

const START_PATIENCE_MS = 60_000;
const LOCK_PATIENCE_MS = 25 * 60_000;
const TAIL_LINES = 12;
const POLL_MS = 500;

async function readRecord(path: string): Promise<ServerRecord | undefined> {
  try {
    const { pid, port, uiPort, ...rest } = JSON.parse(await readFile(path, 'utf8')) as ServerRecord;
    return [pid, port, uiPort].every(Number.isInteger) ? { pid, port, uiPort, ...rest } : undefined;
  } catch {
    return undefined;
  }
}

async function writeAside(path: string, text: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  await writeFile(aside, text, { mode: 0o600 });
  await rename(aside, path);
}

function embedded(record: ServerRecord): TemporalServer {
  return {
    address: `${LOOPBACK}:${record.port}`,
    namespace: 'default',
    kind: 'embedded',
    uiUrl: `http://${LOOPBACK}:${record.uiPort}`,
  };
}

/** The recorded server if its process runs; whether it answers is another question. */
async function runningRecord(stateFolder: string): Promise<ServerRecord | undefined> {
  const { record: path, database } = serverPlaces(stateFolder);
  const record = await readRecord(path);
  return record !== undefined && (await isServerProcess(record.pid, database)) ? record : undefined;
}

/** How {@link ensureServer} is asked. */
export interface EnsureServerOptions {
  readonly env: Environment;
  readonly stateFolder: string;
  readonly cacheFolder: string;
  readonly log: Log;
  /** How long a started server may take to answer. */
  readonly patienceMs?: number;
}

/**
 * A Temporal server to work with: the one that the environment or a Temporal profile names (it is not contacted here),
 * else the embedded one, which is started in the background when it does not run. `log` says which was taken.
 *
 * The embedded server is one per state folder, listens on the loopback interface only and keeps its database in the
 * state folder. A database that this server's version cannot open is put aside, never deleted, and the log says so:
 * finished work is not lost with it, because outcomes and results are in the output folders.
 *
 * @throws CohortflowError `ToolMissing` when no server program can be had, `ServerUnavailable` with the end of the
 *   server's log when it does not start.
 */
export async function ensureServer(options: EnsureServerOptions): Promise<TemporalServer> {
  const configured = configuredServer(options.env);
  if (configured !== undefined) {
    const from = configured.kind === 'environment' ? 'TEMPORAL_ADDRESS' : 'the Temporal profile';
    options.log(`Temporal server: ${configured.address}, from ${from}`);
    return configured;
  }
  const { stateFolder, log } = options;
  const known = await runningRecord(stateFolder);
  if (known !== undefined && (await answers(known.port))) {
    log(`Temporal server: embedded, running since ${known.startedAt}`);
    return embedded(known);
  }
  const { folder, lock } = serverPlaces(stateFolder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return withLock(lock, () => startLocked(options), {
    log,
    waitingFor: 'starting the Temporal server',
    patienceMs: LOCK_PATIENCE_MS,
  });
}

async function startLocked(options: EnsureServerOptions): Promise<TemporalServer> {
  const { stateFolder, cacheFolder, log } = options;
  const patienceMs = options.patienceMs ?? START_PATIENCE_MS;
  const running = await runningRecord(stateFolder);
  if (running !== undefined) return untilBusyServerAnswers(running, stateFolder, patienceMs);
  const program = await obtainTemporalProgram(cacheFolder, log);
  await putNewerDatabaseAside(stateFolder, program, log);
  const first = await tryStart(stateFolder, program, patienceMs);
  if ('server' in first) {
    log(`Temporal server: embedded, started (${program.source}: ${program.path}, server ${program.serverVersion})`);
    return first.server;
  }
  // The database may be at fault: only a start that succeeds without it proves that.
  const aside = await putDatabaseAside(stateFolder, 'unreadable');
  const second = aside === undefined ? first : await tryStart(stateFolder, program, patienceMs);
  if (aside !== undefined && 'server' in second) {
    log(`Temporal server: embedded, started with a new database; the old one could not be opened and is now ${aside}`);
    return second.server;
  }
  if (aside !== undefined) await restoreDatabase(stateFolder, aside);
  throw new CohortflowError(
    'ServerUnavailable',
    `the embedded Temporal server did not start: ${first.reason}. The end of ${serverPlaces(stateFolder).log}:\n${first.tail}`,
  );
}

/** A process that runs and does not answer yet was started a moment ago, or is busy. */
async function untilBusyServerAnswers(
  record: ServerRecord,
  stateFolder: string,
  patienceMs: number,
): Promise<TemporalServer> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(POLL_MS)) {
    if (await answers(record.port)) return embedded(record);
  }
  throw new CohortflowError(
    'ServerUnavailable',
    `the embedded Temporal server (process ${record.pid}) runs but has not answered for ${patienceMs / 1000} s: ` +
      `end it with \`cohortflow server stop\` and start again. The end of ${serverPlaces(stateFolder).log}:\n` +
      (await logTail(serverPlaces(stateFolder).log, TAIL_LINES)),
  );
}

type Started = { readonly server: TemporalServer } | { readonly reason: string; readonly tail: string };

/** Starts once; a second time when another program took one of the ports in between. */
async function tryStart(stateFolder: string, program: TemporalProgram, patienceMs: number): Promise<Started> {
  const { folder, database, versionNote, log, record: recordPath } = serverPlaces(stateFolder);
  for (let attempt = 1; ; attempt += 1) {
    const started = await startProcess({ program: program.path, folder, database, log });
    const reason = await untilAnswering(started, patienceMs);
    if (reason === undefined) {
      const record: ServerRecord = {
        ...{ pid: started.pid, port: started.port, uiPort: started.uiPort, program: program.path },
        ...{ serverVersion: program.serverVersion, startedAt: new Date().toISOString() },
      };
      await writeAside(recordPath, `${JSON.stringify(record, null, 2)}\n`);
      await writeAside(versionNote, `${program.serverVersion}\n`);
      return { server: embedded(record) };
    }
    await endProcess(started.pid);
    const tail = await logTail(log, TAIL_LINES);
    if (attempt > 1 || !/address already in use/i.test(tail)) return { reason, tail };
  }
}

/** The state of the embedded server; starts nothing. */
export async function serverStatus(stateFolder: string): Promise<ServerStatus> {
  const { database, log } = serverPlaces(stateFolder);
  const databaseBytes = await databaseSize(stateFolder);
  const record = await runningRecord(stateFolder);
  if (record === undefined) return { running: false, answering: false, database, databaseBytes, log };
  const { address, uiUrl } = embedded(record);
  return {
    ...{ running: true, answering: await answers(record.port), address, pid: record.pid },
    ...(uiUrl === undefined ? {} : { uiUrl }),
    ...{ serverVersion: record.serverVersion, startedAt: record.startedAt, database, databaseBytes, log },
  };
}

/**
 * Ends the embedded server; its database stays, so that open runs go on after the next start.
 *
 * @returns true when one was running.
 * @throws CohortflowError `ServerUnavailable` when the process does not end.
 */
export async function stopServer(stateFolder: string): Promise<boolean> {
  const { record: path } = serverPlaces(stateFolder);
  const record = await runningRecord(stateFolder);
  if (record !== undefined && !(await endProcess(record.pid))) {
    throw new CohortflowError('ServerUnavailable', `the Temporal server (process ${record.pid}) does not end`);
  }
  await rm(path, { force: true });
  return record !== undefined;
}
