import { CohortflowError } from '../errors.js';
import type { Annotation } from './annotation.js';
import type { QuantRow } from './quant-table.js';

/** Genes of a sample, and how its transcripts were matched. */
export interface GeneSums {
  /** A row per gene, in the order the annotation first names them; genes without a quantified transcript have none. */
  readonly genes: readonly QuantRow[];
  /** Transcripts matched only after the version was taken off both sides. */
  readonly matchedWithoutVersion: number;
  /** Transcripts the annotation does not have; each stands as a gene of its own id. */
  readonly withoutGene: number;
}

/** `ENST…|ENSG…|…` headers carry the transcript first. */
const transcriptOf = (name: string): string => name.split('|', 1)[0]!;

/** An id without its version; the pseudo-autosomal mark of Gencode stays, since it tells two genes apart. */
export function withoutVersion(id: string): string {
  return id.replace(/\.\d+(_PAR_Y)?$/, '$1');
}

/** Transcript ids without version to genes; an id whose versions belong to different genes is left out as ambiguous. */
function unversioned(annotation: Annotation): ReadonlyMap<string, string> {
  const genes = new Map<string, string>();
  const ambiguous = new Set<string>();
  for (const [transcript, gene] of annotation.genes) {
    const id = withoutVersion(transcript);
    const known = genes.get(id);
    if (known !== undefined && known !== gene) ambiguous.add(id);
    genes.set(id, gene);
  }
  for (const id of ambiguous) genes.delete(id);
  return genes;
}

interface Sum {
  length: number;
  effective: number;
  weightedLength: number;
  weightedEffective: number;
  tpm: number;
  reads: number;
  transcripts: number;
}

/**
 * Sums transcripts by the annotation's gene: TPM and reads are added; lengths are means weighted by TPM (plain means where
 * nothing is expressed), as Salmon's own gene table has them.
 *
 * Matching: a transcript id exactly as written; else without version on both sides, where that is unambiguous; else the
 * transcript stands for itself and is counted. Genes are keyed by gene id, so two genes that share a name stay apart.
 *
 * @throws CohortflowError `TranscriptsNotInAnnotation` when nothing matches
 */
export function sumByGene(transcripts: readonly QuantRow[], annotation: Annotation): GeneSums {
  let loose: ReadonlyMap<string, string> | undefined;
  let matchedWithoutVersion = 0;
  let withoutGene = 0;
  const sums = new Map<string, Sum>();
  for (const row of transcripts) {
    const id = transcriptOf(row.name);
    let gene = annotation.genes.get(id);
    if (gene === undefined) {
      loose ??= unversioned(annotation);
      gene = loose.get(withoutVersion(id));
      if (gene === undefined) withoutGene += 1;
      else matchedWithoutVersion += 1;
    }
    const key = gene ?? id;
    const sum = sums.get(key) ?? {
      length: 0,
      effective: 0,
      weightedLength: 0,
      weightedEffective: 0,
      tpm: 0,
      reads: 0,
      transcripts: 0,
    };
    sum.length += row.length;
    sum.effective += row.effectiveLength;
    sum.weightedLength += row.length * row.tpm;
    sum.weightedEffective += row.effectiveLength * row.tpm;
    sum.tpm += row.tpm;
    sum.reads += row.reads;
    sum.transcripts += 1;
    sums.set(key, sum);
  }
  if (withoutGene === transcripts.length) {
    throw new CohortflowError(
      'TranscriptsNotInAnnotation',
      `none of the ${transcripts.length} quantified transcripts is in the annotation`,
    );
  }
  const order = new Set([...annotation.genes.values()].filter((gene) => sums.has(gene)));
  for (const key of sums.keys()) order.add(key);
  const genes = [...order].map((name): QuantRow => {
    const sum = sums.get(name)!;
    const expressed = sum.tpm > 0;
    return {
      name,
      length: expressed ? sum.weightedLength / sum.tpm : sum.length / sum.transcripts,
      effectiveLength: expressed ? sum.weightedEffective / sum.tpm : sum.effective / sum.transcripts,
      tpm: sum.tpm,
      reads: sum.reads,
    };
  });
  return { genes, matchedWithoutVersion, withoutGene };
}
