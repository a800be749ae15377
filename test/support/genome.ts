import { readFileSync } from 'node:fs';

const COMPLEMENT: Readonly<Record<string, string>> = { A: 'T', C: 'G', G: 'C', T: 'A' };

const reverseComplement = (sequence: string): string =>
  [...sequence]
    .reverse()
    .map((base) => COMPLEMENT[base] ?? 'N')
    .join('');

/** Sequences by id: the head up to the first space or bar. */
function sequencesOf(fasta: string): ReadonlyMap<string, string> {
  const records = fasta.split(/^>/m).slice(1);
  return new Map(
    records.map((record) => {
      const [head = '', ...lines] = record.split(/\r?\n/);
      return [/^[^\s|]*/.exec(head)?.[0] ?? '', lines.join('').toUpperCase()];
    }),
  );
}

/**
 * A genome (FASTA) from which an annotation cuts exactly the given transcripts; bases that none of them has are N.
 *
 * @param transcripts path of a FASTA file
 * @param annotation path of a GTF file with exons
 * @throws Error when two transcripts want another base in one place
 */
export function genomeOf(transcripts: string, annotation: string): string {
  const sequences = sequencesOf(readFileSync(transcripts, 'utf8'));
  const exons = new Map<string, { chromosome: string; strand: string; ranges: [number, number][] }>();
  for (const line of readFileSync(annotation, 'utf8').split(/\r?\n/)) {
    const [chromosome = '', , kind, start, end, , strand = '+', , attributes = ''] = line.split('\t');
    const [, id] = /transcript_id "([^"]+)"/.exec(attributes) ?? [];
    if (kind !== 'exon' || id === undefined) continue;
    const known = exons.get(id) ?? { chromosome, strand, ranges: [] };
    known.ranges.push([Number(start), Number(end)]);
    exons.set(id, known);
  }
  const chromosomes = new Map<string, Buffer>();
  for (const { chromosome, ranges } of exons.values()) {
    const length = Math.max(...ranges.map(([, end]) => end), chromosomes.get(chromosome)?.length ?? 0);
    chromosomes.set(chromosome, Buffer.alloc(length, 'N'));
  }
  for (const [id, { chromosome, strand, ranges }] of exons) {
    const given = sequences.get(id) ?? '';
    const sequence = strand === '-' ? reverseComplement(given) : given;
    const bases = chromosomes.get(chromosome)!;
    let at = 0;
    for (const [start, end] of ranges.sort(([a], [b]) => a - b)) {
      for (let position = start; position <= end; position += 1, at += 1) {
        const [before, now] = [String.fromCharCode(bases[position - 1]!), sequence[at] ?? 'N'];
        if (before !== 'N' && before !== now) throw new Error(`${id} wants another base at ${chromosome}:${position}`);
        bases.write(now, position - 1);
      }
    }
  }
  return [...chromosomes].map(([name, bases]) => `>${name}\n${bases.toString()}\n`).join('');
}
