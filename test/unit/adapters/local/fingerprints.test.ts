import { mkdir, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { LocalFiles } from '../../../../src/adapters/local/files.js';
import { LocalFingerprints } from '../../../../src/adapters/local/fingerprints.js';
import { temporaryFolder } from '../../../support/run-step.js';

/** Counts the files whose content is read. */
class CountingFiles extends LocalFiles {
  reads = 0;

  override async sha256(path: string, signal?: AbortSignal): Promise<string> {
    this.reads += 1;
    return super.sha256(path, signal);
  }
}

describe('hashes of files on this machine', () => {
  let root: string;
  let memory: string;
  let files: CountingFiles;
  let fingerprints: LocalFingerprints;

  beforeEach(() => {
    root = temporaryFolder('fingerprints');
    memory = join(root, 'hashes');
    files = new CountingFiles();
    fingerprints = new LocalFingerprints(files, memory);
  });

  /** Other times, same content: what copying a file over itself does. */
  const touch = (path: string): Promise<void> => utimes(path, 1_000, 1_000);

  it('a file is read once, and again only after it changed or when that is asked for', async () => {
    const file = join(root, 'a.txt');
    await writeFile(file, 'one');
    const first = await fingerprints.of(file);
    expect(await fingerprints.of(file)).toBe(first);
    expect(files.reads).toBe(1);
    expect(await fingerprints.of(file, { verify: true })).toBe(first);
    expect(files.reads).toBe(2);
    await touch(file);
    expect(await fingerprints.of(file)).toBe(first);
    expect(files.reads).toBe(3);
    await writeFile(file, 'two');
    expect(await fingerprints.of(file)).not.toBe(first);
  });

  it('what is known is told without reading, and nothing is told once anything changed', async () => {
    const folder = join(root, 'study');
    await mkdir(join(folder, 'deep'), { recursive: true });
    for (const name of ['10', '9', 'deep/x']) await writeFile(join(folder, name), name);
    expect(await fingerprints.known(folder)).toBeUndefined();
    const hash = await fingerprints.of(folder);
    const { reads } = files;
    expect(await fingerprints.known(folder)).toBe(hash);
    expect(await new LocalFingerprints(files, memory).known(folder)).toBe(hash);
    await touch(join(folder, 'deep/x'));
    expect(await fingerprints.known(folder)).toBeUndefined();
    expect(files.reads).toBe(reads);
    // Equal content has the equal hash, whatever the times.
    expect(await fingerprints.of(folder)).toBe(hash);
    await writeFile(join(folder, '11'), '');
    expect(await fingerprints.known(folder)).toBeUndefined();
    await rm(folder, { recursive: true });
    expect(await fingerprints.known(folder)).toBeUndefined();
  });

  it('a folder’s hash tells names, nesting and content, and follows links', async () => {
    const make = async (name: string, contents: Readonly<Record<string, string>>): Promise<string> => {
      for (const [path, text] of Object.entries(contents)) {
        await mkdir(join(root, name, path, '..'), { recursive: true });
        await writeFile(join(root, name, path), text);
      }
      return fingerprints.of(join(root, name));
    };
    const base = await make('base', { a: '1', 'b/c': '2' });
    expect(await make('same', { 'b/c': '2', a: '1' })).toBe(base);
    expect(await make('renamed', { a: '1', 'b/d': '2' })).not.toBe(base);
    expect(await make('flat', { a: '1', 'b-c': '2' })).not.toBe(base);
    expect(await make('other', { a: '1', 'b/c': '3' })).not.toBe(base);
    await symlink(join(root, 'base'), join(root, 'link'));
    expect(await fingerprints.of(join(root, 'link'))).toBe(base);
    await symlink(join(root, 'nowhere'), join(root, 'base', 'dangling'));
    expect(await fingerprints.of(join(root, 'base'))).toBe(base);
  });

  it('what is remembered lies in folders of two characters, can be forgotten, and damage to it does no harm', async () => {
    const file = join(root, 'a.txt');
    await writeFile(file, 'one');
    const hash = await fingerprints.of(file);
    const [shard] = await readdir(memory);
    expect(shard).toMatch(/^[0-9a-f]{2}$/);
    const [name] = await readdir(join(memory, shard ?? ''));
    expect(name?.startsWith(shard ?? '-')).toBe(true);
    await writeFile(join(memory, shard ?? '', name ?? ''), '{"path"');
    expect(await fingerprints.known(file)).toBeUndefined();
    expect(await fingerprints.of(file)).toBe(hash);
    await fingerprints.forget(file);
    expect(await fingerprints.known(file)).toBeUndefined();
  });

  it('a stamp stays while a file does and goes with it', async () => {
    const file = join(root, 'a.txt');
    expect(await fingerprints.stamp(file)).toBeUndefined();
    await writeFile(file, 'one');
    const before = await fingerprints.stamp(file);
    expect(await fingerprints.stamp(file)).toBe(before);
    await touch(file);
    expect(await fingerprints.stamp(file)).not.toBe(before);
    expect(files.reads).toBe(0);
  });

  it('says that nothing is there', async () => {
    await expect(fingerprints.of(join(root, 'none'))).rejects.toMatchObject({ code: 'FileNotFound' });
  });
});
