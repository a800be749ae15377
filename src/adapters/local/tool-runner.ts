import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { createInterface } from 'node:readline';
import { toolEnvironment } from './child-environment.js';
import { CohortflowError, messageOf } from '../../domain/errors.js';
import type { ToolResult, ToolRunner } from '../../ports/tool-runner.js';

const KILL_AFTER_MS = 5_000;
const STDERR_KEPT = 64 * 1024;

/** Ends a program and everything it started: it leads its own process group. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

async function executable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** {@link ToolRunner} with child processes of this machine; looks in `folders` first, then on PATH. */
export class LocalToolRunner implements ToolRunner {
  constructor(private readonly folders: readonly string[] = []) {}

  async find(program: string): Promise<string | undefined> {
    if (isAbsolute(program)) return (await executable(program)) ? program : undefined;
    const folders = [...this.folders, ...(process.env['PATH'] ?? '').split(delimiter)];
    for (const folder of folders) {
      const path = join(folder, program);
      if (folder !== '' && (await executable(path))) return path;
    }
    return undefined;
  }

  async run(
    program: string,
    args: readonly string[],
    options: Parameters<ToolRunner['run']>[2] = {},
  ): Promise<ToolResult> {
    const path = await this.find(program);
    if (path === undefined) {
      throw new CohortflowError(
        'ToolMissing',
        `${program} is not installed or not on PATH: install it and start again`,
      );
    }
    options.signal?.throwIfAborted();
    const child = spawn(path, args, {
      cwd: options.cwd,
      env: { ...toolEnvironment(), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let killTimer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      signalGroup(child, 'SIGTERM');
      killTimer = setTimeout(() => signalGroup(child, 'SIGKILL'), KILL_AFTER_MS);
    };
    // A parent that exits takes the program with it; a killed one cannot, see the step host's own watch.
    const onExit = (): void => signalGroup(child, 'SIGKILL');
    process.once('exit', onExit);
    options.signal?.addEventListener('abort', stop, { once: true });
    try {
      const result = await finish(child, program, options.onLine);
      options.signal?.throwIfAborted();
      return result;
    } finally {
      clearTimeout(killTimer);
      options.signal?.removeEventListener('abort', stop);
      process.removeListener('exit', onExit);
    }
  }
}

async function finish(child: ChildProcess, program: string, onLine?: (line: string) => void): Promise<ToolResult> {
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  if (child.stderr !== null) {
    createInterface({ input: child.stderr, crlfDelay: Infinity }).on('line', (line) => {
      stderr = `${stderr}${line}\n`.slice(-STDERR_KEPT);
      onLine?.(line);
    });
  }
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', (error) => {
      reject(new CohortflowError('ToolMissing', `${program} could not be started: ${messageOf(error)}`, {}, error));
    });
    // A program ended by a signal counts as 128 + n in every shell; the number itself is not needed.
    child.once('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
  return { exitCode, stdout: Buffer.concat(stdout).toString('utf8'), stderr };
}
