import type { IndexedCase } from '../../contracts/case-index.js';
import { layout } from '../../contracts/layout.js';
import { csvLine } from '../../domain/csv/index.js';
import type { GroupColumn } from '../../domain/feature-table/group-schema.js';
import { joinDatasetStep, measuredStudy, type DatasetParams } from '../../steps/cohort/join-dataset.js';
import { runStepIntoFolder } from '../step-folders.js';
import type { FinishedRun, JoinedGroup, RunGroup } from './finished-run.js';
import { textCsv, writeLatest, type LatestSource, type TableWorkshop, type WantedRows } from './latest-tables.js';

/** A data set that is wanted of a finished run. */
export interface DatasetRequest {
  readonly run: FinishedRun;
  /** The run's own when absent. */
  readonly population?: 'sheet' | 'union';
  readonly workshop: TableWorkshop;
  /** Where the latest rows of a group are asked for. */
  readonly sourceOf: (group: JoinedGroup, found: RunGroup) => LatestSource;
  readonly progress: (message: string) => void;
}

export interface MadeDataset {
  readonly csv: string;
  readonly parquet: string;
  readonly rows: number;
  readonly columns: number;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The rows of this run's own file, in its order; records of other runs and cohorts in the same group are none of ours. */
function rowsOfRun({ rows, schema }: RunGroup): WantedRows {
  const file = `read_parquet(${literal(rows)}, hive_partitioning = false, file_row_number = true)`;
  const columns = `${quoted(schema.recordIdentifier)} AS key, file_row_number AS place`;
  return { sql: `SELECT ${columns} FROM ${file} WHERE is_deleted = 'false'`, missing: 'out' };
}

/** The studies whose features stand for a case, in the order of the sheet. */
async function studiesOfCases(index: string, { files, folder, signal }: TableWorkshop): Promise<WantedRows> {
  const path = `${folder}/studies.csv`;
  const lines = async function* (): AsyncIterable<string> {
    yield 'place,key\n';
    let place = 0;
    for await (const line of files.lines(index, signal)) {
      const key = line === '' ? undefined : measuredStudy(JSON.parse(line) as IndexedCase);
      if (key === undefined) continue;
      place += 1;
      yield `${csvLine([String(place), key])}\n`;
    }
  };
  await files.write(path, lines());
  const source = textCsv(path, ['place', 'key']);
  return { sql: `SELECT key, CAST(place AS BIGINT) AS place FROM ${source}`, missing: 'empty' };
}

/** A case's samples have rows of their own, which `subject_id` and `sample_id` name. */
const bySample = ({ schema }: RunGroup): boolean => schema.columns.some(({ name }) => name === 'sample_id');

/** Columns of a group that the join takes. */
export function joinedColumns(group: JoinedGroup, found: RunGroup): readonly GroupColumn[] {
  const named = (column: GroupColumn): GroupColumn =>
    column.role === 'id' && column.from === 'subject_id' ? { ...column, from: 'case_id' } : column;
  const samples = group === 'genomics' && bySample(found);
  return found.schema.columns.slice(1).flatMap((column) => {
    if (column.role === 'feature') return [column];
    return samples ? [named(column)] : [];
  });
}

/** Name of the column of identifiers in the table that the join reads. */
function keyOf(group: JoinedGroup, found: RunGroup): { readonly key?: string } {
  if (group === 'imaging') return { key: 'key' };
  if (group === 'clinical') return { key: 'Case_ID' };
  return bySample(found) ? {} : { key: 'case_id' };
}

function paramsOf({ run, population }: DatasetRequest): DatasetParams {
  const { clinical } = run.result;
  const wanted = population ?? run.input.population;
  return {
    ...(clinical?.outcome === 'failed' ? { clinicalFailure: clinical.code ?? 'InternalError' } : {}),
    ...(wanted === undefined ? {} : { population: wanted }),
    ...(run.input.genes === undefined ? {} : { genes: run.input.genes }),
  };
}

const ROLES = { clinical: 'clinical', imaging: 'imaging', genomics: 'expression' } as const;

/** Joins the data set of a finished run from the latest rows of its feature groups, by the very step that the workflow runs. */
export async function makeDataset(request: DatasetRequest): Promise<MadeDataset> {
  const { run, workshop, sourceOf, progress } = request;
  const { output } = run;
  const { files, folder, signal } = workshop;
  const cases = layout.caseIndex(output);
  const inSheet = (await files.stat(cases)) !== undefined;
  const inputs: Record<string, readonly string[]> = inSheet ? { cases: [cases] } : {};
  for (const [group, found] of run.groups) {
    if (group === 'imaging' && !inSheet) continue;
    progress(`reading the latest rows of ${group}`);
    const source = sourceOf(group, found);
    const rows = group === 'imaging' ? await studiesOfCases(cases, workshop) : rowsOfRun(found);
    const target = `${folder}/${group}.csv`;
    await writeLatest(source, { ...rows, ...keyOf(group, found) }, target, workshop);
    inputs[ROLES[group]] = [target];
  }
  const dropped = `${output}/clinical/dropped.csv`;
  if (run.groups.has('clinical') && (await files.stat(dropped)) !== undefined) inputs['dropped'] = [dropped];
  const joined = `${folder}/joined`;
  const { summary } = await runStepIntoFolder(joinDatasetStep, {
    params: paramsOf(request),
    inputs,
    outputFolder: joined,
    signal,
    progress,
  });
  return { csv: `${joined}/dataset.csv`, parquet: `${joined}/dataset.parquet`, ...summary };
}
