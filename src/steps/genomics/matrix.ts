import { csvLine } from '../../domain/csv/index.js';
import { CohortflowError } from '../../domain/errors.js';
import { parseQuant } from '../../domain/genomics/quant-table.js';
import { QUALITY_COLUMNS, qualityOf } from '../../domain/genomics/sample-quality.js';
import type { Step, StepCall } from '../step.js';
import { baseName } from '../file-names.js';

type Quality = Readonly<Record<string, unknown>>;

const QUALITY_NAMES = Object.keys(QUALITY_COLUMNS) as readonly (keyof typeof QUALITY_COLUMNS)[];

export type MatrixSummary = { readonly rows: number; readonly columns: number };

interface Sample {
  readonly caseId: string;
  readonly part: string;
  readonly genes: string;
  /** `quant.json`: how it went. */
  readonly account: string | undefined;
}

async function samplesOf(call: StepCall<Record<string, never>>): Promise<Sample[]> {
  const [list] = call.inputs['samples'] ?? [];
  if (list === undefined) throw new CohortflowError('InvalidInput', 'genomics.matrix needs the input samples');
  const samples: Sample[] = [];
  for await (const line of call.io.files.lines(list, call.signal)) {
    if (line === '') continue;
    const { caseId, part, outputs } = JSON.parse(line) as { caseId: string; part: string; outputs: { path: string }[] };
    const genes = outputs.find(({ path }) => path.endsWith('/quant.genes.sf'));
    const account = outputs.find(({ path }) => path.endsWith('/quant.json'));
    if (genes !== undefined) samples.push({ caseId, part, genes: genes.path, account: account?.path });
  }
  if (samples.length === 0) throw new CohortflowError('InvalidInput', 'no sample was quantified');
  return samples;
}

/** Gene ids of all samples, in code unit order: the columns, whatever order samples finished in. */
async function geneIds(samples: readonly Sample[], call: StepCall<Record<string, never>>): Promise<string[]> {
  const ids = new Set<string>();
  for (const { genes } of samples) {
    call.signal.throwIfAborted();
    for (const { name } of parseQuant(await call.io.files.readText(genes), baseName(genes))) ids.add(name);
  }
  return [...ids].sort();
}

/** How each sample went, and what of it deserves a look. */
async function qualityRow({ caseId, part, account }: Sample, call: StepCall<Record<string, never>>): Promise<string> {
  const document =
    account === undefined ? {} : (JSON.parse(await call.io.files.readText(account, call.signal)) as Quality);
  const quality = qualityOf(document);
  const cells = QUALITY_NAMES.map((name) => String(quality[name] ?? ''));
  const { warnings } = document;
  return `${csvLine([caseId, part, ...cells, Array.isArray(warnings) ? warnings.join(' ') : ''])}\n`;
}

/** A CSV cell; ids with a comma, a quote or a line end are quoted. */
function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Joins the gene tables of all samples into `expression-tpm.csv` and `expression-counts.csv`: a row per case (and
 * `sample_id` where a case has several), in the order of the list; a column per gene id. A gene that a sample's table does
 * not have is empty. One sample is held at a time. `quality.csv` has how each of them went, a row per sample.
 *
 * Input: `samples`, JSON lines of finished samples (`{caseId, part, outputs: [{path}]}`).
 */
export const matrixStep: Step<Record<string, never>, MatrixSummary> = {
  name: 'genomics.matrix',
  version: 2,
  async run(call) {
    const { io, signal } = call;
    const samples = await samplesOf(call);
    const ids = await geneIds(samples, call);
    const several = samples.some(({ part }) => part !== '');
    const head = [...(several ? ['case_id', 'sample_id'] : ['case_id']), ...ids.map(cell)].join(',');
    for (const [file, value] of [
      ['expression-tpm.csv', 'tpm'],
      ['expression-counts.csv', 'reads'],
    ] as const) {
      const rows = async function* (): AsyncIterable<string> {
        yield `${head}\n`;
        for (const { caseId, part, genes } of samples) {
          signal.throwIfAborted();
          const table = parseQuant(await io.files.readText(genes), baseName(genes));
          const values = new Map(table.map((row) => [row.name, row[value]]));
          const cells = ids.map((id) => String(values.get(id) ?? ''));
          yield `${[...(several ? [cell(caseId), cell(part)] : [cell(caseId)]), ...cells].join(',')}\n`;
        }
      };
      call.progress(`writing ${file}`);
      await io.files.write(`${io.outputFolder}/${file}`, rows());
    }
    const quality = async function* (): AsyncIterable<string> {
      yield `${csvLine(['case_id', 'sample_id', ...Object.values(QUALITY_COLUMNS), 'warnings'])}\n`;
      for (const sample of samples) yield await qualityRow(sample, call);
    };
    await io.files.write(`${io.outputFolder}/quality.csv`, quality());
    return { rows: samples.length, columns: ids.length };
  },
};
