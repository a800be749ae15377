import { CohortflowError } from '../../errors.js';

/**
 * Splits encapsulated pixel data (PS3.5 A.4) into the compressed stream of each frame.
 *
 * One frame: all fragments belong to it. Several frames: as many fragments as frames are one each; otherwise the basic
 * offset table says where frames begin. `bytes` starts at the first item. Throws `TruncatedPixelData` when the file ends
 * before the items do or frames are missing, `DamagedDicom` when frames cannot be told apart.
 */
export function splitFrames(bytes: Uint8Array, frames: number, shown: string): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const truncated = (): never => {
    throw new CohortflowError(
      'TruncatedPixelData',
      `${shown}: the file ends within its compressed pixel data. Fetch it again.`,
    );
  };
  const items: { at: number; start: number; end: number }[] = [];
  let closed = false;
  for (let at = 0; at + 8 <= bytes.length;) {
    const tag = view.getUint32(at, true);
    const length = view.getUint32(at + 4, true);
    if (tag === 0xe0ddfffe) {
      closed = true;
      break;
    }
    if (tag !== 0xe000fffe) {
      throw new CohortflowError(
        'DamagedDicom',
        `${shown}: the compressed pixel data are not a list of items. Fetch the file again.`,
      );
    }
    const end = at + 8 + length;
    if (end > bytes.length) truncated();
    items.push({ at, start: at + 8, end });
    at = end;
  }
  const [table, ...fragments] = items;
  if (table === undefined || fragments.length < frames) truncated();
  // Some writers leave the closing delimiter out; with every fragment whole that costs nothing when the count is right.
  if (!closed && fragments.length !== frames) truncated();

  const join = (parts: readonly { start: number; end: number }[]): Uint8Array => {
    if (parts.length === 1) return bytes.subarray(parts[0]!.start, parts[0]!.end);
    const whole = new Uint8Array(parts.reduce((sum, { start, end }) => sum + end - start, 0));
    let at = 0;
    for (const { start, end } of parts) {
      whole.set(bytes.subarray(start, end), at);
      at += end - start;
    }
    return whole;
  };
  if (frames === 1) return [join(fragments)];
  if (fragments.length === frames) return fragments.map((fragment) => join([fragment]));

  const base = fragments[0]!.at;
  const offsets: number[] = [];
  for (let at = table!.start; at + 4 <= table!.end; at += 4) offsets.push(base + view.getUint32(at, true));
  if (offsets.length !== frames) {
    throw new CohortflowError(
      'DamagedDicom',
      `${shown}: ${fragments.length} fragments hold ${frames} frames and no offset table tells them apart. Export the object again.`,
    );
  }
  return offsets.map((offset, frame) => {
    const next = offsets[frame + 1] ?? Infinity;
    const parts = fragments.filter(({ at }) => at >= offset && at < next);
    if (parts.length === 0) truncated();
    return join(parts);
  });
}
