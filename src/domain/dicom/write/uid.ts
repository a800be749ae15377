/**
 * A UID under the `2.25.` root made of a seed: the same seed gives the same UID in every run and on every machine, so
 * that synthetic studies are equal byte for byte.
 *
 * The number is 112 bits of four FNV-1a hashes with different offsets; enough to keep a cohort's objects apart, not a
 * cryptographic identifier.
 */
export function uidOf(seed: string): string {
  let value = 0n;
  for (const offset of [0x811c9dc5, 0x01234567, 0x9e3779b9, 0x7f4a7c15]) {
    let hash = offset;
    for (let at = 0; at < seed.length; at++) {
      hash ^= seed.charCodeAt(at);
      hash = Math.imul(hash, 0x01000193) >>> 0;
      // A finishing mix per character, or the four hashes would differ by a constant only.
      hash = (hash ^ (hash >>> 15)) >>> 0;
    }
    value = (value << 28n) | BigInt(hash >>> 4);
  }
  return `2.25.${value + 1n}`;
}
