import { describe, expect, it } from 'vitest';
import { checkFastq, checkMates, checkSingle, type FastqFacts } from '../../../../src/domain/genomics/fastq-check.js';

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

  it('finds mates in another order, though the first reads and the counts agree', async () => {
    const first = await check([1, 2, 3].map((n) => record(n)).join(''));
    const second = await check([1, 3, 2].map((n) => record(n, 2)).join(''));
    expect(() => checkMates(first, second, ['a', 'b'])).toThrow(
      expect.objectContaining({ code: 'UnpairedReads', message: expect.stringContaining('record 2') as string }),
    );
  });

  it.each([
    ['swapped', 2, 1, /are swapped/],
    ['the same file twice', 1, 1, /the same mate/],
    ['as they should be', 1, 2, undefined],
  ] as const)('looks which mate reads say they are: %s', async (_, one, two, message) => {
    for (const mark of [(mate: number) => `/${mate}`, (mate: number) => ` ${mate}:N:0:ACGT`]) {
      const facts = (mate: number): Promise<FastqFacts> => check(`@r1${mark(mate)}\nA\n+\nI\n`);
      const [first, second] = [await facts(one), await facts(two)];
      const compare = (): void => checkMates(first, second, ['a', 'b']);
      if (message === undefined) compare();
      else expect(compare).toThrow(message);
    }
  });

  it('finds pairs that stand in one file', async () => {
    const single = async (text: string): Promise<void> => checkSingle(await check(text), 'x.fastq');
    await expect(single(record(1) + record(1, 2) + record(2) + record(2, 2))).rejects.toMatchObject({
      code: 'UnpairedReads',
    });
    await single(record(1) + record(2));
    await single(record(1));
    // Spots of fastq-dump without -I: their numbers are no mates.
    await single('@SRR1.1\nA\n+\nI\n@SRR1.2\nA\n+\nI\n');
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
    const [one, two] = [await facts('@r1\nA\n+\nI\n'), await facts('@r2\nA\n+\nI\n')];
    expect(() => checkMates(one, two, ['a', 'b'])).toThrow(/record 1 .*different names/);
  });
});
