import type { Files } from '../ports/files.js';

/** Pieces of text handed from one who makes them to one who writes them, one at a time: neither runs ahead. */
class TextChannel implements AsyncIterable<string> {
  #piece: string | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  /** Resolves when the writer has taken the piece; throws when it has given up. */
  async send(piece: string): Promise<void> {
    this.#piece = piece;
    this.#wake();
    while (this.#piece !== undefined && this.#failure === undefined) await this.#change();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<string> {
    for (;;) {
      while (this.#piece === undefined && !this.#ended && this.#failure === undefined) await this.#change();
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#piece === undefined) return;
      const piece = this.#piece;
      this.#piece = undefined;
      this.#wake();
      yield piece;
    }
  }

  /** Both sides wait here, never at once: one waits for a piece, the other for its being taken. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/**
 * Writes several files in one go from one source, without holding any of them in memory. When anything fails, none of the
 * files that were not whole yet appears.
 *
 * @param produce calls `send` with the next piece of each file, in the order of `paths`; an empty piece is fine
 */
export async function writeTogether(
  files: Files,
  paths: readonly string[],
  produce: (send: (pieces: readonly string[]) => Promise<void>) => Promise<void>,
): Promise<void> {
  const channels = paths.map(() => new TextChannel());
  const failAll = (error: unknown): void => {
    for (const channel of channels) channel.fail(error);
  };
  const work = [
    ...channels.map((channel, index) => files.write(paths[index] ?? '', channel)),
    (async () => {
      await produce(async (pieces) => {
        await Promise.all(channels.map((channel, index) => channel.send(pieces[index] ?? '')));
      });
      for (const channel of channels) channel.end();
    })(),
  ];
  let first: { readonly error: unknown } | undefined;
  const watched = work.map((part) =>
    part.catch((error: unknown) => {
      // The others fail in consequence: what went wrong first is what to tell.
      first ??= { error };
      failAll(error);
    }),
  );
  await Promise.all(watched);
  if (first !== undefined) throw first.error;
}
