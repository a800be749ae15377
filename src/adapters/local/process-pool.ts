import { fork, type ChildProcess } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import { CohortflowError } from '../../domain/errors.js';
import { isFailureCode } from '../../domain/failures/index.js';
import type { StepRunner, StepTask } from '../../ports/step-runner.js';
import type { JsonObject } from '../../steps/step.js';
import { childEnvironment } from './child-environment.js';
import { killTree } from './process-tree.js';
import type { HostMessage, HostReply } from './process-messages.js';

export interface ProcessPoolOptions {
  /** The module a child runs. */
  readonly entry: string;
  /** Children at once. */
  readonly jobs: number;
  /** Most resident memory of one child, in MB. */
  readonly memoryMb: number;
  /** Time between SIGTERM and SIGKILL. */
  readonly graceMs?: number;
  /** A child that says nothing for so long is taken for stuck; 4 hours (unpacking a large archive is silent work). */
  readonly silenceMs?: number;
  /** Told of every child that was ended, or ended by itself, before its step was done. */
  readonly onEnd?: (reason: 'memory' | 'silence' | 'abort' | 'lost') => void;
}

const SILENCE_MS = 4 * 3_600_000;

const MEMORY_CHECK_MS = 500;
const PAGE_BYTES = 4096;

/** Resident bytes of a process, where the system tells (Linux); undefined elsewhere. */
async function residentBytes(pid: number): Promise<number | undefined> {
  try {
    const pages = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1];
    return Number(pages) * PAGE_BYTES;
  } catch {
    return undefined;
  }
}

/** One child and what it is doing. */
class Host {
  readonly child: ChildProcess;
  private stderr = '';
  readonly gone: Promise<string>;

  constructor(private readonly options: ProcessPoolOptions) {
    // The JavaScript heap gets half: volumes live outside it, and the watch below bounds both together.
    const heap = Math.max(256, Math.floor(options.memoryMb / 2));
    this.child = fork(options.entry, [], {
      execArgv: [`--max-old-space-size=${heap}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: childEnvironment(),
      // Its own group: Ctrl-C in a terminal must reach the worker, which stops its children in order.
      detached: true,
    });
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr = (this.stderr + chunk.toString()).slice(-4096)));
    this.gone = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(error.message));
      this.child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? '?'}`));
    });
    this.child.on('error', () => undefined);
  }

  get alive(): boolean {
    return this.child.connected && this.running;
  }

  private get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get ranOutOfHeap(): boolean {
    return this.stderr.includes('heap out of memory');
  }

  get lastWords(): string {
    return this.stderr.trim().split('\n').at(-1) ?? '';
  }

  /** Ends the child and every program it started, at once. */
  async kill(): Promise<void> {
    if (this.child.pid !== undefined && this.running) await killTree(this.child.pid);
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => void this.kill(), this.options.graceMs ?? 5_000);
    await this.gone;
    clearTimeout(timer);
  }
}

/**
 * {@link StepRunner} in child processes: `jobs` at once, kept warm between steps, each bounded in memory. A stuck or
 * greedy child is ended with SIGTERM, then SIGKILL, and takes nothing else with it.
 */
export class ProcessPool implements StepRunner {
  private readonly idle: Host[] = [];
  private readonly waiting: (() => void)[] = [];
  private readonly closing = new AbortController();
  private busy = 0;

  constructor(private readonly options: ProcessPoolOptions) {
    // A listener for each step that runs.
    setMaxListeners(0, this.closing.signal);
  }

  async run(task: StepTask, signal: AbortSignal, onProgress: (message: string) => void): Promise<JsonObject> {
    await this.slot(signal);
    let host: Host | undefined;
    try {
      host = this.takeHost();
      const summary = await this.runOn(host, task, signal, onProgress);
      if (host.alive) this.idle.push(host);
      return summary;
    } catch (error) {
      // A step that failed of itself leaves a healthy child; after an abort or a crash it is not trusted again.
      const healthy = error instanceof CohortflowError && host?.alive === true && !signal.aborted;
      if (healthy && error.code !== 'OutOfMemory') this.idle.push(host as Host);
      else await host?.stop();
      throw error;
    } finally {
      this.free();
    }
  }

