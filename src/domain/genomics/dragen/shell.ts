/** One word of a POSIX shell, whatever it holds. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command line of a POSIX shell. */
export const commandLine = (argv: readonly string[]): string => argv.map(quoted).join(' ');
