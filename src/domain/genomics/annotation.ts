import { CohortflowError } from '../errors.js';

/** Which gene each transcript belongs to. */
export interface Annotation {
  /** Transcript id to gene id, as the file writes both, in the order of the file. */
  readonly genes: ReadonlyMap<string, string>;
}

function gtfAttribute(attributes: string, name: string): string | undefined {
  return new RegExp(`(?:^|[;\\s])${name} "([^"]*)"`).exec(attributes)?.[1];
}

function gffAttribute(attributes: string, name: string): string | undefined {
  return new RegExp(`(?:^|;)\\s*${name}=([^;]*)`).exec(attributes)?.[1];
}

const withoutPrefix = (id: string): string => id.replace(/^(?:transcript|gene|rna|mRNA)[:-]/, '');

/** Transcript and gene of one line of a GTF or GFF3; undefined for lines that name none. */
function pairOfFeature(cells: readonly string[]): readonly [string, string] | undefined {
  const attributes = cells[8] ?? '';
  const transcript = gtfAttribute(attributes, 'transcript_id') ?? gffAttribute(attributes, 'transcript_id');
  const gene = gtfAttribute(attributes, 'gene_id') ?? gffAttribute(attributes, 'gene_id');
  if (transcript !== undefined && transcript !== '' && gene !== undefined && gene !== '') return [transcript, gene];
  // Ensembl's GFF3 gives transcripts as ID and Parent.
  if (!/transcript|mRNA|RNA$|pseudogenic/i.test(cells[2] ?? '')) return undefined;
  const id = gffAttribute(attributes, 'ID');
  const parent = gffAttribute(attributes, 'Parent');
  return id === undefined || parent === undefined ? undefined : [withoutPrefix(id), withoutPrefix(parent)];
}

const TABLE_HEADERS = /^(tx|tx_?id|transcript|transcript_?id|target_?id|name)$/i;

/** Transcript and gene of one row of a two-column table (tab or comma), header skipped. */
function pairOfRow(line: string): readonly [string, string] | undefined {
  const cells = line.includes('\t') ? line.split('\t') : line.split(',');
  const [transcript = '', gene = ''] = cells.map((cell) => cell.trim().replace(/^"|"$/g, ''));
  if (transcript === '' || gene === '' || TABLE_HEADERS.test(transcript)) return undefined;
  return [transcript, gene];
}

/**
 * Reads which transcript belongs to which gene from a GTF, a GFF3 or a table of transcript and gene, line by line (a
 * human GTF is 1.5 GB). The first gene of a transcript counts.
 *
 * @param shown name of the file for messages
 * @throws CohortflowError `DamagedAnnotation`
 */
export async function readAnnotation(lines: AsyncIterable<string>, shown: string): Promise<Annotation> {
  const genes = new Map<string, string>();
  for await (const line of lines) {
    if (line === '' || line.startsWith('#')) continue;
    const cells = line.split('\t');
    const pair = cells.length >= 9 ? pairOfFeature(cells) : pairOfRow(line);
    if (pair !== undefined && !genes.has(pair[0])) genes.set(pair[0], pair[1]);
  }
  if (genes.size === 0)
    throw new CohortflowError('DamagedAnnotation', `${shown}: no line names a transcript and its gene`);
  return { genes };
}

/** The annotation as a table of transcript and gene, tab separated: small, and quick to read once per sample. */
export function formatAnnotation({ genes }: Annotation): string {
  return [...genes].map(([transcript, gene]) => `${transcript}\t${gene}\n`).join('');
}
