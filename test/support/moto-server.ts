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

/** AWS in memory, for as long as a test needs it. */
export class MotoServer {
  private constructor(
    private readonly child: ChildProcess,
    readonly endpoint: string,
  ) {}

  /** Starts it and points the SDK's environment to it. */
  static async start(program: string): Promise<MotoServer> {
    const [port = 0] = await freePorts(1);
    const child = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    const endpoint = `http://127.0.0.1:${port}`;
    for (let waited = 0; ; waited += 100) {
      const answers = await fetch(`${endpoint}/moto-api/`).then(
        () => true,
        () => false,
      );
      if (answers) break;
      if (child.exitCode !== null || waited > READY_MS) {
        child.kill('SIGKILL');
        throw new Error('moto did not get ready');
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
    return new MotoServer(child, endpoint);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await gone;
  }
}
