import { CohortflowError } from '../../errors.js';

/** Expands one PackBits segment (PS3.5 G.3). */
function expandSegment(bytes: Uint8Array, start: number, end: number): Uint8Array {
  let out = new Uint8Array(Math.max(64, 4 * (end - start)));
  let filled = 0;
  const room = (count: number): void => {
    if (filled + count <= out.length) return;
    const larger = new Uint8Array(Math.max(2 * out.length, filled + count));
    larger.set(out.subarray(0, filled));
    out = larger;
  };
  for (let at = start; at < end;) {
    const control = bytes[at++]!;
    if (control < 128) {
      const count = Math.min(control + 1, end - at);
      room(count);
      out.set(bytes.subarray(at, at + count), filled);
      filled += count;
      at += count;
    } else if (control > 128 && at < end) {
      const count = 257 - control;
      room(count);
      out.fill(bytes[at++]!, filled, filled + count);
      filled += count;
    }
    // 128 is a no-operation (padding).
  }
  return out.subarray(0, filled);
}

/**
 * Decodes one frame of RLE Lossless (PS3.5 annex G) with one sample per pixel: byte planes, most significant first, are
 * put back together as little-endian samples. A single segment is returned as it is (8 bits, or bits packed by the
 * writer). Throws `DamagedDicom` when the segment table is impossible.
 */
export function decodeRle(bytes: Uint8Array, samples: number, shown: string): Uint8Array {
  const damaged = (what: string): never => {
    throw new CohortflowError('DamagedDicom', `${shown}: the RLE data ${what}. Fetch the file again.`);
  };
  if (bytes.length < 64) damaged('are shorter than their header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(0, true);
  if (count < 1 || count > 4) damaged(`have ${count} segments where a grey image has one to four`);
  const offsets = Array.from({ length: count }, (_, segment) => view.getUint32(4 + 4 * segment, true));
  const planes = offsets.map((offset, segment) => {
    const end = offsets[segment + 1] ?? bytes.length;
    if (offset < 64 || end > bytes.length || end < offset) damaged('point outside of themselves');
    return expandSegment(bytes, offset, end);
  });
  if (count === 1) return planes[0]!;
  const out = new Uint8Array(samples * count);
  planes.forEach((plane, segment) => {
    if (plane.length < samples) damaged(`hold ${plane.length} of ${samples} bytes in a plane`);
    const shift = count - 1 - segment;
    for (let at = 0; at < samples; at++) out[at * count + shift] = plane[at]!;
  });
  return out;
}
