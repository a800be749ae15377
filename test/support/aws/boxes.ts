import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAMS = join(dirname(fileURLToPath(import.meta.url)), 'programs');

/** What the machine image of the stand-in has. */
export interface BoxImage {
  /** The real AWS CLI. */
  readonly aws?: string;
  /** Version of the stand-in `dragen`; no such program when absent. */
  readonly dragen?: string;
  /** More programs, as bodies of shell scripts; they come before all others. */
  readonly programs?: Readonly<Record<string, string>>;
}

/** How a script ended. */
export interface ScriptEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The inside of a machine: a folder with its programs, where scripts really run. */
export class Box {
  readonly root = mkdtempSync(join(tmpdir(), 'cohortflow-box-'));
  readonly #running = new Set<ChildProcess>();
  readonly #watch: NodeJS.Timeout;
  readonly #bin = join(this.root, 'bin');

  /** @param onShutdown gets the words that `shutdown` was called with */
  constructor(
    { aws, dragen, programs = {} }: BoxImage,
    private readonly environment: NodeJS.ProcessEnv,
    onShutdown: (words: readonly string[]) => void,
  ) {
    mkdirSync(this.#bin);
    if (aws !== undefined) symlinkSync(aws, join(this.#bin, 'aws'));
    this.program('shutdown', 'printf "%s\\n" "$*" >> "$COHORTFLOW_BOX_ROOT/shutdown-calls"');
    this.program('systemctl', 'cat "$COHORTFLOW_BOX_ROOT/system-state" 2> /dev/null || echo running');
    if (dragen !== undefined) {
      const script = join(PROGRAMS, 'dragen.mjs');
      this.program('dragen', `DRAGEN_VERSION=${dragen} exec "${process.execPath}" "${script}" "$@"`);
    }
    for (const [name, body] of Object.entries(programs)) this.program(name, body);
    let seen = 0;
    this.#watch = setInterval(() => {
      const file = join(this.root, 'shutdown-calls');
      if (!existsSync(file)) return;
      // Only whole lines: the file is there before its first line is, and a line may be half written.
      const calls = readFileSync(file, 'utf8').split('\n').slice(0, -1);
      for (const call of calls.slice(seen)) onShutdown(call.split(' '));
      seen = calls.length;
    }, 50);
  }

  /** Runs a script as the agent does; resolves when it has ended, however. */
  run(script: string, started: (kill: () => void) => void = () => undefined): Promise<ScriptEnd> {
    const file = join(this.root, `script-${crypto.randomUUID()}.sh`);
    writeFileSync(file, script);
    const shell = /^#!\/bin\/bash/.test(script) ? 'bash' : 'sh';
    const child = spawn(shell, [file], {
      cwd: this.root,
      detached: true,
      env: {
        ...this.environment,
        PATH: `${this.#bin}:${process.env['PATH'] ?? ''}`,
        HOME: this.root,
        COHORTFLOW_BOX_ROOT: this.root,
      },
    });
    this.#running.add(child);
    started(() => this.kill(child));
    const texts = { stdout: '', stderr: '' };
    child.stdout.on('data', (data: Buffer) => (texts.stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (texts.stderr += data.toString()));
    return new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#running.delete(child);
        resolve({ exitCode: code ?? (signal === null ? 1 : 137), ...texts });
      });
    });
  }

  /**
   * Goes down as a system does: asks all programs to end, those that were started last first, and kills what is left after a
   * while.
   *
   * @param says whether the system says of itself that it stops
   */
  goDown(graceMs: number, says: boolean): void {
    if (says) writeFileSync(join(this.root, 'system-state'), 'stopping\n');
    const shells = [...this.#running].map(({ pid }) => pid);
    const lines = execFileSync('ps', ['-e', '-o', 'pid=,pgid='], { encoding: 'utf8' }).trim().split('\n');
    const all = lines.map((line) => line.trim().split(/\s+/).map(Number));
    const inside = all.flatMap(([pid = 0, group]) => (shells.includes(group) && !shells.includes(pid) ? [pid] : []));
    for (const pid of inside.sort((a, b) => b - a)) {
      try {
        process.kill(pid, 'SIGTERM');
      } catch {
        // It has ended meanwhile.
      }
    }
    setTimeout(() => this.destroy(), graceMs).unref();
  }

  /** Ends everything that runs here, and forgets the disk. */
  destroy(): void {
    clearInterval(this.#watch);
    for (const child of this.#running) this.kill(child);
    // What was killed may still be writing for a moment.
    setTimeout(() => rmSync(this.root, { recursive: true, force: true, maxRetries: 5 }), 200);
  }

  private kill(child: ChildProcess): void {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }

  private program(name: string, body: string): void {
    writeFileSync(join(this.#bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
}
