import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** What S3 says of an object's checksum. */
export interface StoredChecksums {
  readonly ChecksumType?: string | undefined;
  readonly ChecksumCRC32?: string | undefined;
  readonly ChecksumCRC64NVME?: string | undefined;
  readonly ChecksumSHA256?: string | undefined;
}

/** A checksum over bytes that come one after the other. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  /** In base64, as S3 writes it. */
  digest(): string;
}

export class RunningCrc32 implements RunningChecksum {
  #value = 0;

  update(bytes: Uint8Array): void {
    this.#value = crc32(bytes, this.#value);
  }

  digest(): string {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.#value >>> 0);
    return bytes.toString('base64');
  }
}

/** Halves of the polynomial of CRC-64/NVME, reflected. */
const HIGH = 0x9a6c9329;
const LOW = 0xac4bc9b5;

let tables: readonly [high: Uint32Array, low: Uint32Array] | undefined;

function crc64Tables(): readonly [high: Uint32Array, low: Uint32Array] {
  if (tables !== undefined) return tables;
  const made = [new Uint32Array(256), new Uint32Array(256)] as const;
  for (let byte = 0; byte < 256; byte += 1) {
    let [high, low] = [0, byte];
    for (let bit = 0; bit < 8; bit += 1) {
      const odd = low & 1;
      low = ((low >>> 1) | (high << 31)) ^ (odd === 1 ? LOW : 0);
      high = (high >>> 1) ^ (odd === 1 ? HIGH : 0);
    }
    made[0][byte] = high;
    made[1][byte] = low;
  }
  tables = made;
  return made;
}

/** CRC-64/NVME: what S3 gives every object that came without a checksum. Node has none; in two halves of 32 bits it is quick. */
export class RunningCrc64 implements RunningChecksum {
  #high = -1;
  #low = -1;

  update(bytes: Uint8Array): void {
    const [highs, lows] = crc64Tables();
    let [high, low] = [this.#high, this.#low];
    for (const byte of bytes) {
      const at = (low ^ byte) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ lows[at]!;
      high = (high >>> 8) ^ highs[at]!;
    }
    this.#high = high;
    this.#low = low;
  }

  digest(): string {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(~this.#high >>> 0, 0);
    bytes.writeUInt32BE(~this.#low >>> 0, 4);
    return bytes.toString('base64');
  }
}

class RunningSha256 implements RunningChecksum {
  readonly #hash = createHash('sha256');

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): string {
    return this.#hash.digest('base64');
  }
}

const KINDS = [
  ['ChecksumCRC32', RunningCrc32],
  ['ChecksumCRC64NVME', RunningCrc64],
  ['ChecksumSHA256', RunningSha256],
] as const;

/**
 * The checksum that the whole object was stored with, to be compared with that of the bytes that come. Undefined where there is
 * none, or one of the checksums of its parts only: nothing can then be said without knowing where the parts began.
 */
export function wholeChecksum(
  stored: StoredChecksums,
): { readonly running: RunningChecksum; readonly expected: string } | undefined {
  if (stored.ChecksumType === 'COMPOSITE') return undefined;
  for (const [name, Running] of KINDS) {
    const expected = stored[name];
    // Before there were types a checksum of checksums was told by the number of parts at its end.
    if (expected !== undefined && !expected.includes('-')) return { running: new Running(), expected };
  }
  return undefined;
}
