import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** What this process may use: of the machine, or of its container. */
export interface Machine {
  readonly cores: number;
  readonly memoryMb: number;
  /** Most memory of this process's own JavaScript heap. */
  readonly heapMb: number;
}

/** The processor time that a container may use, in cores; undefined without a limit. `cpu.max` reads `<quota> <period>`. */
export function coresOfQuota(cpuMax: string): number | undefined {
  const [quota, period] = cpuMax.trim().split(/\s+/).map(Number);
  if (quota === undefined || period === undefined || !(quota > 0) || !(period > 0)) return undefined;
  return Math.max(1, Math.floor(quota / period));
}

const CPU_MAX = '/sys/fs/cgroup/cpu.max';

/** Node reports the cores of the host and, without a container's limit, a memory limit beyond all machines. */
export function thisMachine(): Machine {
  const quota = existsSync(CPU_MAX) ? coresOfQuota(readFileSync(CPU_MAX, 'utf8')) : undefined;
  const limit = process.constrainedMemory();
  const bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return {
    cores: Math.min(availableParallelism(), quota ?? Infinity),
    memoryMb: Math.floor(bytes / 2 ** 20),
    heapMb: Math.floor(getHeapStatistics().heap_size_limit / 2 ** 20),
  };
}

/** What a machine can take, when nobody says otherwise. */
export interface Slots {
  readonly jobs: number;
  readonly memoryPerJobMb: number;
  readonly cachedWorkflows: number;
}

/** A CT of 512 × 512 × 500 with its filtered images needs about this much. */
const LEAST_JOB_MB = 1024;

/** A quarter of the memory is left to the server, the worker itself and the system. */
const SHARE_OF_JOBS = 0.75;

/** The SDK's own rule: heap beyond what the worker itself needs, at about 1.7 MB a workflow. More than 1,000 gain nothing. */
function cachedWorkflows(heapMb: number): number {
  return Math.min(1000, Math.max(50, Math.floor(((heapMb - 200) / 1024) * 600)));
}

/**
 * Slots from the machine: as many heavy steps as there are cores, fewer where they would not get a gigabyte each.
 *
 * @param jobs how many heavy steps someone wants, when someone does; they then share the memory
 */
export function slotsOf(machine: Machine, jobs?: number): Slots {
  const shared = machine.memoryMb * SHARE_OF_JOBS;
  const chosen = jobs ?? Math.max(1, Math.min(machine.cores, Math.floor(shared / LEAST_JOB_MB)));
  return {
    jobs: chosen,
    memoryPerJobMb: Math.max(LEAST_JOB_MB, Math.floor(shared / chosen)),
    cachedWorkflows: cachedWorkflows(machine.heapMb),
  };
}
