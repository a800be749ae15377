import { describe, expect, it } from 'vitest';
import { checkFastq, checkMates, type FastqFacts } from '../../../../src/domain/genomics/fastq-check.js';

/** Feeds a text in pieces of a few bytes, so that records and line ends are cut anywhere. */
async function* pieces(text: string, size = 7): AsyncIterable<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

const record = (n: number, mate = 1): string => `@read.${n}/${mate}\nACGT\n+\nIIII\n`;
const check = (text: string): Promise<FastqFacts> => checkFastq(pieces(text), 'x_1.fastq');

describe('checkFastq', () => {
  it.each([
    ['a final line end', record(1) + record(2)],
    ['no final line end', (record(1) + record(2)).trimEnd()],
    ['blank lines at the end', `${record(1)}${record(2)}\n\n`],
    ['CRLF', (record(1) + record(2)).replaceAll('\n', '\r\n')],
  ])('counts two records with %s', async (_, text) => {
    expect((await check(text)).records).toBe(2);
  });

  it('counts what it does not look at line by line', async () => {
    const text = Array.from({ length: 3000 }, (_, n) => record(n)).join('');
    expect((await checkFastq(pieces(text, 65_536), 'x')).records).toBe(3000);
  });

  it.each([
    ['', 'EmptyReads', /no read/],
    ['\n\n', 'EmptyReads', /no read/],
    ['@r\nACGT\n+\n', 'DamagedReads', /ends within a record/],
    ['@r\nACGT\n+\nII\n', 'DamagedReads', /record 1: 4 bases but 2 qualities/],
    ['>r\nACGT\nACGT\nACGT\n', 'DamagedReads', /not FASTQ/],
    [`${record(1)}broken\nACGT\n+\nIIII\n`, 'DamagedReads', /record 2/],
  ])('refuses %j', async (text, code, message) => {
    await expect(check(text)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown });
  });

  it('takes the names of mates as equal however they are marked', async () => {
    const facts = async (text: string): Promise<FastqFacts> => check(text);
    for (const [a, b] of [
      ['@r1/1\nA\n+\nI\n', '@r1/2\nC\n+\nI\n'],
      ['@r1 1:N:0\nA\n+\nI\n', '@r1 2:N:0\nC\n+\nI\n'],
      ['@SRR1.1.1 x length=1\nA\n+\nI\n', '@SRR1.1.2 x length=1\nC\n+\nI\n'],
    ] as const) {
      checkMates(await facts(a), await facts(b), ['a', 'b']);
    }
    expect(() => checkMates({ records: 1, firstName: 'r1' }, { records: 1, firstName: 'r2' }, ['a', 'b'])).toThrow(
      /different names/,
    );
  });
});
