import { describe, expect, it } from 'vitest';
import {
  RunningCrc32,
  RunningCrc64,
  wholeChecksum,
  type StoredChecksums,
} from '../../../../src/adapters/aws/s3-checksum.js';

const hex = (base64: string): string => Buffer.from(base64, 'base64').toString('hex');

describe('checksums over bytes that come in pieces', () => {
  it.each([
    // The check values of the catalogue of CRC algorithms.
    ['CRC-32', RunningCrc32, 'cbf43926'],
    ['CRC-64/NVME', RunningCrc64, 'ae8b14860a799888'],
  ])('%s', (_, Running, check) => {
    const running = new Running();
    for (const part of ['1234', '', '56789']) running.update(Buffer.from(part));
    expect(hex(running.digest())).toBe(check);
  });

  it.each<[StoredChecksums, boolean]>([
    [{}, false],
    [{ ChecksumCRC32: 'y/Q5Jg==' }, true],
    [{ ChecksumCRC32: 'y/Q5Jg==', ChecksumType: 'FULL_OBJECT' }, true],
    [{ ChecksumCRC64NVME: 'rosUhgp5mIg=' }, true],
    [{ ChecksumSHA256: 'FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=' }, true],
    // Of the parts' checksums, not of the object.
    [{ ChecksumCRC32: 'y/Q5Jg==', ChecksumType: 'COMPOSITE' }, false],
    [{ ChecksumCRC32: 'y/Q5Jg==-3' }, false],
  ])('of what S3 says takes those of whole objects: %j', (stored, usable) => {
    const found = wholeChecksum(stored);
    expect(found !== undefined).toBe(usable);
    found?.running.update(Buffer.from('123456789'));
    expect(found?.running.digest()).toBe(found?.expected);
  });
});
