import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { seeded } from './aws/faults.js';

const BASES = 'ACGT';
const COMPLEMENT: Readonly<Record<string, string>> = { A: 'T', C: 'G', G: 'C', T: 'A' };
const READ = 75;

/** A made-up genome with its transcripts and reads, small enough to be quantified in a second. */
export interface SmallTranscriptome {
  /** FASTA of the transcripts, as Salmon is given it. */
  readonly transcripts: string;
  /** FASTA of the genome and its annotation (GTF): cut out by it, the same transcripts. */
  readonly genome: string;
  readonly annotation: string;
  readonly samples: readonly string[];
  /** Sheet whose paths are relative to the folder. */
  readonly sheet: string;
}

/**
 * Writes genes of two exons on both strands of one chromosome, and `samples` samples of pairs; the last of them has two lanes.
 */
export function writeSmallTranscriptome(folder: string, samples: number, pairs = 400): SmallTranscriptome {
  const random = seeded(7);
  const sequence = (length: number): string => Array.from({ length }, () => BASES[Math.floor(random() * 4)]).join('');
  const reversed = (text: string): string =>
    [...text]
      .reverse()
      .map((base) => COMPLEMENT[base])
      .join('');
  const chromosome = sequence(30_000);
  const lines: string[] = [];
  const transcripts = new Map<string, string>();
  for (let gene = 0; gene < 10; gene += 1) {
    const strand = gene % 3 === 0 ? '-' : '+';
    const at = 500 + gene * 2_900;
    const exons = [
      [at, at + 399 + gene * 20],
      [at + 1_200, at + 1_499 + gene * 10],
    ] as const;
    const name = `T${gene}.1`;
    for (const [start, end] of exons) {
      const attributes = `gene_id "G${gene}.2"; transcript_id "${name}"; gene_name "GENE${gene}";`;
      lines.push(['chr1', 'made', 'exon', start, end, '.', strand, '.', attributes].join('\t'));
    }
    const joined = exons.map(([start, end]) => chromosome.slice(start - 1, end)).join('');
    transcripts.set(name, strand === '-' ? reversed(joined) : joined);
  }
  mkdirSync(join(folder, 'reads'), { recursive: true });
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const fasta = [...transcripts].map(([name, bases]) => `>${name}\n${bases}\n`).join('');
  const all = [...transcripts.values()];
  const reads = (lane: string): readonly [string, string] => {
    const mates: [string[], string[]] = [[], []];
    for (let pair = 0; pair < pairs; pair += 1) {
      const from = all[Math.floor(random() ** 2 * all.length)]!;
      const length = 180 + Math.floor(random() * 60);
      const fragment = from.slice(Math.floor(random() * (from.length - length))).slice(0, length);
      [fragment.slice(0, READ), reversed(fragment).slice(0, READ)].forEach((read, mate) => {
        mates[mate]!.push(`@${lane}.${pair}/${mate + 1}\n${read}\n+\n${'I'.repeat(read.length)}\n`);
      });
    }
    return mates.map((mate, at) => {
      const name = `reads/${lane}_${at + 1}.fastq.gz`;
      file(name, gzipSync(mate.join('')));
      return name;
    }) as [string, string];
  };
  const names = Array.from({ length: samples }, (_, at) => `S-${at + 1}`);
  const rows = names.flatMap((name, at) => {
    const lanes = at === samples - 1 ? [`${name}_L1`, `${name}_L2`] : [name];
    return lanes.map((lane) => [name, ...reads(lane)].join(','));
  });
  return {
    transcripts: file('transcripts.fa', fasta),
    genome: file('genome.fa', `>chr1\n${chromosome}\n`),
    annotation: file('annotation.gtf', `${lines.join('\n')}\n`),
    samples: names,
    sheet: file('cohort.csv', ['case_id,fastq_1,fastq_2', ...rows, ''].join('\n')),
  };
}
