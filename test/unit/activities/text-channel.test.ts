import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeTogether } from '../../../src/activities/text-channel.js';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import { CohortflowError } from '../../../src/domain/errors.js';
import { temporaryFolder } from '../../support/run-step.js';

describe('writing several files from one source', () => {
  const files = new LocalFiles();
  let root: string;
  let paths: string[];

  beforeEach(() => {
    root = temporaryFolder('together');
    paths = [join(root, 'a.txt'), join(root, 'b.txt')];
  });

  it('gives each file its pieces in order', async () => {
    await writeTogether(files, paths, async (send) => {
      for (let index = 0; index < 1000; index += 1) await send([`${index},`, index % 2 === 0 ? '' : 'odd,']);
    });
    expect(readFileSync(paths[0] ?? '', 'utf8')).toBe(Array.from({ length: 1000 }, (_, index) => `${index},`).join(''));
    expect(readFileSync(paths[1] ?? '', 'utf8')).toBe('odd,'.repeat(500));
  });

  it('makes empty files when there is nothing to write', async () => {
    await writeTogether(files, paths, async () => undefined);
    expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(['', '']);
  });

  it('runs no further ahead than the slowest file', async () => {
    let sent = 0;
    let most = 0;
    let taken = 0;
    const slow = new (class extends LocalFiles {
      override async write(_path: string, content: AsyncIterable<string>): Promise<void> {
        for await (const _piece of content) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          taken += 1;
          most = Math.max(most, sent - Math.floor(taken / 2));
        }
      }
    })();
    await writeTogether(slow, paths, async (send) => {
      for (; sent < 20; sent += 1) await send(['x', 'y']);
    });
    expect(taken).toBe(40);
    expect(most).toBeLessThanOrEqual(2);
  });

  it('leaves no file when the source fails, and tells why', async () => {
    const work = writeTogether(files, paths, async (send) => {
      await send(['x', 'y']);
      throw new CohortflowError('IoError', 'a page is damaged');
    });
    await expect(work).rejects.toThrow('a page is damaged');
    expect(readdirSync(root)).toEqual([]);
  });

  it('stops the source and the other file when one cannot be written, at its start or its end', async () => {
    writeFileSync(join(root, 'file'), '');
    const unwritable = writeTogether(files, [join(root, 'a.txt'), join(root, 'file', 'b.txt')], async (send) => {
      for (;;) await send(['x', 'y']);
    });
    await expect(unwritable).rejects.toMatchObject({ code: expect.stringMatching(/IoError|FileNotFound/) as string });
    expect(readdirSync(root)).toEqual(['file']);

    mkdirSync(join(root, 'b.txt', 'in the way'), { recursive: true });
    const unplaceable = writeTogether(files, paths, async (send) => send(['x', 'y']));
    await expect(unplaceable).rejects.toMatchObject({ code: expect.stringMatching(/IoError|FileNotFound/) as string });
    expect(readdirSync(root).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});
