import { gzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3Files } from '../../src/adapters/aws/s3-files.js';
import { locationOf } from '../../src/adapters/aws/s3-location.js';
import { LocalFiles } from '../../src/adapters/local/files.js';
import { RoutedFiles } from '../../src/adapters/routed-files.js';
import type { Files } from '../../src/ports/files.js';
import { temporaryFolder } from '../support/run-step.js';
import { s3Servers, type S3Server } from '../support/s3-server.js';

const local = (): string => temporaryFolder('files');
const routed = (): Files => new RoutedFiles(new LocalFiles(), new S3Files({}));

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

/** What every store does alike. */
function contract(make: () => Files, place: () => string): void {
  const files = make();

  it('reads what was written, whole, as text, as lines, and as a stream', async () => {
    const path = `${place()}/a b/ü+1.txt`;
    await files.write(path, 'one\r\ntwo\nthree');
    expect(Buffer.from(await files.read(path)).toString()).toBe('one\r\ntwo\nthree');
    expect(await files.readText(path)).toBe('one\r\ntwo\nthree');
    const lines: string[] = [];
    for await (const line of files.lines(path)) lines.push(line);
    expect(lines).toEqual(['one', 'two', 'three']);
    expect(await collected(files.stream(path))).toBe('one\r\ntwo\nthree');
    expect(await files.sha256(path)).toBe(createHash('sha256').update('one\r\ntwo\nthree').digest('hex'));
  });

  it('reads an empty file', async () => {
    const path = `${place()}/empty`;
    await files.write(path, '');
    expect(await files.readText(path)).toBe('');
    expect(await collected(files.stream(path))).toBe('');
    expect(await files.stat(path)).toMatchObject({ size: 0, kind: 'file' });
  });

  it('writes pieces as one file', async () => {
    const path = `${place()}/pieces.txt`;
    await files.write(
      path,
      (async function* () {
        for (let n = 0; n < 1000; n += 1) yield `${n}\n`;
      })(),
    );
    expect((await files.readText(path)).split('\n')).toHaveLength(1001);
  });

  it('gunzips what is gzipped, and writes equal bytes for equal content', async () => {
    const root = place();
    await files.write(`${root}/x.gz`, gzipSync('zipped\ntwice'));
    expect(Buffer.from(await files.readGzip(`${root}/x.gz`)).toString()).toBe('zipped\ntwice');
    expect(await collected(files.stream(`${root}/x.gz`))).toBe('zipped\ntwice');
    await files.writeGzip(`${root}/y.gz`, Buffer.from('same'));
    await files.writeGzip(`${root}/z.gz`, Buffer.from('same'));
    expect(await files.sha256(`${root}/y.gz`)).toBe(await files.sha256(`${root}/z.gz`));
    await files.write(`${root}/cut.gz`, gzipSync('a'.repeat(10_000)).subarray(0, 30));
    await expect(files.readGzip(`${root}/cut.gz`)).rejects.toMatchObject({ code: 'IoError' });
    await expect(collected(files.stream(`${root}/cut.gz`))).rejects.toMatchObject({ code: 'IoError' });
  });

  it('lists a folder, or all below it, in walking order', async () => {
    const root = place();
    for (const name of ['b/2', 'b/1', 'a-c', 'a/x', 'Z']) await files.write(`${root}/${name}`, name);
    const shown = (entries: readonly { path: string; kind: string; size: number }[]): string[] =>
      entries.map(({ path, kind, size }) => `${path.slice(root.length + 1)} ${kind} ${size}`);
    expect(shown(await files.list(root))).toEqual(['Z file 1', 'a folder 0', 'a-c file 3', 'b folder 0']);
    expect(shown(await files.list(root, { recursive: true }))).toEqual([
      'Z file 1',
      'a/x file 3',
      'a-c file 3',
      'b/1 file 3',
      'b/2 file 3',
    ]);
    expect(await files.names(`${root}/b`)).toEqual(['1', '2']);
    expect(await files.names(`${root}/none`)).toEqual([]);
  });

  it('does not take what begins alike for the folder', async () => {
    const root = place();
    await files.write(`${root}/R01-001/x`, '1');
    expect(await files.stat(`${root}/R01-00`)).toBeUndefined();
    expect(await files.names(`${root}/R01-00`)).toEqual([]);
    await expect(files.list(`${root}/R01-00`)).rejects.toMatchObject({ code: 'FileNotFound' });
    await files.remove(`${root}/R01-00`);
    expect(await files.stat(`${root}/R01-001/x`)).toMatchObject({ kind: 'file' });
  });

  it('tells files from folders', async () => {
    const root = place();
    await files.write(`${root}/folder/file`, '12345');
    expect(await files.stat(`${root}/folder/file`)).toEqual({
      path: `${root}/folder/file`,
      name: 'file',
      size: 5,
      kind: 'file',
    });
    expect(await files.stat(`${root}/folder`)).toMatchObject({ name: 'folder', kind: 'folder' });
    expect(await files.stat(`${root}/nothing`)).toBeUndefined();
  });

  it('reads ranges of the version that was opened', async () => {
    const path = `${place()}/ranges`;
    const bytes = Buffer.from(Array.from({ length: 700_000 }, (_unused, at) => at % 251));
    await files.write(path, bytes);
    const source = await files.open(path);
    expect(source.size).toBe(700_000);
    for (const [offset, length] of [
      [0, 132],
      [132, 4],
      [250_000, 300_000],
      [699_990, 100],
      [700_000, 1],
    ] as const) {
      expect(Buffer.from(await source.read(offset, length)).equals(bytes.subarray(offset, offset + length))).toBe(true);
    }
    await source.close();
  });

  it('writes once: the first of many wins, and nothing changes it', async () => {
    const path = `${place()}/once`;
    const won = await Promise.all(['a', 'b', 'c', 'd'].map((text) => files.writeOnce(path, text)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await files.writeOnce(path, 'e')).toBe(false);
    expect(await files.readText(path)).toBe('abcd'[won.indexOf(true)]);
  });

  it('removes a file, a folder with all below it, and what is not there', async () => {
    const root = place();
    for (const name of ['a/1', 'a/b/2', 'c']) await files.write(`${root}/${name}`, name);
    await files.remove(`${root}/a`);
    await files.remove(`${root}/a`);
    expect((await files.list(root, { recursive: true })).map(({ name }) => name)).toEqual(['c']);
  });

  it('moves a file over another and makes the folders it needs', async () => {
    const root = place();
    await files.write(`${root}/from`, 'new');
    await files.write(`${root}/x/y/to`, 'old');
    await files.rename(`${root}/from`, `${root}/x/y/to`);
    expect(await files.readText(`${root}/x/y/to`)).toBe('new');
    expect(await files.stat(`${root}/from`)).toBeUndefined();
  });

  it('copies a file or a whole folder', async () => {
    const root = place();
    for (const name of ['a/1', 'a/b/ü 2']) await files.write(`${root}/${name}`, name);
    await files.copy(`${root}/a`, `${root}/copy`);
    expect(await files.readText(`${root}/copy/b/ü 2`)).toBe('a/b/ü 2');
    await files.copy(`${root}/a/1`, `${root}/one`);
    expect(await files.readText(`${root}/one`)).toBe('a/1');
    expect(await files.readText(`${root}/a/1`)).toBe('a/1');
    await expect(files.copy(`${root}/none`, `${root}/two`)).rejects.toMatchObject({ code: 'FileNotFound' });
  });

  it('says what is not there', async () => {
    const path = `${place()}/none`;
    const ways = [
      () => files.read(path),
      () => files.open(path),
      () => files.sha256(path),
      () => collected(files.stream(path)),
    ];
    for (const way of ways) {
      const message = expect.stringContaining('none') as string;
      await expect(way()).rejects.toMatchObject({ code: 'FileNotFound', message });
    }
  });

  it('stops reading when it is told to', async () => {
    const path = `${place()}/long`;
    await files.write(path, 'x');
    const reason = new Error('enough');
    await expect(files.read(path, AbortSignal.abort(reason))).rejects.toBeDefined();
  });
}

/** What two stores do together, and what only S3 has. */
function acrossStores(remote: () => string): void {
  it('moves and copies files and folders both ways, byte for byte', async () => {
    const files = routed();
    const [here, there] = [local(), remote()];
    const large = Buffer.alloc(20 * 2 ** 20, 'chunk of a volume ');
    await files.write(`${here}/study/1.dcm`, large);
    await files.write(`${here}/study/sub/2.dcm`, 'two');
    await files.copy(`${here}/study`, `${there}/study`);
    await files.copy(`${there}/study`, `${here}/back`);
    expect(await files.sha256(`${here}/back/1.dcm`)).toBe(await files.sha256(`${here}/study/1.dcm`));
    expect(await files.sha256(`${there}/study/1.dcm`)).toBe(await files.sha256(`${here}/study/1.dcm`));
    expect(await files.readText(`${here}/back/sub/2.dcm`)).toBe('two');
    await files.rename(`${here}/back/1.dcm`, `${there}/moved.dcm`);
    expect(await files.stat(`${here}/back/1.dcm`)).toBeUndefined();
    await files.rename(`${there}/moved.dcm`, `${here}/again/1.dcm`);
    expect(await files.stat(`${there}/moved.dcm`)).toBeUndefined();
    expect((await files.read(`${here}/again/1.dcm`)).length).toBe(large.length);
  });

  it('refuses to remove a bucket', async () => {
    await expect(new S3Files({}).remove('s3://cohortflow-test/')).rejects.toMatchObject({ code: 'InvalidInput' });
  });

  it('names the bucket that is not there', async () => {
    const nowhere = `s3://no-such-bucket-${crypto.randomUUID()}/x`;
    await expect(new S3Files({}).read(nowhere)).rejects.toMatchObject({ code: 'FileNotFound' });
  });
}

describe('LocalFiles on this machine', () => contract(() => new LocalFiles(), local));
describe('RoutedFiles on this machine', () => contract(routed, local));

describe.each(s3Servers())('%s', (_, start) => {
  let server: S3Server;
  const remote = (): string => server.place();

  beforeAll(async () => {
    server = await start();
  }, 120_000);

  afterAll(async () => {
    await server?.stop();
  });

  describe('S3Files', () => contract(() => new S3Files({}), remote));
  describe('RoutedFiles', () => contract(routed, remote));
  describe('Files from store to store', () => acrossStores(remote));

  it('takes a folder that carries its own mark, as consoles make it, for what else lies in it', async () => {
    const files = new S3Files({});
    const { bucket, key } = locationOf(remote());
    const client = new S3Client({ forcePathStyle: true });
    for (const Key of [`${key}/marked/`, `${key}/marked/file`, `${key}/only-marked/`]) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Key.endsWith('/') ? '' : '12345' }));
    }
    client.destroy();
    const root = `s3://${bucket}/${key}`;
    for (const slash of ['', '/']) expect(await files.stat(`${root}/marked${slash}`)).toMatchObject({ kind: 'folder' });
    expect(await files.list(`${root}/marked`)).toMatchObject([{ name: 'file', size: 5 }]);
    expect(await files.stat(`${root}/only-marked`)).toBeUndefined();
  });
});
