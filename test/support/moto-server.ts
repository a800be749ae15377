import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { freePorts } from '../../src/adapters/local/temporal-server-process.js';

const READY_MS = 60_000;

/** The program of moto (AWS in memory), or undefined; the skip is then printed with its reason. */
export function motoProgram(): string | undefined {
  const named = process.env['COHORTFLOW_TEST_MOTO'];
  const found = [
    ...(named === undefined ? [] : [named]),
    ...(process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'moto_server')),
  ].find((path) => existsSync(path));
  if (found === undefined) console.warn('skipped: moto_server is not here (pip install "moto[server]")');
  return found;
}

interface Listening {
  readonly child: ChildProcess;
  readonly endpoint: string;
}

/** True when it is moto that answers there. */
function isMoto(endpoint: string): Promise<boolean> {
  return fetch(`${endpoint}/moto-api/`).then(
    async (answer) => answer.ok && /moto/i.test(await answer.text()),
    () => false,
  );
}

/** Starts the program; on another port where a process of another test has taken the first meanwhile. */
async function listening(program: string): Promise<Listening> {
  for (const until = Date.now() + READY_MS; ;) {
    const [port = 0] = await freePorts(1);
    const endpoint = `http://127.0.0.1:${port}`;
    const child = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    while (child.exitCode === null && Date.now() < until) {
      // One that answers while ours is about to find its port taken is another's.
      if ((await isMoto(endpoint)) && child.exitCode === null) return { child, endpoint };
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    child.kill('SIGKILL');
    if (Date.now() >= until) throw new Error('moto did not get ready');
  }
}

/** AWS in memory, for as long as a test needs it. */
export class MotoServer {
  private constructor(
    private readonly child: ChildProcess,
    readonly endpoint: string,
  ) {}

  /** Starts it and points the SDK's environment to it. */
  static async start(program: string): Promise<MotoServer> {
    const server = await listening(program);
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
    return new MotoServer(server.child, server.endpoint);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await gone;
  }
}
