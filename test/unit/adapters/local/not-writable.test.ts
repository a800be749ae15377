import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LocalFiles } from '../../../../src/adapters/local/files.js';
import { isUnwritable, writeError } from '../../../../src/adapters/local/io-errors.js';
import { failureKind } from '../../../../src/domain/failures/index.js';
import { temporaryFolder } from '../../../support/run-step.js';

const systemError = (code: string): Error => Object.assign(new Error(code), { code });

/** Not even root writes there. */
const CLOSED = '/sys/cohortflow';

describe('a place that cannot be written to', () => {
  const files = new LocalFiles();

  it.each(['EACCES', 'EPERM', 'EROFS'])('is a fault of the environment: %s', async (code) => {
    expect(await writeError(systemError(code), '/out/a', 'writing')).toMatchObject({ code: 'NotWritable' });
    expect(failureKind('NotWritable')).toMatchObject({ fault: 'environment', retryable: false });
  });

  it('is told from one that is not there and from one that is full', async () => {
    const path = join(temporaryFolder('writable'), 'gone', 'file');
    expect(await writeError(systemError('ENOENT'), path, 'moving into place')).toMatchObject({ code: 'FileNotFound' });
    expect(await writeError(systemError('ENOSPC'), path, 'writing')).toMatchObject({ code: 'DiskFull' });
    expect(await isUnwritable(path)).toBe(false);
  });

  it.runIf(process.platform === 'linux')('is met by every way of changing files', async () => {
    const refused = { code: 'NotWritable' };
    const own = join(temporaryFolder('writable'), 'file');
    writeFileSync(own, 'x');
    mkdirSync(`${own}s`);
    await expect(files.write(`${CLOSED}/a`, 'x')).rejects.toMatchObject(refused);
    await expect(files.writeOnce(`${CLOSED}/a/b`, 'x')).rejects.toMatchObject(refused);
    await expect(files.makeFolder(`${CLOSED}/a/b`)).rejects.toMatchObject(refused);
    await expect(files.copy(own, `${CLOSED}/a`)).rejects.toMatchObject(refused);
    await expect(files.rename(own, `${CLOSED}/a`)).rejects.toMatchObject(refused);
  });
});
