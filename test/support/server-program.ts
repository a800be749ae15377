import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { freePorts } from '../../src/adapters/local/temporal-server-process.js';

const READY_MS = 60_000;

/**
 * A program that a variable names or that is on PATH; undefined where there is none, and the skip is printed.
 *
 * @param origin how one gets it
 */
export function programAt(variable: string, name: string, origin: string): string | undefined {
  const named = process.env[variable];
  const found = [
    ...(named === undefined ? [] : [named]),
    ...(process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name)),
  ].find((path) => existsSync(path));
  if (found === undefined) console.warn(`skipped: ${name} is not here (${origin})`);
  return found;
}

interface Server {
  readonly name: string;
  readonly program: string;
  readonly args: (port: number) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** True when an answer is one that this server gives. */
  readonly isIts: (endpoint: string) => Promise<boolean>;
}

/** A server in a process of its own, for as long as a test needs it. */
export class ServerProgram {
  private constructor(
    private readonly child: ChildProcess,
    readonly endpoint: string,
  ) {}

  /** Starts it; on another port where a process of another test has taken the first meanwhile. */
  static async start({ name, program, args, env, isIts }: Server): Promise<ServerProgram> {
    for (const until = Date.now() + READY_MS; ;) {
      const [port = 0] = await freePorts(1);
      const endpoint = `http://127.0.0.1:${port}`;
      const child = spawn(program, args(port), { stdio: 'ignore', env: { ...process.env, ...env } });
      while (child.exitCode === null && Date.now() < until) {
        // One that answers while ours is about to find its port taken is another's.
        if ((await isIts(endpoint).catch(() => false)) && child.exitCode === null) {
          return new ServerProgram(child, endpoint);
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      child.kill('SIGKILL');
      if (Date.now() >= until) throw new Error(`${name} did not get ready`);
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await gone;
  }
}
