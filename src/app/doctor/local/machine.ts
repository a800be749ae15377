import { statfs } from 'node:fs/promises';
import type { Config } from '../../../config/config.js';
import type { Machine } from '../../../config/machine.js';
import { failed, ok, warning, type Check } from '../check.js';
import { existingFolder } from './existing-folder.js';

const GB = 1e9;
/** Less than this and the server's database or a program's download may not find room. */
const LEAST_BYTES = 1 * GB;
/** A study leaves half its size, and as much again while it is computed. */
const SCANT_BYTES = 10 * GB;

/** Bytes that this user may still write where a path is, or would be. */
async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(existingFolder(path));
  return bavail * bsize;
}

/** Room where the product keeps its things and where it is called from. */
export function diskCheck(
  { stateFolder, cacheFolder }: Pick<Config, 'stateFolder' | 'cacheFolder'>,
  folder: string,
  free: (path: string) => Promise<number> = freeBytes,
): Check {
  return {
    name: 'Disk',
    look: async () => {
      const places = [
        { path: folder, setting: 'the folder of --output' },
        { path: cacheFolder, setting: 'the setting cacheFolder (COHORTFLOW_CACHE)' },
        { path: stateFolder, setting: 'the setting stateFolder (COHORTFLOW_STATE)' },
      ];
      return Promise.all(
        places.map(async ({ path, setting }) => {
          const bytes = await free(path);
          const found = `${(bytes / GB).toFixed(1)} GB free at ${path}`;
          const fix = `make room there, or point ${setting} to a larger disk`;
          if (bytes < LEAST_BYTES) return failed(found, fix);
          return bytes < SCANT_BYTES ? warning(found, fix) : ok(found);
        }),
      );
    },
  };
}

/** A CT of 512 × 512 × 500 with its filtered images. */
const LEAST_MEMORY_MB = 1024;

/** Whether heavy steps get the memory that they need. */
export function memoryCheck(
  { jobs, memoryPerJobMb }: Pick<Config, 'jobs' | 'memoryPerJobMb'>,
  { memoryMb, cores }: Machine,
): Check {
  return {
    name: 'Memory',
    look: async () => {
      const found = `${memoryMb} MB and ${cores} cores: ${jobs} heavy steps at once, each at most ${memoryPerJobMb} MB`;
      if (memoryPerJobMb < LEAST_MEMORY_MB) {
        return warning(found, `raise --memory-per-job to ${LEAST_MEMORY_MB}; fewer --jobs leave more for each`);
      }
      if (jobs * memoryPerJobMb > memoryMb) {
        return warning(`${found}, together more than there is`, 'lower --jobs or --memory-per-job');
      }
      return ok(found);
    },
  };
}
