import type { Strandedness } from '../../domain/cohort/manifest.js';
import { CohortflowError } from '../../domain/errors.js';
import { libraryType, observedStrandedness } from '../../domain/genomics/library-type.js';
import { parseQuant, type QuantRow } from '../../domain/genomics/quant-table.js';
import type { JsonObject, StepCall } from '../step.js';
import { readToolJson, type SampleReads } from './read-files.js';

/** A successful run of Salmon. */
export interface SalmonRun {
  /** quant.sf as Salmon wrote it. */
  readonly table: string;
  readonly transcripts: readonly QuantRow[];
  readonly mappedPercent: number;
  readonly fragments: number;
  readonly quantifiedFragments: number;
  readonly libraryType: string;
  readonly paired: boolean;
  readonly version: string | null;
  /** First digits of the digest of the sequences in the index. */
  readonly index: string | null;
  readonly warnings: readonly string[];
  /** More facts for quant.json. */
  readonly account: JsonObject;
}

/** Below this share of mapped fragments a sample deserves a look; it is still quantified. */
const LOW_MAPPING_PERCENT = 30;

const asNumber = (value: unknown): number => (typeof value === 'number' ? value : 0);
const asText = (value: unknown): string => (typeof value === 'string' ? value : '');

/** What Salmon says after it has said what is wrong. */
const FAREWELL = /^(?:\]?|Exiting\.?|For usage information.*|.*salmon quant was invoked improperly\.?|.*\[info\].*)$/i;

/** The last thing a log says that is not its time stamp. */
export function lastWords(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const said = lines.filter((line) => !FAREWELL.test(line));
  const line = said.at(-1) ?? lines.findLast((one) => one !== '') ?? '';
  return line
    .replace(/^(\[[^\]]*\]\s*)+/, '')
    .replace(/^Exception : \[(.*?)\]?$/, '$1')
    .slice(0, 300);
}

/** Salmon goes by the name whether a file holds reads, and refuses others; whether it is gzipped it sees for itself. */
const NAMES_OF_READS = /\.(?:fastq|fq|fasta|fa|gz)$/i;

/** The files under names that Salmon takes: one of another name is copied, for a moment, to one that has. */
async function underItsNames<P extends JsonObject>(
  paths: readonly string[],
  mate: number,
  { io, signal }: StepCall<P>,
): Promise<readonly string[]> {
  const named: string[] = [];
  for (const [lane, path] of paths.entries()) {
    if (NAMES_OF_READS.test(path)) named.push(path);
    else {
      const copy = `${io.scratchFolder}/lane-${lane}_${mate}.fastq`;
      await io.files.copy(path, copy, signal);
      named.push(copy);
    }
  }
  return named;
}

/**
 * Quantifies checked reads against an index with Salmon's defaults (selective alignment), all lanes in one run.
 *
 * @throws CohortflowError `NoReadsMapped`, `QuantificationFailed`, `ToolMissing`
 */
export async function runSalmon<P extends JsonObject>(
  reads: SampleReads,
  index: string,
  strandedness: Strandedness,
  threads: number,
  call: StepCall<P>,
): Promise<SalmonRun> {
  const { io, signal } = call;
  const paired = reads.second.length > 0;
  const folder = `${io.scratchFolder}/salmon`;
  const first = await underItsNames(reads.first, 1, call);
  const second = await underItsNames(reads.second, 2, call);
  const files = paired ? ['-1', ...first, '-2', ...second] : ['-r', ...first];
  const args = [
    'quant',
    '-i',
    index,
    '-l',
    libraryType(strandedness, paired),
    ...files,
    '-p',
    String(threads),
    '-o',
    folder,
  ];
  call.progress('quantifying');
  const onLine = (line: string): void => {
    const seen = /processed\D*?([\d,]+)\D*?fragments/i.exec(line)?.[1];
    if (seen !== undefined) call.progress(`quantifying, ${seen} fragments`);
  };
  const { exitCode, stderr } = await io.tools.run('salmon', args, { signal, onLine });
  const meta = await readToolJson(`${folder}/aux_info/meta_info.json`, call);
  const mapped = asNumber(meta?.['num_mapped']);
  const path = `${folder}/quant.sf`;
  const table = (await io.files.stat(path)) === undefined ? undefined : await io.files.readText(path);
  const transcripts = table === undefined ? [] : parseQuant(table, 'quant.sf');
  const allZero = !transcripts.some((row) => row.reads > 0);
  const tooFew = /only able to assign|no.{0,20}mapped|zero.{0,20}mapped/i.test(stderr);
  if ((exitCode !== 0 && tooFew) || (exitCode === 0 && allZero)) {
    const hint = strandedness === 'auto' ? '' : ` (declared ${strandedness}: try auto)`;
    throw new CohortflowError(
      'NoReadsMapped',
      `${mapped} of ${reads.fragments} fragments map to the transcripts${hint}`,
    );
  }
  if (exitCode !== 0 || table === undefined) {
    throw new CohortflowError(
      'QuantificationFailed',
      `salmon quant ended with exit code ${exitCode}: ${lastWords(stderr)}`,
    );
  }
  const counts = (await readToolJson(`${folder}/lib_format_counts.json`, call)) ?? {};
  const mappedPercent = asNumber(meta?.['percent_mapped']);
  const observed = observedStrandedness(counts);
  const warnings: string[] = [];
  if (mappedPercent < LOW_MAPPING_PERCENT) warnings.push('LowMapping');
  const compatible = asNumber(counts['compatible_fragment_ratio']);
  const disagrees = strandedness !== 'auto' && observed !== undefined && observed !== strandedness;
  if (disagrees || (strandedness !== 'auto' && compatible < 0.7)) warnings.push('StrandednessDisagrees');
  return {
    table,
    transcripts,
    mappedPercent,
    fragments: asNumber(meta?.['num_processed']) || reads.fragments,
    quantifiedFragments: mapped,
    libraryType: asText(counts['expected_format']),
    paired,
    version: asText(meta?.['salmon_version']) || null,
    index: asText(meta?.['index_seq_hash']).slice(0, 16) || null,
    warnings,
    account: {
      declaredStrandedness: strandedness,
      observedStrandedness: observed ?? null,
      compatibleFragmentRatio: compatible,
      paired,
      lanes: reads.first.length,
    },
  };
}
