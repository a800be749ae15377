import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { messageOf } from '../../domain/errors.js';
import { processExists } from './tool-cache.js';

const run = promisify(execFile);

export const LOOPBACK = '127.0.0.1';
const PROBE_MS = 5_000;
const POLL_MS = 250;
const TERM_GRACE_MS = 10_000;
const KILL_GRACE_MS = 5_000;
const LOG_TAIL_BYTES = 16 * 1024;

/** Ports of the loopback interface that nobody listens on; all are held until the last is found, so they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, LOOPBACK, resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** What to start, and where everything of it goes. */
export interface ServerCommand {
  readonly program: string;
  readonly folder: string;
  readonly database: string;
  readonly log: string;
}

/** A started server process. */
export interface StartedServer {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  readonly uiPort: number;
}

/** Cohorts that share workers get equal turns, however much each has waiting: by the fairness key of their workflows. */
export const FAIR_QUEUES: readonly string[] = [
  'matching.useNewMatcher=true',
  'matching.enableFairness=true',
  // Turns are fair within a partition only, and few pollers leave some of several partitions waiting.
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
].flatMap((value) => ['--dynamic-config-value', value]);

/**
 * Starts `temporal server start-dev` in the background, bound to the loopback interface only, so that it outlives this
 * process; its output goes to the log file. The log of the start before is kept as `<log>.1`.
 */
export async function startProcess({ program, folder, database, log }: ServerCommand): Promise<StartedServer> {
  const [port, uiPort, httpPort, metricsPort] = (await freePorts(4)) as [number, number, number, number];
  await rename(log, `${log}.1`).catch(() => undefined);
  const output = openSync(log, 'a', 0o600);
  const args = [
    ...['server', 'start-dev', '--ip', LOOPBACK, '--ui-ip', LOOPBACK, '--port', `${port}`, '--ui-port', `${uiPort}`],
    ...['--http-port', `${httpPort}`, '--metrics-port', `${metricsPort}`, '--db-filename', database],
    // Safe against a killed process, and three times as fast as the default, which is safe against a power cut too.
    ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
    ...['--log-level', 'warn', ...FAIR_QUEUES],
  ];
  // Settings for clients in the caller's environment are not meant for this server.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
  try {
    const child = spawn(program, args, { cwd: folder, env, detached: true, stdio: ['ignore', output, output] });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => resolve(child.pid!));
    });
    child.unref();
    return { child, pid, port, uiPort };
  } finally {
    closeSync(output);
  }
}

/** True when something accepts connections: an answer at once, where a gRPC client would go on trying. */
function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: LOOPBACK, port, timeout: PROBE_MS });
    const end = (result: boolean) => (): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

/** True when a server answers at this port of the loopback interface and its default namespace is there. */
export async function answers(port: number): Promise<boolean> {
  if (!(await isListening(port))) return false;
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({ address: `${LOOPBACK}:${port}`, tls: false, connectTimeout: PROBE_MS });
    const { workflowService } = connection;
    await connection.withDeadline(Date.now() + PROBE_MS, () =>
      workflowService.describeNamespace({ namespace: 'default' }),
    );
    return true;
  } catch {
    return false;
  } finally {
    await connection?.close();
  }
}

/** Waits until the server answers; returns why it does not, or undefined when it does. */
export async function untilAnswering(started: StartedServer, patienceMs: number): Promise<string | undefined> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const { exitCode, signalCode } = started.child;
    if (exitCode !== null || signalCode !== null) return `it ended at once (${signalCode ?? `exit code ${exitCode}`})`;
    if (await answers(started.port)) return undefined;
    if (Date.now() > deadline) return `it did not answer within ${patienceMs / 1000} s`;
    await sleep(POLL_MS);
  }
}

async function commandLine(pid: number): Promise<string | undefined> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  } catch {
    // Not Linux, or gone.
  }
  try {
    return (await run('ps', ['-ww', '-o', 'args=', '-p', `${pid}`])).stdout;
  } catch {
    return undefined;
  }
}

/** True when `pid` is a running server on this database: process ids are given out again after a restart. */
export async function isServerProcess(pid: number, database: string): Promise<boolean> {
  if (!processExists(pid)) return false;
  const line = await commandLine(pid);
  return line !== undefined && line.includes('start-dev') && line.includes(database);
}

/** Asks the process to end, then makes it end; true when it is gone. */
export async function endProcess(pid: number): Promise<boolean> {
  for (const [signal, grace] of [
    ['SIGTERM', TERM_GRACE_MS],
    ['SIGKILL', KILL_GRACE_MS],
  ] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return true;
    }
    for (const deadline = Date.now() + grace; Date.now() < deadline; await sleep(POLL_MS)) {
      if (!processExists(pid)) return true;
    }
  }
  return !processExists(pid);
}

/** The last lines of a log file, or why there are none. */
export async function logTail(path: string, lines: number): Promise<string> {
  try {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      const length = Math.min(size, LOG_TAIL_BYTES);
      const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } finally {
      await handle.close();
    }
  } catch (error) {
    return `(no log: ${messageOf(error)})`;
  }
}
