import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Root may mount as it is; others as root of a user namespace of their own, where the system allows that. */
const isRoot = process.getuid?.() === 0;
const UNSHARE = isRoot ? ['-m'] : ['-U', '-r', '-m'];
const ENTER = isRoot ? ['-m'] : ['-U', '-m', '--preserve-credentials'];

/** True where {@link SmallDisk} works; the skip is printed with its reason. */
export function canHaveSmallDisk(folder: string): boolean {
  const mount = `mount -t tmpfs -o size=1m tmpfs '${folder}'`;
  const works = process.platform === 'linux' && spawnSync('unshare', [...UNSHARE, 'sh', '-c', mount]).status === 0;
  if (!works) console.warn('skipped: no file system can be mounted here');
  return works;
}

/**
 * A file system of a few megabytes over a folder, which only those see who are started through it: it is gone with the
 * process that holds it, whatever becomes of the test.
 */
export class SmallDisk {
  private constructor(
    private readonly holder: ChildProcess,
    readonly folder: string,
  ) {}

  static async mount(folder: string, megabytes: number): Promise<SmallDisk> {
    const mount = `mount -t tmpfs -o size=${megabytes}m tmpfs '${folder}' && echo ready && exec sleep 3600`;
    const holder = spawn('unshare', [...UNSHARE, 'sh', '-c', mount], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    return new SmallDisk(holder, folder);
  }

  /** What a command line must begin with to see the disk. */
  get through(): readonly string[] {
    return ['nsenter', '-t', String(this.holder.pid), ...ENTER];
  }

  /** Where the test itself finds the disk. */
  get seen(): string {
    return `/proc/${this.holder.pid ?? 0}/root${this.folder}`;
  }

  /** Takes up all but so many bytes. */
  fillUpTo(bytesLeft: number): void {
    const { bavail, bsize } = statfsSync(this.seen);
    writeFileSync(join(this.seen, 'ballast'), Buffer.alloc(bavail * bsize - bytesLeft));
  }

  /** Gives back what was taken up. */
  free(): void {
    rmSync(join(this.seen, 'ballast'));
  }

  async end(): Promise<void> {
    if (this.holder.exitCode !== null || this.holder.signalCode !== null) return;
    const gone = once(this.holder, 'exit');
    this.holder.kill('SIGKILL');
    await gone;
  }
}
