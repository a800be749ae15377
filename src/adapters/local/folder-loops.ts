import { stat } from 'node:fs/promises';
import { ioError } from './io-errors.js';

/** The folders from where a walk began down to where it is, by what the system knows them by. */
export type Above = readonly string[];

/**
 * The way down to a folder, this folder included; undefined when it lies on the way already: then a symbolic link leads back
 * and all that is below has been seen. Two such links in one folder would otherwise be followed in every order there is.
 */
export async function wayDown(folder: string, above: Above): Promise<Above | undefined> {
  try {
    const { dev, ino } = await stat(folder, { bigint: true });
    const key = `${dev}:${ino}`;
    return above.includes(key) ? undefined : [...above, key];
  } catch (error) {
    throw ioError(error, folder, 'looking at');
  }
}
