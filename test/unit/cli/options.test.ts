import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { absolute, existing } from '../../../src/cli/options.js';

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
