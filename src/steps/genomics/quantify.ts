import type { Strandedness } from '../../domain/cohort/manifest.js';
import { shownName } from '../../domain/dicom/shown-name.js';
import { CohortflowError } from '../../domain/errors.js';
import { readAnnotation } from '../../domain/genomics/annotation.js';
import { sumByGene } from '../../domain/genomics/gene-sums.js';
import { formatQuant, isGeneTable, parseQuant, type QuantRow } from '../../domain/genomics/quant-table.js';
import { NO_QUALITY, type SampleQuality } from '../../domain/genomics/sample-quality.js';
import type { Step, StepCall } from '../step.js';
import { baseName } from '../file-names.js';
import { dragenBeside } from './dragen-beside.js';
import { runSalmon, type SalmonRun } from './salmon.js';
import { checkReads, unpackArchives } from './read-files.js';

/** Parameters of `genomics.quantify`. */
export type QuantifyParams = {
  readonly strandedness?: string;
  /** Threads of Salmon; 2. */
  readonly threads?: number;
};

export type QuantifySummary = {
  readonly genes: number;
  readonly mappedPercent: number | null;
  readonly fragments: number | null;
  readonly libraryType: string | null;
  /** What quantified the reads; null of a finished table that does not say. */
  readonly program: string | null;
  readonly version: string | null;
  readonly warnings: readonly string[];
};

const STRANDS: readonly Strandedness[] = ['auto', 'forward', 'reverse', 'unstranded'];

function strandednessOf({ strandedness = 'auto' }: QuantifyParams): Strandedness {
  const found = STRANDS.find((name) => name === strandedness);
  if (found !== undefined) return found;
  throw new CohortflowError('InvalidInput', `strandedness must be one of ${STRANDS.join(', ')}`);
}

interface Genes {
  readonly rows: readonly QuantRow[];
  readonly account: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
}

function annotationMissing(): CohortflowError {
  return new CohortflowError('InvalidInput', 'annotation is needed to sum transcripts by gene');
}

async function genesOf(transcripts: readonly QuantRow[], call: StepCall<QuantifyParams>): Promise<Genes> {
  const [path] = call.inputs['annotation'] ?? [];
  if (path === undefined) throw annotationMissing();
  const annotation = await readAnnotation(call.io.files.lines(path, call.signal), baseName(path));
  const { genes, withoutGene, matchedWithoutVersion } = sumByGene(transcripts, annotation);
  return {
    rows: genes,
    account: { transcripts: transcripts.length, transcriptsWithoutGene: withoutGene, matchedWithoutVersion },
    warnings: withoutGene > 0 ? ['TranscriptsWithoutGene'] : [],
  };
}

/** Quantifies the reads of a sample: unpack, check, map. */
async function fromReads(call: StepCall<QuantifyParams>): Promise<SalmonRun> {
  const { inputs } = call;
  const archives = inputs['sra'] ?? [];
  const named =
    archives.length > 0
      ? await unpackArchives(archives, call)
      : { first: inputs['fastq1'] ?? [], second: inputs['fastq2'] ?? [] };
  if (named.first.length === 0)
    throw new CohortflowError('InvalidInput', 'genomics.quantify needs fastq1, sra or quant');
  // Said before the reads are mapped, not after.
  if (inputs['annotation'] === undefined) throw annotationMissing();
  const [index] = inputs['index'] ?? [];
  if (index === undefined) throw new CohortflowError('InvalidInput', 'genomics.quantify needs the input index');
  const reads = await checkReads(named.first, named.second, call);
  return runSalmon(reads, index, strandednessOf(call.params), call.params.threads ?? 2, call);
}

/** A finished table: of genes as it is, of transcripts summed by the annotation. */
async function fromTable(
  path: string,
  call: StepCall<QuantifyParams>,
): Promise<{ transcripts?: readonly QuantRow[]; genes: Genes }> {
  const rows = parseQuant(new TextDecoder().decode(await call.io.files.readGzip(path, call.signal)), shownName(path));
  if (isGeneTable(baseName(path))) return { genes: { rows, account: {}, warnings: [] } };
  return { transcripts: rows, genes: await genesOf(rows, call) };
}

/** How a sample went that was quantified here. */
function qualityOfSalmon(run: SalmonRun): Partial<SampleQuality> {
  const { fragments, mappedPercent, quantifiedFragments, libraryType, version, index, paired } = run;
  const reads = paired ? 2 * fragments : fragments;
  return { reads, fragments, mappedPercent, quantifiedFragments, libraryType, program: 'Salmon', version, index };
}

/**
 * Quantifies one sample into `quant.sf` (transcripts), `quant.genes.sf` (genes) and `quant.json` (how it went).
 *
 * Inputs: `fastq1`/`fastq2` (lanes, quantified together), or `sra` (archives or accessions), with `index`; or `quant`, a
 * finished quant.sf or quant.genes.sf, with `metrics`, DRAGEN's tables of how it made them; and `annotation` wherever
 * transcripts are summed.
 *
 * Throws the genomics failures of the catalogue. What Salmon leaves behind is never judged by its existence: with no read
 * mapped it writes an all-zero table and exits 1.
 */
export const quantifyStep: Step<QuantifyParams, QuantifySummary> = {
  name: 'genomics.quantify',
  version: 2,
  async run(call) {
    const { io, inputs } = call;
    const write = (name: string, text: string): Promise<void> => io.files.write(`${io.outputFolder}/${name}`, text);
    const [table] = inputs['quant'] ?? [];
    const given = table === undefined ? undefined : await fromTable(table, call);
    const run = given === undefined ? await fromReads(call) : undefined;
    const dragen = await dragenBeside(call);
    const transcripts = run?.transcripts ?? given?.transcripts;
    const genes = given?.genes ?? (await genesOf(run?.transcripts ?? [], call));
    if (transcripts !== undefined) await write('quant.sf', run?.table ?? formatQuant(transcripts));
    await write('quant.genes.sf', formatQuant(genes.rows));
    const quality: SampleQuality = {
      ...NO_QUALITY,
      ...(run === undefined ? {} : qualityOfSalmon(run)),
      ...dragen?.quality,
      quantifiedTranscripts: transcripts?.filter(({ reads }) => reads > 0).length ?? null,
      genes: genes.rows.length,
    };
    const { mappedPercent, fragments, libraryType, program, version } = quality;
    const warnings = [...(run?.warnings ?? []), ...(dragen?.warnings ?? []), ...genes.warnings];
    const account = {
      source: run !== undefined ? 'reads' : dragen === undefined ? 'table' : 'dragen',
      ...quality,
      warnings,
      ...genes.account,
      ...run?.account,
      ...dragen?.account,
    };
    await write('quant.json', `${JSON.stringify(account, null, 1)}\n`);
    return { genes: genes.rows.length, mappedPercent, fragments, libraryType, program, version, warnings };
  },
};
