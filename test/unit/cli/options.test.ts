import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { absolute, existing, existingFile, readGiven, refuseFileAsFolder } from '../../../src/cli/options.js';

describe('a path that an option gives', () => {
  it('is absolute afterwards; URIs stay', () => {
    expect(absolute('results')).toBe(resolve('results'));
    expect(absolute('s3://bucket/x')).toBe('s3://bucket/x');
    expect(absolute('file:///data/x')).toBe('file:///data/x');
  });

  it.each([
    's3:/bucket/x',
    's3:bucket/x',
    'S3://bucket/x',
    'S3:/bucket/x',
    's3:///x',
    's3://Bucket/x',
    'gs://bucket/x',
  ])('is refused where it was meant for S3 and would be a folder here: %s', (path) => {
    const refused = expect.objectContaining({ code: 'InvalidInput', message: expect.stringContaining('s3://') });
    expect(() => absolute(path)).toThrow(refused);
    expect(() => existing(path, '--cohort')).toThrow(refused);
  });

  it('may still name a folder that is called so', () => {
    expect(absolute('./s3:/x')).toBe(resolve('s3:/x'));
  });
});

describe('a file or a folder that is the other', () => {
  it('is refused where a file is wanted', async () => {
    const refused = { code: 'InvalidInput', message: '--cohort src: is a folder, a file is wanted' };
    expect(() => existingFile('src', '--cohort')).toThrow(expect.objectContaining(refused));
    await expect(readGiven('src', '--cohort')).rejects.toMatchObject(refused);
    expect(existingFile('package.json', '--cohort')).toBe(resolve('package.json'));
  });

  it('is refused as a folder for results, also further up', () => {
    const file = resolve('package.json');
    const refused = { code: 'InvalidInput', message: `--output: ${file} is a file, a folder is wanted` };
    for (const path of [file, `${file}/deep/results`]) {
      expect(() => refuseFileAsFolder(path)).toThrow(expect.objectContaining(refused));
    }
    for (const path of [resolve('src'), resolve('no/such/folder'), '/', 's3://bucket/x']) refuseFileAsFolder(path);
  });
});
