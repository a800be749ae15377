import type { IndexedCase, IndexedUnit } from '../contracts/case-index.js';
import { layout } from '../contracts/layout.js';
import type { Estimate, RunCosts } from '../domain/costs/index.js';
import { csvRecords } from '../domain/csv/index.js';
import { failureKind, isFailureCode } from '../domain/failures/index.js';
import { qualityOf } from '../domain/genomics/sample-quality.js';
import type { Files } from '../ports/files.js';
import type {
  PlannedCost,
  ReportCase,
  ReportDistribution,
  ReportFailure,
  ReportModel,
  ReportOutcome,
  ReportSample,
  ReportTable,
} from './model.js';

/** Rows shown one by one; the rest is counted and stays in the CSV beside the report. */
const MOST_ROWS = 2_000;
const MOST_PICTURES = 60;
const MOST_TABLE_ROWS = 40;

/** The data set starts with the case and, per modality, a status and a reason: the thousands of columns after are not read. */
const STATUS_COLUMNS = 7;

/** Features whose distributions are shown: size, intensity and texture, one of each kind. */
const SHOWN_FEATURES = [
  'original_shape_VoxelVolume',
  'original_shape_Sphericity',
  'original_shape_Maximum3DDiameter',
  'original_firstorder_Mean',
  'original_firstorder_Entropy',
  'original_glcm_Contrast',
  'original_glrlm_RunPercentage',
  'original_ngtdm_Coarseness',
] as const;

type Row = Readonly<Record<string, string>>;

/** Rows of a table by column name, one at a time; none when there is no such file. */
async function* readTable(files: Files, path: string, most?: number): AsyncGenerator<Row, undefined> {
  if ((await files.stat(path)) !== undefined) yield* csvRecords(files.lines(path), most);
  return undefined;
}

async function readJson(files: Files, path: string): Promise<Record<string, unknown>> {
  if ((await files.stat(path)) === undefined) return {};
  const text = await files.readText(path);
  return (JSON.parse(text) as Record<string, unknown> | null) ?? {};
}

