import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { LocalArchives } from '../../../../src/adapters/local/archives.js';
import { ArchiveBounds, entryPlace } from '../../../../src/domain/archive-rules.js';
import { temporaryFolder } from '../../../support/run-step.js';
import { zipOf, type ZipEntry } from '../../../support/zip.js';

const never = new AbortController().signal;

async function tarOf(entries: readonly { name: string; content?: string; linkname?: string }[]): Promise<Buffer> {
  const packing = pack();
  for (const { name, content = '', linkname } of entries) {
    if (linkname === undefined) packing.entry({ name }, content);
    else packing.entry({ name, type: 'symlink', linkname });
  }
  packing.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packing) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Unpacks bytes; tells what came and where. */
async function unpacked(bytes: Uint8Array): Promise<{ done: boolean; folder: string; files: string[] }> {
  const root = temporaryFolder('archives');
  const folder = join(root, 'in', 'here');
  writeFileSync(join(root, 'study.bin'), bytes);
  const done = await new LocalArchives().unpack(join(root, 'study.bin'), folder, never);
  const files = existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
        .sort()
    : [];
  return { done, folder, files };
}

const ENTRIES: readonly ZipEntry[] = [
  { name: 'a/', content: '' },
  { name: 'a/1.dcm', content: 'one' },
  { name: 'a/b/ü 2.dcm', content: 'two'.repeat(10_000) },
];

describe('unpacking an archive', () => {
  it('takes a zip, whatever it is called', async () => {
    const { done, folder, files } = await unpacked(zipOf(ENTRIES));
    expect(done).toBe(true);
    expect(files).toEqual(['a/1.dcm', 'a/b/ü 2.dcm']);
    expect(readFileSync(join(folder, 'a/b/ü 2.dcm'), 'utf8')).toBe('two'.repeat(10_000));
  });

  it('takes a tar, gzipped or not', async () => {
    const tar = await tarOf([
      { name: 'a/1.dcm', content: 'one' },
      { name: './b', content: '' },
    ]);
    for (const bytes of [tar, gzipSync(tar)]) expect((await unpacked(bytes)).files).toEqual(['a/1.dcm', 'b']);
  });

  it('leaves alone what is no archive', async () => {
    for (const bytes of [Buffer.from('DICM'), gzipSync('a volume'), Buffer.alloc(0), gzipSync('x').subarray(0, 12)]) {
      expect((await unpacked(bytes)).done).toBe(false);
    }
  });

  it.each(['../out', '/out', 'a/../../out', 'C:\\out', '..\\out', 'a\0b'])('refuses the path %j', async (name) => {
    await expect(unpacked(zipOf([{ name, content: 'x' }]))).rejects.toMatchObject({ code: 'ArchiveUnsafe' });
    expect(() => entryPlace(name)).toThrow('leads out');
  });

  it('refuses a path out of a tar, and passes over its links', async () => {
    await expect(unpacked(await tarOf([{ name: '../out', content: 'x' }]))).rejects.toMatchObject({
      code: 'ArchiveUnsafe',
    });
    const { files } = await unpacked(
      await tarOf([
        { name: 'link', linkname: '/etc/passwd' },
        { name: 'x', content: 'x' },
      ]),
    );
    expect(files).toEqual(['x']);
  });

  it('passes over the links of a zip', async () => {
    const { files } = await unpacked(zipOf([...ENTRIES, { name: 'link', content: '/etc/passwd', mode: 0o120777 }]));
    expect(files).not.toContain('link');
  });

  it('refuses what is cut off, damaged or encrypted', async () => {
    const zip = zipOf(ENTRIES);
    const tar = await tarOf([{ name: 'a', content: 'x'.repeat(5_000) }]);
    const noise = await tarOf([{ name: 'a', content: randomBytes(20_000).toString('hex') }]);
    const wrong = zipOf([{ name: 'a', content: 'x', wrongCrc: true }]);
    for (const bytes of [
      zip.subarray(0, zip.length - 30),
      tar.subarray(0, 3_000),
      gzipSync(noise).subarray(0, 3_000),
      wrong,
    ]) {
      await expect(unpacked(bytes)).rejects.toMatchObject({ code: 'ArchiveDamaged' });
    }
    const encrypted = zipOf([{ name: 'a', content: 'x', encrypted: true }]);
    await expect(unpacked(encrypted)).rejects.toMatchObject({ code: 'ArchiveEncrypted' });
    const twice = zipOf([
      { name: 'a', content: 'x' },
      { name: 'a', content: 'y' },
    ]);
    await expect(unpacked(twice)).rejects.toMatchObject({ code: 'ArchiveDamaged' });
  });

  it('compares files with the checksums that come with them', async () => {
    const md5 = createHash('md5').update('one').digest('hex');
    const list = (hash: string): ZipEntry => ({ name: 'md5hashes.csv', content: `filename,md5\n1.dcm,${hash}\n` });
    const file: ZipEntry = { name: '1.dcm', content: 'one' };
    expect((await unpacked(zipOf([file, list(md5)]))).done).toBe(true);
    for (const entries of [[file, list('0'.repeat(32))], [list(md5)]]) {
      await expect(unpacked(zipOf(entries))).rejects.toMatchObject({ code: 'ArchiveDamaged' });
    }
  });

  it('refuses what was made to fill a disk', () => {
    const bounds = new ArchiveBounds(1000);
    bounds.add(2 ** 30);
    expect(() => bounds.add(1)).toThrow('unpacks to more than');
    const large = new ArchiveBounds(2 ** 33);
    for (let gb = 0; gb < 64; gb += 1) large.add(2 ** 30);
    expect(() => large.add(1)).toThrow('unpacks to more than');
    const many = new ArchiveBounds(1000);
    expect(() => {
      for (let n = 0; n <= 200_000; n += 1) many.entry();
    }).toThrow('more than 200000 entries');
  });

  it('stops when it is told to', async () => {
    const root = temporaryFolder('archives');
    writeFileSync(join(root, 'a.zip'), zipOf(ENTRIES));
    const reason = new Error('enough');
    const work = new LocalArchives().unpack(join(root, 'a.zip'), join(root, 'out'), AbortSignal.abort(reason));
    await expect(work).rejects.toBe(reason);
  });
});
