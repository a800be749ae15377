import { CohortflowError } from '../../errors.js';

/**
 * Inflates a raw deflate stream (RFC 1951), as DICOM's deflated transfer syntaxes use it. A pad byte after the stream is
 * allowed. Throws `DamagedDicom` naming the file.
 */
export async function inflateRaw(bytes: Uint8Array, shown: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const stream = new DecompressionStream('deflate-raw');
  const writer = stream.writable.getWriter();
  // The reader below reports the fault; the writer's copy of it must not count as unhandled.
  const written = writer.write(bytes.slice()).then(() => writer.close());
  written.catch(() => undefined);
  const reader = stream.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
    }
  } catch (error) {
    const sofar = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    // Node reports a pad byte after the end of the stream as trailing junk; everything has been delivered by then.
    if (!(sofar > 0 && bytes.length > 0 && isTrailing(error))) {
      throw new CohortflowError(
        'DamagedDicom',
        `${shown}: the deflated data cannot be inflated. Fetch the file again.`,
        {},
        error,
      );
    }
  }
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function isTrailing(error: unknown): boolean {
  return error instanceof Error && /trailing|junk/i.test(`${error.message} ${(error as { code?: string }).code ?? ''}`);
}
