import { CohortflowError } from '../../domain/errors.js';
import { floatText } from '../../domain/clinical/numbers.js';
import { DEFAULT_ID_NAME } from '../../domain/clinical/spec.js';
import { storeNames } from '../../domain/feature-table/feature-names.js';
import { GROUPS, SCHEMA_FILE, type GroupColumn, type GroupSchema } from '../../domain/feature-table/group-schema.js';
import { Spread, groupPanel, type PanelChoice } from '../../domain/feature-table/gene-panel.js';
import type { ColumnSpec } from '../../ports/table-engine.js';
import type { Step, StepCall } from '../step.js';
import { readRows, type Cell } from './csv-rows.js';
import { featureFiles, fillRows, type FeatureFile, type RowToFill } from './feature-files.js';
import { isNumeric, writeTable, type TableSource } from './table-writer.js';

type Group = (typeof GROUPS)[number];

/** Parameters of `features.write`. */
export type FeatureGroupParams = {
  readonly group: string;
  /** Name of the id column in the group; `Case_ID`. */
  readonly recordIdentifier: string;
  /** Name of the id column in the clinical table; `Case_ID`. */
  readonly idColumn?: string;
  /** Name of the event time column; `timestamp`. */
  readonly eventTimeName: string;
  /** Event time of all rows, ISO 8601 in whole seconds, UTC. */
  readonly eventTime: string;
  readonly runId: string;
  /** Of genomics: how many genes, or which ids, the data set is to have; they are in the group whatever it leaves out. */
  readonly genes?: PanelChoice;
};

/** `said`: what of the table is not in the group. */
export type FeatureGroupSummary = { readonly rows: number; readonly columns: number; readonly said?: string };

type Call = StepCall<FeatureGroupParams>;

/** A table before the columns that the store adds. */
interface Body {
  readonly ids: readonly ColumnSpec[];
  readonly features: readonly ColumnSpec[];
  /** Features of which every value is a whole number, so written. */
  readonly whole?: ReadonlySet<string>;
  /** Features of which every number is written as pandas writes floats. */
  readonly floats?: ReadonlySet<string>;
  readonly panel?: GroupSchema['panel'];
  rows(): AsyncIterable<readonly Cell[]>;
}

/** One row per study (or per segment): names of the columns are the union over all rows, in order of first appearance. */
async function imagingBody(list: string, segments: boolean, call: Call): Promise<Body> {
  let several = false;
  let dated = false;
  const toFill = async function* (): AsyncIterable<RowToFill<Omit<FeatureFile, 'path'>>> {
    for await (const { path, ...row } of featureFiles(list, segments, call)) {
      several ||= row.part !== '';
      dated ||= row.date !== undefined;
      yield { row, features: path };
    }
  };
  const filled = await fillRows(toFill(), call);
  const text = (name: string): ColumnSpec => ({ name, type: 'text' });
  return {
    ids: [
      ...(several || segments ? [text('subject_id')] : []),
      ...(several ? [text('study_id')] : []),
      ...(segments ? [text('segment')] : []),
      ...(dated ? [text('scan_date')] : []),
    ],
    features: filled.names.map((name) => ({ name, type: 'number' })),
    async *rows() {
      for await (const [{ caseId, part, segment = '', date = null }, values] of filled.rows()) {
        // Where a case has several rows each needs an identifier of its own: of one identifier only the latest counts.
        const key = [caseId, part, segments ? segment : ''].filter((name) => name !== '').join('/');
        yield [
          key,
          ...(several || segments ? [caseId] : []),
          ...(several ? [part] : []),
          ...(segments ? [segment] : []),
          ...(dated ? [date] : []),
          ...values,
        ];
      }
    },
  };
}

/** A whole number that any type of number holds; an empty cell makes a column one of fractions, as in pandas. */
function isWhole(cell: string): boolean {
  return /^-?\d{1,15}$/.test(cell);
}

/** A matrix or table in CSV of which `idColumn` is the case. */
async function csvBody(path: string, idColumn: string, panel: boolean, call: Call): Promise<Body> {
  const { io, signal } = call;
  let header: string[] = [];
  let numeric: boolean[] = [];
  let whole: boolean[] = [];
  let floats: boolean[] = [];
  let spreads: Spread[] = [];
  for await (const cells of readRows(io.files, path, signal)) {
    if (header.length === 0) {
      header = cells;
      numeric = cells.map(() => true);
      // An expression of 0 and 1 is no count.
      whole = cells.map(() => !panel);
      floats = [...whole];
      spreads = cells.map(() => new Spread());
      continue;
    }
    cells.forEach((cell, at) => {
      if (numeric[at] === true && !isNumeric(cell)) numeric[at] = false;
      if (whole[at] === true && !isWhole(cell)) whole[at] = false;
      if (floats[at] === true && cell !== '' && floatText(Number(cell)) !== cell) floats[at] = false;
      if (panel && cell !== '') spreads[at]!.add(Math.log2(Number(cell) + 1));
    });
  }
  const id = header.indexOf(idColumn);
  if (id === -1)
    throw new CohortflowError('InternalError', `${call.params.group}: the table has no column ${idColumn}`);
  const sample = header.indexOf('sample_id');
  const candidates = header.map((_, at) => at).filter((at) => at !== id && at !== sample);
  const taken = panel
    ? groupPanel(
        candidates.map((at) => header[at]!),
        candidates.map((at) => spreads[at]!),
        call.params.genes,
      ).map((index) => candidates[index]!)
    : candidates;
  return {
    ids:
      sample === -1
        ? []
        : [
            { name: 'subject_id', type: 'text' },
            { name: 'sample_id', type: 'text' },
          ],
    features: taken.map((at) => ({ name: header[at]!, type: numeric[at] === true ? 'number' : 'text' })),
    ...(taken.length === candidates.length ? {} : { panel: panelOf(taken.length, candidates.length, call.params) }),
    whole: new Set(taken.filter((at) => whole[at] === true).map((at) => header[at]!)),
    floats: new Set(taken.filter((at) => numeric[at] === true && floats[at] === true).map((at) => header[at]!)),
    async *rows() {
      let first = true;
      for await (const cells of readRows(io.files, path, signal)) {
        if (!first)
          yield [
            ...(sample === -1 ? [cells[id]!] : [sampleKey(cells[id]!, cells[sample]!), cells[id]!, cells[sample]!]),
            ...taken.map((at) => cells[at] ?? null),
          ];
        first = false;
      }
    },
  };
}

