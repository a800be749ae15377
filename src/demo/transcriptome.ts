import { seededRandom, type SeededRandom } from '../domain/seeded-random.js';

/** One transcript of the made-up transcriptome. */
export interface Transcript {
  readonly id: string;
  readonly geneId: string;
  readonly geneName: string;
  readonly sequence: string;
}

const GENES = 80;
const LINE = 60;
const BASES = ['A', 'C', 'G', 'T'] as const;

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0');

function randomSequence(random: SeededRandom, length: number): string {
  return Array.from({ length }, () => random.pick(BASES)).join('');
}

/**
 * A transcriptome of 80 genes with one to three isoforms of 500 to 2,000 bases. Isoforms of a gene share their first
 * exons, so that reads are ambiguous between them as real ones are. Ids have GENCODE's form and belong to nobody.
 */
export function demoTranscriptome(): Transcript[] {
  const random = seededRandom(20_251_101);
  return Array.from({ length: GENES }, (_, gene) => {
    const geneId = `ENSG0999${padded(gene + 1, 7)}.1`;
    const shared = randomSequence(random, 300 + random.below(700));
    return Array.from({ length: 1 + random.below(3) }, (_unused, isoform) => ({
      id: `ENST0999${padded(gene * 3 + isoform + 1, 7)}.1`,
      geneId,
      geneName: `DEMO${gene + 1}`,
      sequence: shared + randomSequence(random, 200 + random.below(800)),
    }));
  }).flat();
}

/** The transcripts as FASTA. */
export function transcriptsFasta(transcripts: readonly Transcript[]): string {
  return transcripts
    .map(({ id, sequence }) => `>${id}\n${sequence.replace(new RegExp(`.{1,${LINE}}`, 'g'), '$&\n')}`)
    .join('');
}

/** Which transcript belongs to which gene, as GTF: each gene on a stretch of its own, its isoforms as single exons. */
export function annotationGtf(transcripts: readonly Transcript[]): string {
  const lines = ['##description: synthetic transcriptome of the cohortflow demo'];
  let start = 1_000;
  let gene = '';
  for (const [index, { id, geneId, geneName, sequence }] of transcripts.entries()) {
    const feature = (kind: string, length: number, more: string): string =>
      ['chr1', 'SYNTHETIC', kind, start, start + length - 1, '.', '+', '.', `gene_id "${geneId}";${more}`].join('\t');
    if (geneId !== gene) {
      gene = geneId;
      const longest = Math.max(
        ...transcripts
          .slice(index, index + 3)
          .filter((other) => other.geneId === geneId)
          .map((other) => other.sequence.length),
      );
      start += 5_000;
      lines.push(feature('gene', longest, ` gene_type "protein_coding"; gene_name "${geneName}";`));
    }
    const more = ` transcript_id "${id}"; gene_type "protein_coding"; gene_name "${geneName}";`;
    lines.push(feature('transcript', sequence.length, more), feature('exon', sequence.length, more));
  }
  return `${lines.join('\n')}\n`;
}
