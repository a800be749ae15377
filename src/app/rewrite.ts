import type { Files } from '../ports/files.js';

/** Replaces a file by another version of itself, whole or not at all. */
export async function rewrite(files: Files, path: string, write: (aside: string) => Promise<void>): Promise<void> {
  const cut = path.lastIndexOf('/');
  const aside = `${path.slice(0, cut)}/.${path.slice(cut + 1)}.part`;
  try {
    await write(aside);
    await files.rename(aside, path);
  } finally {
    await files.remove(aside);
  }
}
