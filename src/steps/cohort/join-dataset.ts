import type { IndexedCase, IndexedUnit } from '../../contracts/case-index.js';
import { DEFAULT_ID_NAME } from '../../domain/clinical/spec.js';
import { isoDay } from '../../domain/cohort/iso-day.js';
import { csvLine, scanCsv } from '../../domain/csv/index.js';
import { CohortflowError } from '../../domain/errors.js';
import { Spread, genePanel, type PanelChoice } from '../../domain/feature-table/gene-panel.js';
import type { ColumnSpec } from '../../ports/table-engine.js';
import type { Step, StepCall } from '../step.js';
import { readRows, type Cell } from './csv-rows.js';
import { fillRows, valuesOfTable, type RowToFill } from './feature-files.js';
import { isNumeric, writeTable } from './table-writer.js';

/** Parameters of `dataset.join`. */
export type DatasetParams = {
  /** `sheet`: exactly the sheet's cases; `union`: those and the clinical table's. Without a sheet: the clinical ones. */
  readonly population?: string;
  /** How many genes, or which ids. */
  readonly genes?: PanelChoice;
  /** Set when the clinical table failed as a whole: the code every case then has as its clinical reason. */
  readonly clinicalFailure?: string;
  /** Name of the clinical table's id column; `Case_ID`. */
  readonly clinicalId?: string;
};

export type DatasetSummary = { readonly rows: number; readonly columns: number };

type Call = StepCall<DatasetParams>;

/** Rows of a table by case; each is kept as a line of CSV, which takes a third of the memory of its cells. */
interface CaseTable {
  readonly columns: readonly ColumnSpec[];
  readonly rows: ReadonlyMap<string, string>;
}

const NOTHING: CaseTable = { columns: [], rows: new Map() };

/** What is found out about a table before its rows are used. */
class TableShape {
  header: readonly string[] | undefined;
  /** Position of the case. */
  id = 0;
  #numeric: boolean[] = [];

  constructor(private readonly idColumn: string) {}