function panelOf(genes: number, of: number, { genes: choice = [] }: FeatureGroupParams): GroupSchema['panel'] {
  const named = typeof choice === 'number' || choice.length === 0 ? '' : 'those that were named, and ';
  return { genes, of, said: `${genes} of ${of} genes: ${named}those that vary most` };
}

/** Identifier of a sample's row. */
function sampleKey(caseId: string, sampleId: string): string {
  return sampleId === '' ? caseId : `${caseId}/${sampleId}`;
}

async function bodyOf(group: Group, call: Call): Promise<Body> {
  const [rows] = call.inputs['rows'] ?? [];
  if (rows === undefined) throw new CohortflowError('InvalidInput', 'features.write needs the input rows');
  if (group === 'genomics') return csvBody(rows, 'case_id', true, call);
  if (group === 'clinical') return csvBody(rows, call.params.idColumn ?? DEFAULT_ID_NAME, false, call);
  return imagingBody(rows, group === 'imaging_segments', call);
}

/** FNV-1a of a text, twice with different seeds: sixteen hexadecimal digits that are the same for the same run. */
function sixteenCharacters(text: string): string {
  const hash = (seed: number): string => {
    let value = seed;
    for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
    return value.toString(16).padStart(8, '0');
  };
  return hash(0x811c9dc5) + hash(0x9747b28c);
}

/** Place of a group's file of this run in Feature Store's offline layout, below the group's folder. */
export function offlinePath(group: string, eventTime: string, runId: string): string {
  const [, year = '', month = '', day = '', hour = ''] = /^(\d{4})-(\d\d)-(\d\d)T(\d\d)/.exec(eventTime) ?? [];
  const time = eventTime.replace(/[-:]/g, '');
  return `data/year=${year}/month=${month}/day=${day}/hour=${hour}/${time}_${sixteenCharacters(`${runId}/${group}`)}.parquet`;
}

/**
 * Writes one feature group of a run as one Parquet file in SageMaker Feature Store's offline layout: the record identifier,
 * the features under names the store takes, the event time, and the columns the store itself adds. `schema.json` beside it
 * keeps the names that the columns came from and their types.
 *
 * Input `rows`: the list of finished studies (imaging, imaging_segments), expression-tpm.csv (genomics) or features.csv
 * (clinical). Throws `FeatureNameCollision`, `InvalidInput`.
 */
export const writeFeatureGroupStep: Step<FeatureGroupParams, FeatureGroupSummary> = {
  name: 'features.write',
  version: 2,
  async run(call) {
    const { params, io } = call;
    const group = GROUPS.find((name) => name === params.group);
    if (group === undefined) throw new CohortflowError('InvalidInput', `group must be one of ${GROUPS.join(', ')}`);
    const { recordIdentifier, eventTimeName, eventTime, runId } = params;
    const body = await bodyOf(group, call);
    const own = [...body.ids, ...body.features];
    const names = storeNames([recordIdentifier, ...own.map(({ name }) => name), eventTimeName]);
    const schema: GroupSchema = {
      group,
      recordIdentifier: names[0]!,
      eventTimeName: names.at(-1)!,
      columns: [
        { name: names[0]!, from: recordIdentifier, type: 'String', role: 'id' },
        ...own.map(({ name, type }, at): GroupColumn => {
          const numbers = body.whole?.has(name) === true ? 'Integral' : 'Fractional';
          const role = at < body.ids.length ? 'id' : 'feature';
          const written = body.floats?.has(name) === true ? { floats: true } : {};
          return { name: names[at + 1]!, from: name, type: type === 'number' ? numbers : 'String', role, ...written };
        }),
      ],
      ...(body.panel === undefined ? {} : { panel: body.panel }),
    };
    const columns: ColumnSpec[] = [
      ...names.slice(0, -1).map((name, at): ColumnSpec => ({ name, type: at === 0 ? 'text' : own[at - 1]!.type })),
      { name: names.at(-1)!, type: 'text' },
      { name: 'write_time', type: 'text' },
      { name: 'api_invocation_time', type: 'text' },
      { name: 'is_deleted', type: 'text' },
    ];
    const table: TableSource = {
      columns,
      async *rows() {
        for await (const cells of body.rows()) yield [...cells, eventTime, eventTime, eventTime, 'false'];
      },
    };
    const parquet = `${io.outputFolder}/${offlinePath(group, eventTime, runId)}`;
    const rows = await writeTable(table, { parquet }, call);
    await io.files.write(`${io.outputFolder}/${SCHEMA_FILE}`, `${JSON.stringify(schema, null, 1)}\n`);
    return { rows, columns: columns.length, ...(schema.panel === undefined ? {} : { said: schema.panel.said }) };
  },
};
