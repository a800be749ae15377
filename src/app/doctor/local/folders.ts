import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../../config/config.js';
import { messageOf } from '../../../domain/errors.js';
import { failed, ok, type Check } from '../check.js';
import { existingFolder } from './existing-folder.js';

/** Whether the product can write where it keeps its things. */
export function folderChecks({
  stateFolder,
  cacheFolder,
}: Pick<Config, 'stateFolder' | 'cacheFolder'>): readonly Check[] {
  const places = [
    { name: 'State folder', folder: stateFolder, variable: 'COHORTFLOW_STATE' },
    { name: 'Cache folder', folder: cacheFolder, variable: 'COHORTFLOW_CACHE' },
  ];
  return places.map(({ name, folder, variable }) => ({
    name,
    look: async () => {
      const probe = join(existingFolder(folder), `.doctor-${randomBytes(6).toString('hex')}`);
      try {
        await writeFile(probe, '');
        await rm(probe);
        return ok(`${folder} can be written`);
      } catch (error) {
        return failed(`${folder}: ${messageOf(error)}`, `make it writable, or set ${variable} to a folder that is`);
      }
    },
  }));
}