  /** Ends what runs, which then fails as `WorkerShutdown` and is done by another worker, and every idle child. */
  async close(): Promise<void> {
    this.closing.abort();
    await Promise.all(this.idle.splice(0).map((host) => host.stop()));
  }

  private async slot(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.busy < this.options.jobs) {
      this.busy += 1;
      return;
    }
    // A freed slot is handed over, not thrown open: `busy` stays as it is.
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(take), 1);
        reject(signal.reason as Error);
      };
      const take = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      this.waiting.push(take);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  private free(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.busy -= 1;
    else next();
  }

  private takeHost(): Host {
    for (let host = this.idle.pop(); host !== undefined; host = this.idle.pop()) if (host.alive) return host;
    return new Host(this.options);
  }

  private async runOn(
    host: Host,
    task: StepTask,
    signal: AbortSignal,
    onProgress: (message: string) => void,
  ): Promise<JsonObject> {
    const { child } = host;
    let tooLarge = false;
    let over = false;
    const { onEnd } = this.options;
    const watch = setInterval(() => {
      void residentBytes(child.pid ?? 0).then((bytes) => {
        if (bytes === undefined || bytes <= this.options.memoryMb * 2 ** 20) return;
        tooLarge = true;
        void host.kill();
      });
    }, MEMORY_CHECK_MS);
    const silenceMs = this.options.silenceMs ?? SILENCE_MS;
    let silence: NodeJS.Timeout | undefined;
    const cleanups: (() => void)[] = [() => clearInterval(watch), () => clearTimeout(silence)];
    try {
      return await new Promise<JsonObject>((resolve, reject) => {
        const end = (reason: 'silence' | 'abort', error: () => Error): void => {
          if (over) return;
          over = true;
          onEnd?.(reason);
          void host.stop().then(() => reject(error()));
        };
        const onSilence = (): void => {
          const minutes = Math.round(silenceMs / 60_000);
          const message = `${task.step} gave no sign of life for ${minutes} minutes`;
          end('silence', () => new CohortflowError('StepTimeout', message));
        };
        silence = setTimeout(onSilence, silenceMs);
        const onMessage = (reply: HostReply): void => {
          silence?.refresh();
          // A child that is being ended says that its step was aborted: what ended it is the reason.
          if (over) return;
          if (reply.kind === 'progress') onProgress(reply.message);
          else if (reply.kind === 'done') resolve(reply.summary);
          else {
            const { code, message, details } = reply.failure;
            reject(new CohortflowError(isFailureCode(code) ? code : 'InternalError', message, details));
          }
        };
        const onAbort = (): void => end('abort', () => signal.reason as Error);
        const onClosing = (): void =>
          end('abort', () => new CohortflowError('WorkerShutdown', `${task.step}: its worker was shut down`));
        child.on('message', onMessage);
        signal.addEventListener('abort', onAbort, { once: true });
        this.closing.signal.addEventListener('abort', onClosing, { once: true });
        cleanups.push(
          () => child.off('message', onMessage),
          () => signal.removeEventListener('abort', onAbort),
          () => this.closing.signal.removeEventListener('abort', onClosing),
        );
        void host.gone.then((how) => {
          if (over) return;
          over = true;
          const memory = tooLarge || host.ranOutOfHeap;
          onEnd?.(memory ? 'memory' : 'lost');
          if (memory) {
            const limit = `${this.options.memoryMb} MB`;
            reject(new CohortflowError('OutOfMemory', `${task.step} needed more than ${limit}`));
          } else
            reject(new CohortflowError('ProcessLost', `${task.step}: its process ended (${how}) ${host.lastWords}`));
        });
        if (signal.aborted) onAbort();
        else if (this.closing.signal.aborted) onClosing();
        else
          child.send({ kind: 'run', task } satisfies HostMessage, (error) => {
            if (error !== null)
              reject(new CohortflowError('ProcessLost', `${task.step}: its process could not be told`));
          });
      });
    } finally {
      over = true;
      for (const cleanup of cleanups) cleanup();
    }
  }
}
