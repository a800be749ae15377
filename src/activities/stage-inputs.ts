import { basename } from 'node:path';
import type { StepRequest } from '../contracts/activities.js';
import { isUri } from '../domain/cohort/sheet-paths.js';
import { mapBounded } from '../domain/map-bounded.js';
import type { Files } from '../ports/files.js';

type Inputs = StepRequest['inputs'];

/** Inputs fetched at once; each of them fetches several files at once. */
const FETCHES_AT_ONCE = 2;

/**
 * The inputs of a step as paths of this machine: what is elsewhere is fetched into a private folder, under its own name. The
 * output folder as a whole stays where it is: the steps that read it take what they need.
 *
 * @throws CohortflowError those of {@link Files.copy}
 */
export async function stageInputs(
  inputs: Inputs,
  output: string,
  folder: string,
  files: Files,
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<Inputs> {
  const staged: Record<string, readonly string[]> = {};
  for (const [role, paths] of Object.entries(inputs)) {
    staged[role] = await mapBounded(paths, FETCHES_AT_ONCE, async (path, number) => {
      if (!isUri(path) || path === output) return path;
      progress(`fetching ${role}`);
      const place = `${folder}/${role}/${number}/${basename(path)}`;
      await files.copy(path, place, signal);
      return place;
    });
  }
  return staged;
}
