import type { IndexedCase, IndexedUnit } from '../../contracts/case-index.js';
import { CohortflowError } from '../../domain/errors.js';
import { Spread, genePanel, type PanelChoice } from '../../domain/feature-table/gene-panel.js';
import type { ColumnSpec } from '../../ports/table-engine.js';
import type { Step, StepCall } from '../step.js';
import { readRows, type Cell } from './csv-rows.js';
import { readFeatures } from './feature-files.js';
import { isNumeric, writeTable } from './table-writer.js';

/** Parameters of `dataset.join`. */
export type DatasetParams = {
  /** `sheet`: exactly the sheet's cases; `union`: those and the clinical table's. Without a sheet: the clinical ones. */
  readonly population?: string;
  /** How many genes, or which ids. */
  readonly genes?: PanelChoice;
  /** Set when the clinical table failed as a whole: the code every case then has as its clinical reason. */
  readonly clinicalFailure?: string;
};

export type DatasetSummary = { readonly rows: number; readonly columns: number };

type Call = StepCall<DatasetParams>;

/** Rows of a table by case. */
interface CaseTable {
  readonly columns: readonly ColumnSpec[];
  readonly rows: ReadonlyMap<string, readonly string[]>;
}

const NOTHING: CaseTable = { columns: [], rows: new Map() };

async function readCaseTable(path: string | undefined, idColumns: readonly string[], call: Call): Promise<CaseTable> {
  if (path === undefined) return NOTHING;
  let header: string[] | undefined;
  let id = 0;
  let numeric: boolean[] = [];
  const rows = new Map<string, string[]>();
  for await (const cells of readRows(call.io.files, path, call.signal)) {
    if (header === undefined) {
      header = cells;
      id = Math.max(0, ...idColumns.map((name) => cells.indexOf(name)));
      numeric = cells.map(() => true);
      continue;
    }
    cells.forEach((cell, at) => {
      if (numeric[at] === true && !isNumeric(cell)) numeric[at] = false;
    });
    // Of several samples of a case the first counts, as for studies.
    if (!rows.has(cells[id]!)) rows.set(cells[id]!, cells);
  }
  const keep = (header ?? []).map((_, at) => at).filter((at) => at !== id && header![at] !== 'sample_id');
  return {
    columns: keep.map((at) => ({ name: header![at]!, type: numeric[at] === true ? 'number' : 'text' })),
    rows: new Map([...rows].map(([key, cells]) => [key, keep.map((at) => cells[at] ?? '')])),
  };
}

/** The genes that go into the data set. */
function panelOf(expression: CaseTable, choice: PanelChoice | undefined): CaseTable {
  const spreads = expression.columns.map(() => new Spread());
  for (const cells of expression.rows.values()) {
    cells.forEach((cell, at) => cell !== '' && spreads[at]!.add(Math.log2(Number(cell) + 1)));
  }
  const ids = expression.columns.map(({ name }) => name);
  const taken = genePanel(ids, spreads, choice);
  return {
    columns: taken.map((at) => expression.columns[at]!),
    rows: new Map([...expression.rows].map(([id, cells]) => [id, taken.map((at) => cells[at]!)])),
  };
}

/** The study or sample that stands for a case: the latest date, else the first of the sheet, among those that are done. */
function chosen(units: readonly IndexedUnit[]): IndexedUnit | undefined {
  const usable = units.filter((unit) => unit.files.length > 0);
  return usable.reduce<IndexedUnit | undefined>(
    (best, unit) => (best === undefined || (unit.date ?? '') > (best.date ?? '') ? unit : best),
    undefined,
  );
}

/** Status and reason of a modality in one case. */
function statusOf(units: readonly IndexedUnit[]): readonly [string, string] {
  if (units.length === 0) return ['absent', 'NotInSheet'];
  const unit = chosen(units) ?? units.find(({ status }) => status === 'failed') ?? units[0]!;
  const status = unit.files.length > 0 ? 'done' : unit.status;
  const more = units.length > 1 ? `${units.length} in the sheet, this is ${unit.part}` : '';
  return [status, [unit.code, more].filter((text) => text !== '').join('; ')];
}

async function readDropped(path: string | undefined, call: Call): Promise<Map<string, string>> {
  const reasons = new Map<string, string>();
  if (path === undefined) return reasons;
  let header: string[] | undefined;
  for await (const cells of readRows(call.io.files, path, call.signal)) {
    if (header === undefined) header = cells;
    else reasons.set(cells[header.indexOf('case_id')] ?? '', cells[header.indexOf('reason')] ?? '');
  }
  return reasons;
}

