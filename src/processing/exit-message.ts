import type { ProcessingFailure } from '../contracts/processing.js';
import { MOST_MESSAGE_BYTES } from '../contracts/processing.js';

/** A folder of the job's inputs, and the paths of the files below it. */
export interface InputFiles {
  readonly role: string;
  readonly folder: string;
  readonly files: readonly string[];
}

/** Shorter names are words as well. */
const SHORTEST_NAME = 4;

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** All folders that a path goes through, below the root. */
function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

/** What stands for each name that a file or folder of the inputs may be called by. */
function standIns({ role, folder, files }: InputFiles): Map<string, string> {
  const names = new Map<string, string>();
  const take = (paths: readonly string[], kind: string): void => {
    for (const [at, path] of paths.entries()) {
      const shown = `${role} ${kind} ${at + 1}`;
      names.set(`${folder}/${path}`, shown);
      const base = path.slice(path.lastIndexOf('/') + 1);
      for (const name of [path, base]) if (name.length >= SHORTEST_NAME && !names.has(name)) names.set(name, shown);
    }
  };
  const sorted = [...files].sort();
  take(sorted, 'file');
  take([...new Set(sorted.flatMap(parents))].sort(), 'folder');
  return names;
}

/**
 * A message without the names of what the job was given: keys of studies may say whose they are, and the message leaves the
 * container. A file is told by its number among the files of its input, in order of their paths.
 */
export function withoutInputs(message: string, inputs: readonly InputFiles[]): string {
  const names = new Map(inputs.flatMap((input) => [...standIns(input)]));
  // Longest first: a path, before the name at its end.
  const known = [...names.keys()].sort((a, b) => b.length - a.length).map(escaped);
  const first =
    known.length === 0
      ? message
      : message.replaceAll(
          new RegExp(`(?<![\\p{L}\\p{N}])(?:${known.join('|')})(?![\\p{L}\\p{N}])`, 'gu'),
          (name) => names.get(name) ?? name,
        );
  const rest = inputs.reduce(
    (text, { role, folder }) =>
      text.replaceAll(new RegExp(`${escaped(folder)}(?:/[^\\s"',;)]+)?`, 'gu'), `${role} input`),
    first,
  );
  return rest.replaceAll(/s3:\/\/[^\s"',;)]+/g, 's3://…');
}

/** A failure as the service takes it: valid UTF-8, so many bytes at most, its message cut between characters. */
export function exitMessage(failure: ProcessingFailure): string {
  // Half a surrogate pair is no character, and no UTF-8.
  const characters = [...failure.message.replaceAll(/\p{Surrogate}/gu, '�')];
  const written = (length: number): string => {
    const cut = length < characters.length ? '…' : '';
    return JSON.stringify({ ...failure, message: characters.slice(0, length).join('') + cut });
  };
  const fits = (length: number): boolean => Buffer.byteLength(written(length)) <= MOST_MESSAGE_BYTES;
  if (fits(characters.length)) return written(characters.length);
  let [shortest, longest] = [0, characters.length];
  while (longest - shortest > 1) {
    const middle = Math.floor((shortest + longest) / 2);
    if (fits(middle)) shortest = middle;
    else longest = middle;
  }
  return written(shortest);
}
