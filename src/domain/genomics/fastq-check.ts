import { CohortflowError } from '../errors.js';

/** What a pass over a FASTQ stream found. */
export interface FastqFacts {
  readonly records: number;
  /** Names of the first reads without their mate marks; for comparing mates, never shown. */
  readonly names: readonly string[];
  /** Which mate the first read says it is. */
  readonly mate?: 1 | 2;
  /** Both mates of each fragment stand one after the other in this file. */
  readonly interleaved: boolean;
}

/** Records whose four lines are looked at one by one; of the rest, lines are counted. */
const CHECKED_RECORDS = 1_000;
const NEWLINE = 10;

/** A read's name without what tells mates apart: `/1`, a second word, `.1` of fastq-dump. */
function mateName(header: string): string {
  return header
    .slice(1)
    .split(/\s/, 1)[0]!
    .replace(/(\/[12]|\.[12])$/, '');
}

/** The mate that a header names without doubt: `/1`, or `1:N:0` of Illumina. `.1` may be the number of a spot. */
function mateOf(header: string): 1 | 2 | undefined {
  const mark = /^\S*\/([12])(?:\s|$)/.exec(header) ?? /^\S+\s([12]):[YN]:\d/.exec(header);
  return mark === null ? undefined : mark[1] === '1' ? 1 : 2;
}

function checkRecord(lines: readonly string[], record: number, shown: string): void {
  const [header = '', sequence = '', plus = '', quality = ''] = lines;
  const where = `${shown}, record ${record + 1}`;
  if (!header.startsWith('@') || !plus.startsWith('+')) {
    throw new CohortflowError('DamagedReads', `${where}: not FASTQ (lines starting with @ and + are wanted)`);
  }
  if (sequence.length !== quality.length) {
    throw new CohortflowError('DamagedReads', `${where}: ${sequence.length} bases but ${quality.length} qualities`);
  }
}

/**
 * Reads a whole FASTQ stream once: checks the first records line by line and that the last one is whole, and counts them.
 * Counting the rest by line ends keeps the cost near that of unpacking.
 *
 * @throws CohortflowError `DamagedReads`, `EmptyReads` naming the file and record
 */
export async function checkFastq(chunks: AsyncIterable<Uint8Array>, shown: string): Promise<FastqFacts> {
  const decoder = new TextDecoder('latin1');
  let lines = 0;
  let head = '';
  let headLines: string[] = [];
  let last: Uint8Array | undefined;
  let trailingBlank = 0;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    last = chunk;
    if (headLines.length < 4 * CHECKED_RECORDS) {
      const parts = (head + decoder.decode(chunk)).split('\n');
      head = parts.pop() ?? '';
      headLines = headLines.concat(parts.slice(0, 4 * CHECKED_RECORDS - headLines.length));
    }
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) lines += 1;
  }
  if (last === undefined) throw new CohortflowError('EmptyReads', `${shown} holds no read`);
  if (headLines.length < 4 * CHECKED_RECORDS && head !== '') headLines.push(head);
  if (last.at(-1) !== NEWLINE) lines += 1;
  else while (last.at(-2 - trailingBlank) === NEWLINE) trailingBlank += 1;
  lines -= trailingBlank;
  const clean = headLines.map((line) => line.replace(/\r$/, ''));
  while (clean.at(-1) === '' && clean.length > lines) clean.pop();
  if (lines <= 0 || clean.every((line) => line === ''))
    throw new CohortflowError('EmptyReads', `${shown} holds no read`);
  const names: string[] = [];
  for (let record = 0; 4 * (record + 1) <= Math.min(clean.length, lines); record += 1) {
    checkRecord(clean.slice(4 * record, 4 * record + 4), record, shown);
    names.push(mateName(clean[4 * record]!));
  }
  if (names.length === 0 && !(clean[0] ?? '').startsWith('@')) {
    throw new CohortflowError('DamagedReads', `${shown}: not FASTQ`);
  }
  if (lines % 4 !== 0) {
    throw new CohortflowError('DamagedReads', `${shown} ends within a record (${lines} lines): it is cut off`);
  }
  const mate = mateOf(clean[0] ?? '');
  const interleaved = names[0] === names[1] && mate === 1 && mateOf(clean[4] ?? '') === 2;
  return { records: lines / 4, names, interleaved, ...(mate === undefined ? {} : { mate }) };
}

/**
 * Compares the two files of a pair.
 *
 * @throws CohortflowError `UnpairedReads` naming both files and their counts
 */
export function checkMates(first: FastqFacts, second: FastqFacts, shown: readonly [string, string]): void {
  if (first.records !== second.records) {
    const counts = `${shown[0]} has ${first.records} reads, ${shown[1]} has ${second.records}`;
    throw new CohortflowError('UnpairedReads', counts, { records: [first.records, second.records] });
  }
  if (first.mate === second.mate ? first.mate !== undefined : first.mate === 2 || second.mate === 1) {
    const what = first.mate === second.mate ? 'hold the same mate' : 'are swapped';
    throw new CohortflowError('UnpairedReads', `${shown[0]} and ${shown[1]} ${what}, by the names of their reads`);
  }
  // A mapper takes the n-th reads of both files for one fragment, whatever they are called.
  const other = first.names.findIndex((name, at) => name !== second.names[at]);
  if (other >= 0) {
    const message = `record ${other + 1} of ${shown[0]} and of ${shown[1]} have different names: the files are not in one order`;
    throw new CohortflowError('UnpairedReads', message, { record: other + 1 });
  }
}

/**
 * A file of single reads holds no pairs: quantified one by one they would count twice.
 *
 * @throws CohortflowError `UnpairedReads`
 */
export function checkSingle({ interleaved }: FastqFacts, shown: string): void {
  if (!interleaved) return;
  throw new CohortflowError(
    'UnpairedReads',
    `${shown} holds both mates of each fragment (interleaved): split it in two`,
  );
}