  /** False for the header. */
  take(cells: readonly string[]): boolean {
    if (this.header === undefined) {
      this.header = cells;
      this.id = cells.indexOf(this.idColumn);
      // Any other column in its place would join nothing, or the wrong rows, and say nothing.
      if (this.id === -1) throw new CohortflowError('InternalError', `a table to join has no column ${this.idColumn}`);
      this.#numeric = cells.map(() => true);
      return false;
    }
    cells.forEach((cell, at) => {
      if (this.#numeric[at] === true && !isNumeric(cell)) this.#numeric[at] = false;
    });
    return true;
  }

  /** Positions of the columns that are joined. */
  get kept(): number[] {
    const header = this.header ?? [];
    return header.map((_, at) => at).filter((at) => at !== this.id && header[at] !== 'sample_id');
  }

  columns(positions: readonly number[]): ColumnSpec[] {
    return positions.map((at) => ({ name: this.header![at]!, type: this.#numeric[at] === true ? 'number' : 'text' }));
  }
}

async function readCaseTable(path: string | undefined, idColumn: string, call: Call): Promise<CaseTable> {
  if (path === undefined) return NOTHING;
  const shape = new TableShape(idColumn);
  const rows = new Map<string, string>();
  let kept: readonly number[] = [];
  for await (const cells of readRows(call.io.files, path, call.signal)) {
    if (!shape.take(cells)) kept = shape.kept;
    // Of several rows of a case the first counts, as for studies.
    else if (!rows.has(cells[shape.id]!)) rows.set(cells[shape.id]!, csvLine(kept.map((at) => cells[at] ?? '')));
  }
  return { columns: shape.columns(kept), rows };
}

function cellsOf(line: string): readonly string[] {
  if (line === '') return [];
  if (!line.includes('"')) return line.split(',');
  let cells: readonly string[] = [];
  scanCsv(line, (found) => (cells = found), ',');
  return cells;
}

/** The expression matrix, whose rows lie in the order of the cases: taken one case after the other, never held. */
class ExpressionRows {
  #next: readonly string[] | undefined;

  /**
   * @param rows the matrix's rows, its header taken already
   * @param id position of the case
   * @param taken positions of the genes
   */
  constructor(
    readonly columns: readonly ColumnSpec[],
    private readonly rows: AsyncIterator<string[], unknown>,
    private readonly id: number,
    private readonly taken: readonly number[],
  ) {}

  async advance(): Promise<void> {
    const { done, value } = await this.rows.next();
    this.#next = done === true ? undefined : value;
  }

  /** The genes of a case; of several samples the first. Undefined where it has none. */
  async of(caseId: string): Promise<readonly string[] | undefined> {
    let found: readonly string[] | undefined;
    while (this.#next?.[this.id] === caseId) {
      const cells = this.#next;
      found ??= this.taken.map((at) => cells[at] ?? '');
      await this.advance();
    }
    return found;
  }

  /** Throws when a row was left over: it would be missing from its case. */
  end(): void {
    if (this.#next === undefined) return;
    const id = this.#next[this.id] ?? '';
    throw new CohortflowError('InternalError', `the expression of case ${id} is not in the order of the cases`);
  }
}

/** Chooses the genes in one pass over the matrix and reads its rows in a second: it does not fit into memory. */
async function readExpression(path: string | undefined, call: Call): Promise<ExpressionRows | undefined> {
  if (path === undefined) return undefined;
  const { files } = call.io;
  const shape = new TableShape('case_id');
  let kept: readonly number[] = [];
  let spreads: Spread[] = [];
  let last: string | undefined;
  for await (const cells of readRows(files, path, call.signal)) {
    if (!shape.take(cells)) {
      kept = shape.kept;
      spreads = kept.map(() => new Spread());
    } else if (cells[shape.id] !== last) {
      last = cells[shape.id];
      kept.forEach((at, index) => {
        const cell = cells[at] ?? '';
        if (cell !== '') spreads[index]!.add(Math.log2(Number(cell) + 1));
      });
    }
  }
  const ids = shape.columns(kept).map(({ name }) => name);
  const taken = genePanel(ids, spreads, call.params.genes).map((index) => kept[index]!);
  const rows = readRows(files, path, call.signal)[Symbol.asyncIterator]();
  const expression = new ExpressionRows(shape.columns(taken), rows, shape.id, taken);
  // The header, then to the first row.
  await expression.advance();
  await expression.advance();
  return expression;
}

/**
 * The study or sample that stands for a case: the latest date, else the first of the sheet, among those that are done. Dates
 * that are not ISO have no order.
 */
function chosen(units: readonly IndexedUnit[]): IndexedUnit | undefined {
  const usable = units.filter((unit) => unit.files.length > 0);
  const days = usable.map(({ date }) => (date === undefined ? '' : isoDay(date)));
  const ordered = days.every((day) => day !== undefined);
  let best = 0;
  if (ordered) days.forEach((day, at) => (best = day > days[best]! ? at : best));
  return usable[best];
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

/** What the data set says of a case before its tables are joined. */
interface CaseRow {
  readonly caseId: string;
  readonly statuses: readonly string[];
  readonly carried: Readonly<Record<string, string>>;
}

/** @param byKey the features stand in one table under the studies' keys, not in their files */
function rowOf({ caseId, carried, imaging, genomics }: IndexedCase, byKey: boolean): RowToFill<CaseRow> {
  const statuses = [...statusOf(imaging), ...statusOf(genomics)];
  const path = featuresPath(chosen(imaging));
  const features = path !== undefined && byKey ? measuredStudy({ caseId, imaging }) : path;
  return { row: { caseId, statuses, carried }, features };
}

/** Key of the study whose features stand for a case: its identifier in the feature group. Undefined where none was measured. */
export function measuredStudy({ caseId, imaging }: Pick<IndexedCase, 'caseId' | 'imaging'>): string | undefined {
  const unit = chosen(imaging);
  if (featuresPath(unit) === undefined) return undefined;
  return unit!.part === '' ? caseId : `${caseId}/${unit!.part}`;
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
 * `expression` (expression-tpm.csv). With `imaging` the features of the studies are taken from a table (key, features; a row
 * for each case that has any, in order) and not from the studies' own files. Throws `GeneNotFound`, `InvalidInput`.
 */
export const joinDatasetStep: Step<DatasetParams, DatasetSummary> = {
  name: 'dataset.join',
  version: 2,
  async run(call) {
    const { params, io } = call;
    const clinical = await readCaseTable(first(call, 'clinical'), params.clinicalId ?? DEFAULT_ID_NAME, call);
    const dropped = await readDropped(first(call, 'dropped'), call);
    const expression = await readExpression(first(call, 'expression'), call);
    const genes = expression?.columns ?? [];
    const sheet = first(call, 'cases');
    const table = first(call, 'imaging');
    const byKey = table !== undefined;
    const measured = byKey ? await valuesOfTable(table, call) : undefined;
    const carriedNames = new Set<string>();
    let inSheet = 0;
    const toFill = async function* (): AsyncIterable<RowToFill<CaseRow>> {
      const union = params.population === 'union';
      const known = new Set<string>();
      for await (const line of sheet === undefined ? [] : io.files.lines(sheet, call.signal)) {
        if (line === '') continue;
        const one = JSON.parse(line) as IndexedCase;
        inSheet += 1;
        if (union) known.add(one.caseId);
        for (const name of Object.keys(one.carried)) carriedNames.add(name);
        yield rowOf(one, byKey);
      }
      if (inSheet > 0 && !union) return;
      for (const caseId of clinical.rows.keys()) {
        if (!known.has(caseId)) yield rowOf({ caseId, carried: {}, imaging: [], genomics: [] }, byKey);
      }
    };
    const filled = await fillRows(toFill(), call, measured);
    if (inSheet === 0 && clinical.rows.size === 0) {
      throw new CohortflowError('InvalidInput', 'there is no case to join');
    }
    const carried = [...carriedNames];
    const columns = uniqueNames([
      ['case', [text('case_id')]],
      [
        'status',
        ['imaging', 'genomics', 'clinical'].flatMap((name) => [text(`${name}_status`), text(`${name}_reason`)]),
      ],
      ['sheet', carried.map(text)],
      ['clinical', clinical.columns],
      ['imaging', filled.names.map((name): ColumnSpec => ({ name, type: 'number' }))],
      ['gene', genes],
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
      for await (const [{ caseId, statuses, carried: own }, values] of filled.rows()) {
        const line = clinical.rows.get(caseId);
        yield [
          caseId,
          ...statuses,
          ...clinicalStatus(caseId),
          ...carried.map((name) => own[name] ?? null),
          ...(line === undefined ? nothing(clinical.columns.length) : cellsOf(line)),
          ...values,
          ...((await expression?.of(caseId)) ?? nothing(genes.length)),
        ];
      }
      expression?.end();
    };
    const targets = { csv: `${io.outputFolder}/dataset.csv`, parquet: `${io.outputFolder}/dataset.parquet` };
    return { rows: await writeTable({ columns, rows }, targets, call), columns: columns.length };
  },
};

function featuresPath(unit: IndexedUnit | undefined): string | undefined {
  return unit?.files.find(({ path }) => path.endsWith('/features.json'))?.path;
}
