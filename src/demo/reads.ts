import { seededRandom } from '../domain/seeded-random.js';
import type { Transcript } from './transcriptome.js';

/** Reads of one sample and what they were drawn from. */
export interface SimulatedReads {
  readonly fastq1: string;
  readonly fastq2: string;
  /** Fragments drawn from each transcript, in the order of the transcriptome. */
  readonly fragments: readonly number[];
}

const READ_LENGTH = 75;
const FRAGMENT_MEAN = 200;
const FRAGMENT_SD = 20;
const ERROR_RATE = 0.002;
const COMPLEMENT: Readonly<Record<string, string>> = { A: 'T', C: 'G', G: 'C', T: 'A' };
const QUALITY = 'I'.repeat(READ_LENGTH);

function reverseComplement(sequence: string): string {
  return Array.from(sequence, (base) => COMPLEMENT[base] ?? 'N')
    .reverse()
    .join('');
}

/**
 * Molecules of each transcript in a sample, in no unit: log-normal over all cases alike, times a factor of this case for
 * every gene, so that cases differ as patients do.
 */
function abundances(transcripts: readonly Transcript[], seed: number): number[] {
  const common = seededRandom(7);
  const base = transcripts.map(() => Math.exp(1.5 * common.normal()));
  const own = seededRandom(seed);
  const perGene = new Map<string, number>();
  return transcripts.map(({ geneId }, index) => {
    const factor = perGene.get(geneId) ?? Math.exp(0.5 * own.normal());
    perGene.set(geneId, factor);
    return (base[index] ?? 0) * factor;
  });
}

/** Index of the first running total above `value`. */
function search(totals: readonly number[], value: number): number {
  let [low, high] = [0, totals.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((totals[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Draws read pairs (2 × 75 bases, unstranded, fragments of 200 ± 20) from a sample's transcripts: a transcript by its
 * abundance times its effective length, a position evenly, a strand by chance; one base in 500 is read wrong.
 */
export function simulateReads(
  transcripts: readonly Transcript[],
  sample: string,
  seed: number,
  pairs: number,
): SimulatedReads {
  const random = seededRandom(seed);
  const amount = abundances(transcripts, seed);
  const totals: number[] = [];
  let total = 0;
  for (const [index, { sequence }] of transcripts.entries()) {
    total += (amount[index] ?? 0) * effectiveLength(sequence.length);
    totals.push(total);
  }
  const misread = (read: string): string =>
    Array.from(read, (base) => (random.uniform() < ERROR_RATE ? random.pick(['A', 'C', 'G', 'T']) : base)).join('');
  const fragments = transcripts.map(() => 0);
  const first: string[] = [];
  const second: string[] = [];
  for (let n = 1; n <= pairs; n += 1) {
    const index = search(totals, random.uniform() * total);
    const sequence = transcripts[index]?.sequence ?? '';
    fragments[index] = (fragments[index] ?? 0) + 1;
    const wanted = Math.round(FRAGMENT_MEAN + FRAGMENT_SD * random.normal());
    const length = Math.min(sequence.length, Math.max(READ_LENGTH, wanted));
    const start = random.below(sequence.length - length + 1);
    const fragment = sequence.slice(start, start + length);
    const ends = [fragment.slice(0, READ_LENGTH), reverseComplement(fragment.slice(-READ_LENGTH))] as const;
    const [one, two] = random.uniform() < 0.5 ? ends : ([ends[1], ends[0]] as const);
    first.push(`@${sample}.${n}/1\n${misread(one)}\n+\n${QUALITY}\n`);
    second.push(`@${sample}.${n}/2\n${misread(two)}\n+\n${QUALITY}\n`);
  }
  return { fastq1: first.join(''), fastq2: second.join(''), fragments };
}

function effectiveLength(length: number): number {
  return Math.max(1, length - FRAGMENT_MEAN + 1);
}

/** What a quantifier would ideally say of these fragments, in the columns of Salmon's `quant.sf`. */
export function idealQuant(transcripts: readonly Transcript[], fragments: readonly number[]): string {
  const rates = transcripts.map(({ sequence }, index) => (fragments[index] ?? 0) / effectiveLength(sequence.length));
  const sum = rates.reduce((total, rate) => total + rate, 0);
  const rows = transcripts.map(({ id, sequence }, index) => {
    const { length } = sequence;
    const tpm = sum === 0 ? 0 : ((rates[index] ?? 0) / sum) * 1e6;
    return [id, length, effectiveLength(length).toFixed(3), tpm.toFixed(6), (fragments[index] ?? 0).toFixed(3)].join(
      '\t',
    );
  });
  return `Name\tLength\tEffectiveLength\tTPM\tNumReads\n${rows.join('\n')}\n`;
}