async function readCases(path: string | undefined, call: Call): Promise<IndexedCase[]> {
  const cases: IndexedCase[] = [];
  if (path === undefined) return cases;
  for await (const line of call.io.files.lines(path, call.signal))
    if (line !== '') cases.push(JSON.parse(line) as IndexedCase);
  return cases;
}

/** Column names that cannot collide: the first of a name keeps it, a later one gets its modality in front. */
function uniqueNames(parts: readonly (readonly [string, readonly ColumnSpec[]])[]): ColumnSpec[] {
  const taken = new Set<string>();
  return parts.flatMap(([part, columns]) =>
    columns.map(({ name, type }) => {
      let unique = name;
      while (taken.has(unique.toLowerCase())) unique = `${part}_${unique}`;
      taken.add(unique.toLowerCase());
      return { name: unique, type };
    }),
  );
}

const text = (name: string): ColumnSpec => ({ name, type: 'text' });
const first = (call: Call, role: string): string | undefined => call.inputs[role]?.[0];

/**
 * Joins all modalities into `dataset.csv` and `dataset.parquet`: exactly one row per case, in sheet order, with a status
 * and a reason per modality; a case that failed or was dropped stays, with nulls.
 *
 * Inputs: `cases` (run/cases.jsonl), and where there are any `clinical` (features.csv), `dropped` (dropped.csv),
 * `expression` (expression-tpm.csv). Throws `GeneNotFound`, `InvalidInput`.
 */
export const joinDatasetStep: Step<DatasetParams, DatasetSummary> = {
  name: 'dataset.join',
  version: 1,
  async run(call) {
    const { params, io } = call;
    const clinical = await readCaseTable(first(call, 'clinical'), ['Case_ID'], call);
    const dropped = await readDropped(first(call, 'dropped'), call);
    const expression = panelOf(await readCaseTable(first(call, 'expression'), ['case_id'], call), params.genes);
    const sheet = await readCases(first(call, 'cases'), call);
    const known = new Set(sheet.map(({ caseId }) => caseId));
    const others = sheet.length === 0 || params.population === 'union' ? [...clinical.rows.keys()] : [];
    const alone = others
      .filter((id) => !known.has(id))
      .map((caseId): IndexedCase => ({ caseId, carried: {}, imaging: [], genomics: [] }));
    const cases = [...sheet, ...alone];
    if (cases.length === 0) throw new CohortflowError('InvalidInput', 'there is no case to join');

    const features = new Set<string>();
    for (const { imaging } of cases) {
      const path = featuresPath(chosen(imaging));
      if (path !== undefined) for (const name of Object.keys(await readFeatures({ path }, call))) features.add(name);
    }
    const carried = [...new Set(cases.flatMap((one) => Object.keys(one.carried)))];
    const names = [...features];
    const columns = uniqueNames([
      ['case', [text('case_id')]],
      [
        'status',
        ['imaging', 'genomics', 'clinical'].flatMap((name) => [text(`${name}_status`), text(`${name}_reason`)]),
      ],
      ['sheet', carried.map(text)],
      ['clinical', clinical.columns],
      ['imaging', names.map((name): ColumnSpec => ({ name, type: 'number' }))],
      ['gene', expression.columns],
    ]);
    const clinicalStatus = (id: string): readonly [string, string] => {
      if (params.clinicalFailure !== undefined) return ['failed', params.clinicalFailure];
      if (clinical.rows.has(id)) return ['done', ''];
      const reason = dropped.get(id);
      if (reason !== undefined) return ['dropped', reason];
      return ['absent', first(call, 'clinical') === undefined ? 'NoClinicalTable' : 'NotInClinicalTable'];
    };
    const nothing = (width: number): null[] => new Array<null>(width).fill(null);
    const rows = async function* (): AsyncIterable<readonly Cell[]> {
      for (const { caseId, carried: own, imaging, genomics } of cases) {
        const path = featuresPath(chosen(imaging));
        const values = path === undefined ? undefined : await readFeatures({ path }, call);
        yield [
          caseId,
          ...statusOf(imaging),
          ...statusOf(genomics),
          ...clinicalStatus(caseId),
          ...carried.map((name) => own[name] ?? null),
          ...(clinical.rows.get(caseId) ?? nothing(clinical.columns.length)),
          ...names.map((name) => values?.[name] ?? null),
          ...(expression.rows.get(caseId) ?? nothing(expression.columns.length)),
        ];
      }
    };
    const targets = { csv: `${io.outputFolder}/dataset.csv`, parquet: `${io.outputFolder}/dataset.parquet` };
    return { rows: await writeTable({ columns, rows }, targets, call), columns: columns.length };
  },
};

function featuresPath(unit: IndexedUnit | undefined): string | undefined {
  return unit?.files.find(({ path }) => path.endsWith('/features.json'))?.path;
}
