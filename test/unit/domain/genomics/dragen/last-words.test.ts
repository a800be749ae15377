import { describe, expect, it } from 'vitest';
import { lastWords } from '../../../../../src/domain/genomics/dragen/last-words.js';

describe('what a program said last', () => {
  it.each([
    ["ERROR: unrecognised option '--alt-aware'", "ERROR: unrecognised option '--alt-aware'"],
    ['ERROR: annotation-file=/data/Meier_Anna/genes.gtf: line 7', 'ERROR: annotation-file=genes.gtf: line 7'],
    ['cannot open s3://reads/MEIER^ANNA_1.fastq.gz', 'cannot open …_1.fastq.gz'],
    ['study 1.2.840.113619.2.55.3 of 12345678', 'study … of …'],
    ['this / that', 'this / that'],
    [`ERROR ${'x'.repeat(300)}`, `ERROR ${'x'.repeat(193)}…`],
    ['', ''],
  ])('is shown without places and people: %s', (said, shown) => {
    expect(lastWords(said, false)).toBe(shown);
  });

  it('is the answer of the service where an object was moved, and nothing else: names may have blanks', () => {
    const answer = 'An error occurred (SlowDown) when calling the GetObject operation';
    const said = `download failed: s3://reads/Anna Meier_1.fastq to ./L1_1.fastq ${answer}: please reduce`;
    expect([lastWords(said, true), lastWords(said, false)]).toEqual([answer, answer]);
    expect(lastWords('download failed: s3://reads/Anna Meier_1.fastq to ./L1_1.fastq', true)).toBe('');
  });
});
