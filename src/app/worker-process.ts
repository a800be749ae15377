import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, openSync, closeSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { CohortflowError } from '../domain/errors.js';
import { PACKAGE_ROOT } from './package-root.js';
import type { TemporalTarget } from './temporal.js';

/** Give up when a worker that was just started ends this often in a row. */
const MOST_EARLY_EXITS = 4;
const EARLY_MS = 15_000;

/**
 * A worker in a process of its own, which goes on when the command that started it is left with Ctrl-C, and is started
 * again when it is killed. It ends by itself when the workflow it follows has ended.
 */
export class WorkerProcess {
  private child: ChildProcess | undefined;
  private stopped = false;
  private earlyExits = 0;
  readonly log: string;
  /** Rejects when the worker cannot be kept running. */
  readonly failed: Promise<never>;
  private fail!: (error: unknown) => void;

  constructor(
    private readonly config: Config,
    private readonly target: TemporalTarget,
    private readonly workflowId: string,
    private readonly say: (line: string) => void,
    /** False once what it follows has ended: then an ended worker is not started again. */
    private readonly needed: () => Promise<boolean>,
  ) {
    const folder = join(config.stateFolder, 'logs');
    mkdirSync(folder, { recursive: true });
    this.log = join(folder, `worker-${workflowId}.log`);
    this.failed = new Promise((_, reject) => (this.fail = reject));
    this.failed.catch(() => undefined);
  }

  start(): void {
    const { config, target, workflowId } = this;
    const log = openSync(this.log, 'a');
    const started = Date.now();
    // A run needs all of it, whatever the settings say about workers; the embedded server is ours to register names on.
    const args = ['--role', 'all', ...(target.address === undefined ? [] : ['--register-search-attributes'])];
    const child = spawn(
      process.execPath,
      [join(PACKAGE_ROOT, 'bin', 'cohortflow.js'), 'worker', '--follow', workflowId, ...args],
      {
        detached: true,
        stdio: ['ignore', log, log],
        env: {
          ...process.env,
          ...(target.address === undefined
            ? {}
            : { TEMPORAL_ADDRESS: target.address, TEMPORAL_NAMESPACE: target.namespace ?? 'default' }),
          COHORTFLOW_STATE: config.stateFolder,
          COHORTFLOW_CACHE: config.cacheFolder,
          COHORTFLOW_JOBS: String(config.jobs),
          COHORTFLOW_MEMORY_PER_JOB: String(config.memoryPerJobMb),
          COHORTFLOW_TASK_QUEUE: config.taskQueue,
        },
      },
    );
    closeSync(log);
    child.unref();
    child.once('error', (error) => this.fail(error));
    child.once('exit', (code, signal) => {
      const how = signal ?? `exit code ${code ?? '?'}`;
      this.ended(Date.now() - started, how).catch((error: unknown) => this.fail(error));
    });
    this.child = child;
  }

  /** Leaves the worker to itself: it finishes what it follows. */
  leave(): void {
    this.stopped = true;
  }

  /** Ends the worker. */
  stop(): void {
    this.stopped = true;
    this.child?.kill('SIGTERM');
  }

  private async ended(livedMs: number, how: string): Promise<void> {
    if (this.stopped || !(await this.needed())) return;
    this.earlyExits = livedMs < EARLY_MS ? this.earlyExits + 1 : 0;
    if (this.earlyExits >= MOST_EARLY_EXITS) {
      const tail = readFileSync(this.log, 'utf8').trim().split('\n').slice(-5).join('\n');
      this.fail(new CohortflowError('ProcessLost', `the worker does not stay up (${how}); its log ends:\n${tail}`));
      return;
    }
    this.say(`the worker ended (${how}); starting it again, what is finished stays finished`);
    setTimeout(() => this.stopped || this.start(), 500 * 2 ** this.earlyExits).unref();
  }
}