/** Facts of the run; none where someone damaged run.json: the rest of the report is worth being seen all the same. */
async function ownerOf(files: Files, output: string): Promise<Record<string, unknown>> {
  try {
    return await readJson(files, layout.owner(output));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

async function* readCases(files: Files, path: string): AsyncGenerator<IndexedCase, undefined> {
  if ((await files.stat(path)) === undefined) return undefined;
  for await (const line of files.lines(path)) if (line !== '') yield JSON.parse(line) as IndexedCase;
  return undefined;
}

function outcomeOf(row: Row): ReportOutcome {
  return {
    caseId: row['case_id'] ?? '',
    modality: row['modality'] ?? '',
    part: row['study_or_sample'] ?? '',
    step: row['step'] ?? '',
    outcome: row['outcome'] ?? '',
    code: row['code'] ?? '',
    why: row['why'] ?? '',
    attempts: Number(row['attempts'] ?? 0),
    seconds: Number(row['seconds'] ?? 0),
    message: row['message'] ?? '',
  };
}

/** Names a study or sample among the outcomes. */
const unitName = (caseId: string, part: string): string => `${caseId}/${part}`;

/** What the table of outcomes says that is shown. */
interface ShownOutcomes {
  readonly failures: readonly ReportFailure[];
  /** Every case that has a failure. */
  readonly failed: ReadonlySet<string>;
  readonly byCode: ReportModel['failuresByCode'];
  /** Seconds of the quantification, of the first samples that ran here. */
  readonly quantified: ReadonlyMap<string, number>;
}

async function outcomesOf(files: Files, output: string): Promise<ShownOutcomes> {
  const failures: ReportFailure[] = [];
  const failed = new Set<string>();
  const codes = new Map<string, number>();
  const quantified = new Map<string, number>();
  for await (const row of readTable(files, layout.outcomes(output))) {
    const one = outcomeOf(row);
    if (one.step === 'genomics.quantify' && one.outcome === 'done' && quantified.size < MOST_ROWS) {
      quantified.set(unitName(one.caseId, one.part), one.seconds);
    }
    if (one.outcome !== 'failed') continue;
    // What failed as a whole, a table, is of no case.
    if (one.caseId !== '') failed.add(one.caseId);
    codes.set(one.code, (codes.get(one.code) ?? 0) + 1);
    if (failures.length < MOST_ROWS) {
      failures.push(isFailureCode(one.code) ? { ...one, kind: failureKind(one.code) } : one);
    }
  }
  const byCode = [...codes].map(([code, count]) => ({ code, count })).sort((a, b) => b.count - a.count);
  return { failures, failed, byCode, quantified };
}

/** What of the cases is shown; the others are counted only. */
interface ShownCases {
  /** Failed ones first, at most {@link MOST_ROWS}. */
  readonly shown: readonly IndexedCase[];
  /** The first of the sheet: distributions are drawn from them. */
  readonly first: readonly IndexedCase[];
  readonly inAll: number;
  /** Cases that have pictures. */
  readonly drawable: number;
}

const bare = (caseId: string): IndexedCase => ({ caseId, carried: {}, imaging: [], genomics: [] });

/** The cases of the sheet, or of the data set where there was none. */
async function casesOf(files: Files, output: string, failed: ReadonlySet<string>): Promise<ShownCases> {
  const first: IndexedCase[] = [];
  const withFailure: IndexedCase[] = [];
  const without: IndexedCase[] = [];
  let inAll = 0;
  let drawable = 0;
  const take = (one: IndexedCase): void => {
    inAll += 1;
    if (fileOf(one.imaging, 'features.json') !== undefined) drawable += 1;
    const list = failed.has(one.caseId) ? withFailure : without;
    if (list.length < MOST_ROWS) list.push(one);
  };
  for await (const one of readCases(files, layout.caseIndex(output))) {
    if (first.length < MOST_ROWS) first.push(one);
    take(one);
  }
  if (inAll === 0) {
    for await (const row of readTable(files, `${output}/dataset.csv`, STATUS_COLUMNS)) take(bare(row['case_id'] ?? ''));
  }
  return { shown: [...withFailure, ...without].slice(0, MOST_ROWS), first, inAll, drawable };
}

/** The data set's rows of some cases, statuses and reasons only. */
async function statusRows(files: Files, output: string, wanted: readonly IndexedCase[]): Promise<Map<string, Row>> {
  const ids = new Set(wanted.map(({ caseId }) => caseId));
  const rows = new Map<string, Row>();
  for await (const row of readTable(files, `${output}/dataset.csv`, STATUS_COLUMNS)) {
    if (ids.has(row['case_id'] ?? '')) rows.set(row['case_id'] ?? '', row);
  }
  return rows;
}

const fileOf = (units: readonly IndexedUnit[], name: string): string | undefined =>
  units.flatMap(({ files }) => files).find(({ path }) => path.endsWith(`/${name}`))?.path;

async function pictureOf(files: Files, one: IndexedCase): Promise<string | undefined> {
  const features = fileOf(one.imaging, 'features.json');
  if (features === undefined) return undefined;
  const path = features.replace(/features\.json$/, 'overlay-ortho.png');
  if ((await files.stat(path)) === undefined) return undefined;
  return `data:image/png;base64,${Buffer.from(await files.read(path)).toString('base64')}`;
}

async function distributionsOf(files: Files, cases: readonly IndexedCase[]): Promise<ReportDistribution[]> {
  const values = new Map<string, number[]>(SHOWN_FEATURES.map((name) => [name, []]));
  for (const { imaging } of cases) {
    const path = fileOf(imaging, 'features.json');
    if (path === undefined) continue;
    const features = (await readJson(files, path)) as Record<string, number | null>;
    for (const name of SHOWN_FEATURES) if (typeof features[name] === 'number') values.get(name)?.push(features[name]);
  }
  return [...values].filter(([, list]) => list.length > 1).map(([name, list]) => ({ name, values: list }));
}

async function samplesOf(
  files: Files,
  cases: readonly IndexedCase[],
  seconds: ShownOutcomes['quantified'],
): Promise<ReportSample[]> {
  const samples: ReportSample[] = [];
  for (const { caseId, genomics } of cases) {
    for (const unit of genomics) {
      const path = fileOf([unit], 'quant.json');
      if (path === undefined) continue;
      const document = await readJson(files, path);
      const { warnings } = document;
      samples.push({
        caseId,
        part: unit.part,
        quality: qualityOf(document),
        warnings: Array.isArray(warnings) ? warnings.map(String) : [],
        stepSeconds: seconds.get(unitName(caseId, unit.part)) ?? null,
      });
    }
  }
  return samples;
}

async function counted(rows: AsyncIterable<Row>, column: string): Promise<[string, string][]> {
  const counts = new Map<string, number>();
  for await (const row of rows) counts.set(row[column] ?? '', (counts.get(row[column] ?? '') ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([reason, n]) => [reason, String(n)]);
}

function cellText(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toPrecision(4);
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : JSON.stringify(value);
}

/** A list of equal objects inside a JSON report as a table. */
function tableOf(title: string, list: unknown): ReportTable[] {
  if (!Array.isArray(list) || list.length === 0) return [];
  const rows = list as Record<string, unknown>[];
  const header = Object.keys(rows[0]!).filter((name) => typeof rows[0]![name] !== 'object' || rows[0]![name] === null);
  const shown = rows.slice(0, MOST_TABLE_ROWS).map((row) => header.map((name) => cellText(row[name])));
  return [{ title, header, rows: shown, more: rows.length - shown.length }];
}

async function clinicalTables(files: Files, output: string): Promise<ReportTable[]> {
  const dropped = await counted(readTable(files, `${output}/clinical/dropped.csv`), 'reason');
  const leakage = await readJson(files, `${output}/clinical/leakage.json`);
  const bias = await readJson(files, `${output}/clinical/bias-report.json`);
  const lists = (document: Record<string, unknown>, title: string): ReportTable[] =>
    Object.entries(document).flatMap(([name, value]) => tableOf(`${title}: ${name}`, value));
  return [
    ...(dropped.length === 0
      ? []
      : [{ title: 'Clinical rows dropped', header: ['reason', 'rows'], rows: dropped, more: 0 }]),
    ...lists(leakage, 'What predicts the target by itself'),
    ...lists(bias, 'Balance of groups'),
  ];
}

/** What the run cost, as it was written for it; nothing of another run. */
async function costsOf(files: Files, output: string, runId: unknown): Promise<RunCosts | undefined> {
  const document = await readJson(files, layout.costs(output));
  return 'machines' in document && document['runId'] === runId ? (document as unknown as RunCosts) : undefined;
}

/** What a plan that was kept said of the executors that the run used. */
async function plannedOf(files: Files, output: string, { machines }: RunCosts): Promise<readonly PlannedCost[]> {
  const { plannedAt, estimates } = await readJson(files, layout.plan(output));
  const used = new Set<string>(machines.map(({ executor }) => executor));
  const known = Array.isArray(estimates) ? (estimates as readonly Estimate[]) : [];
  return known.flatMap(({ executor, units, dollars }) =>
    used.has(executor) ? [{ plannedAt: cellText(plannedAt), executor, units, dollars }] : [],
  );
}

function statusesOf(row: Row | undefined): ReportCase['statuses'] {
  const entries = ['imaging', 'genomics', 'clinical'].map((modality) => {
    const status = row?.[`${modality}_status`] ?? '';
    return [modality, { status, reason: row?.[`${modality}_reason`] ?? '' }] as const;
  });
  return Object.fromEntries(entries.filter(([, { status }]) => status !== ''));
}

function countsOf(owner: Record<string, unknown>): ReportModel['counts'] {
  const result = (owner['result'] ?? {}) as Record<string, unknown>;
  return ['imaging', 'genomics', 'clinical'].flatMap((modality) => {
    const found = result[modality] as Record<string, unknown> | undefined;
    if (found === undefined) return [];
    const numbers = Object.entries(found).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
    return [{ modality, counts: Object.fromEntries(numbers) }];
  });
}

/**
 * Reads what a run left below its output folder into the report's model; what is missing is left out.
 *
 * @param told of the run what run.json does not say yet
 */
export async function collectReport(
  output: string,
  files: Files,
  signal: AbortSignal,
  pictures = MOST_PICTURES,
  told: Readonly<Record<string, unknown>> = {},
): Promise<ReportModel> {
  const owner: Record<string, unknown> = { ...(await ownerOf(files, output)), ...told };
  const { failures, failed, byCode, quantified } = await outcomesOf(files, output);
  const { shown: shownCases, first, inAll, drawable } = await casesOf(files, output, failed);
  const dataset = await statusRows(files, output, shownCases);
  const cases: ReportCase[] = [];
  let shown = 0;
  for (const one of shownCases) {
    signal.throwIfAborted();
    const { caseId } = one;
    const picture = shown >= pictures ? undefined : await pictureOf(files, one);
    if (picture !== undefined) shown += 1;
    cases.push({ caseId, statuses: statusesOf(dataset.get(caseId)), ...(picture === undefined ? {} : { picture }) });
  }
  const costs = await costsOf(files, output, owner['runId']);
  const clinical = ((owner['result'] ?? {}) as Record<string, unknown>)['clinical'] as
    Record<string, string> | undefined;
  return {
    runId: cellText(owner['runId']),
    state: cellText(owner['state']),
    startedAt: cellText(owner['startedAt']),
    joinedAt: cellText(owner['joinedAt'] ?? owner['endedAt']),
    counts: countsOf(owner),
    failures,
    failedCases: failed.size,
    failuresByCode: byCode,
    cases,
    casesLeftOut: inAll - cases.length,
    pictures: { shown, total: drawable },
    distributions: await distributionsOf(files, first),
    samples: await samplesOf(files, first, quantified),
    tables: await clinicalTables(files, output),
    ...(costs === undefined ? {} : { costs, planned: await plannedOf(files, output, costs) }),
    ...(clinical?.['outcome'] === 'failed'
      ? { clinicalProblem: `${clinical['code'] ?? ''}: ${clinical['message'] ?? ''}` }
      : {}),
    versions: (await readJson(files, layout.versions(output))) as Record<string, string>,
    parameters: await readJson(files, layout.params(output)),
  };
}
