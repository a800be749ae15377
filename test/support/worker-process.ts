import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';

const READY_MS = 60_000;

/** The worker as operators start it, in a process of its own that a test may kill. */
export class TestWorker {
  private constructor(
    private readonly child: ChildProcess,
    private readonly log: string[],
  ) {}

  /** Starts `cohortflow worker` and waits until it polls. */
  static async start(
    address: string,
    folder: string,
    options: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<TestWorker> {
    const child = spawn(process.execPath, [join(PACKAGE_ROOT, 'bin', 'cohortflow.js'), 'worker', ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        TEMPORAL_ADDRESS: address,
        COHORTFLOW_STATE: join(folder, 'state'),
        COHORTFLOW_CACHE: join(folder, 'cache'),
        ...env,
      },
    });
    const worker = new TestWorker(child, []);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => worker.log.push(chunk.toString()));
    }
    for (let waited = 0; !worker.output.includes('worker ready'); waited += 50) {
      if (child.exitCode !== null || waited > READY_MS) {
        child.kill('SIGKILL');
        throw new Error(`the worker did not get ready:\n${worker.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return worker;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Everything it has printed. */
  get output(): string {
    return this.log.join('');
  }

  /** The lines of its log that are JSON objects. */
  get lines(): readonly Record<string, unknown>[] {
    const whole = this.output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    return whole.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Sends a signal and does not wait. */
  tell(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, 'exit');
      this.child.kill(signal);
      await gone;
    }
    return this.child.exitCode;
  }
}
