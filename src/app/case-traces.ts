import { layout } from '../contracts/layout.js';
import { DEFAULT_ID_NAME, idColumnOf, type ClinicalEncoding } from '../domain/clinical/index.js';
import { csvLine, csvRows } from '../domain/csv/index.js';
import type { Files } from '../ports/files.js';
import type { Fingerprints, RunLedger } from '../ports/run-ledger.js';

/** Something that a case left in an output folder or beside it, and how it goes. */
export interface Trace {
  readonly what: string;
  /** Path, or id of a workflow. */
  readonly where: string;
  /** Files, rows, lines or runs of it. */
  readonly count: number;
  readonly remove: () => Promise<void>;
}

/** What finding traces needs. */
export interface TraceServices {
  readonly files: Files;
  readonly ledger: RunLedger;
  readonly fingerprints: Fingerprints;
}

/** Where a case is looked for. */
export interface CasePlace {
  readonly output: string;
  readonly caseId: string;
}

const MODALITIES = ['imaging', 'genomics', 'clinical'] as const;

/** Our tables of a row or more per case: the case stands in the first of these columns that there is. */
const ID_COLUMNS: readonly string[] = ['case_id', DEFAULT_ID_NAME];

/** The id column of the clinical features: a specification may call it anything, and the encoding says what. */
async function clinicalId(files: Files, output: string): Promise<readonly string[]> {
  const path = `${output}/clinical/encoding.json`;
  if (!(await isFile(files, path))) return ID_COLUMNS;
  return [idColumnOf(JSON.parse(new TextDecoder().decode(await files.read(path))) as ClinicalEncoding)];
}

async function filesBelow(files: Files, folder: string): Promise<readonly string[]> {
  if ((await files.stat(folder))?.kind !== 'folder') return [];
  return (await files.list(folder, { recursive: true })).map(({ path }) => path);
}

/** Tables in CSV below an output, by what they are. */
function tables(output: string): readonly string[] {
  return [
    ...[layout.outcomes(output), layout.validSheet(output), layout.trace(output)],
    ...[`${output}/dataset.csv`, `${output}/clinical/dropped.csv`],
    ...['tpm', 'counts'].map((unit) => `${output}/genomics/expression-${unit}.csv`),
  ];
}

async function isFile(files: Files, path: string): Promise<boolean> {
  return (await files.stat(path))?.kind === 'file';
}

/** Rows of a table with whether they are the case's; the header is nobody's. */
async function* rowsOf(
  files: Files,
  path: string,
  caseId: string,
  ids: readonly string[] = ID_COLUMNS,
): AsyncIterable<{ cells: readonly string[]; header: readonly string[]; own: boolean }> {
  let header: readonly string[] = [];
  let id = -1;
  for await (const cells of csvRows(files.lines(path))) {
    if (header.length === 0) {
      header = cells;
      id = cells.findIndex((name) => ids.includes(name));
      yield { cells, header, own: false };
    } else yield { cells, header, own: id !== -1 && cells[id] === caseId };
  }
}

async function tableTrace(files: Files, path: string, caseId: string, ids = ID_COLUMNS): Promise<readonly Trace[]> {
  if (!(await isFile(files, path))) return [];
  let count = 0;
  for await (const { own } of rowsOf(files, path, caseId, ids)) if (own) count += 1;
  if (count === 0) return [];
  const others = async function* (): AsyncIterable<string> {
    for await (const { cells, own } of rowsOf(files, path, caseId, ids)) if (!own) yield `${csvLine(cells)}\n`;
  };
  return [{ what: 'rows', where: path, count, remove: () => files.write(path, others()) }];
}

/** Files of one JSON document a line, each with the case it is of. */
async function linesTrace(files: Files, path: string, caseId: string): Promise<readonly Trace[]> {
  if (!(await isFile(files, path))) return [];
  const mark = `"caseId":${JSON.stringify(caseId)}`;
  const isOwn = (line: string): boolean => line.includes(mark) && caseIdIn(line) === caseId;
  let count = 0;
  for await (const line of files.lines(path)) if (isOwn(line)) count += 1;
  if (count === 0) return [];
  const others = async function* (): AsyncIterable<string> {
    for await (const line of files.lines(path)) if (!isOwn(line)) yield `${line}\n`;
  };
  return [{ what: 'lines', where: path, count, remove: () => files.write(path, others()) }];
}

function caseIdIn(line: string): unknown {
  return (JSON.parse(line) as { caseId?: unknown }).caseId;
}

async function recordsTrace({ files, ledger }: TraceServices, place: CasePlace): Promise<readonly Trace[]> {
  const { output, caseId } = place;
  let count = 0;
  for (const modality of MODALITIES) {
    count += (await filesBelow(files, layout.stepManifests(output, `${modality}/${caseId}`))).length;
  }
  for (const runId of await files.names(layout.allRecords(output))) {
    for (const modality of MODALITIES) {
      count += (await filesBelow(files, layout.unitRecords(output, runId, modality, caseId, ''))).length;
    }
    const pages = layout.recordPages(output, runId);
    for (const name of await files.names(pages)) {
      for (const { count: lines } of await linesTrace(files, `${pages}/${name}`, caseId)) count += lines;
    }
  }
  if (count === 0) return [];
  const remove = async (): Promise<void> => void (await ledger.forgetCase(output, caseId));
  return [{ what: 'records and manifests of steps', where: layout.run(output), count, remove }];
}

/** What was computed of the case alone. */
async function outputsTrace(files: Files, { output, caseId }: CasePlace): Promise<readonly Trace[]> {
  const found: Trace[] = [];
  for (const modality of ['imaging', 'genomics'] as const) {
    const where = `${output}/${modality}/${caseId}`;
    const count = (await filesBelow(files, where)).length;
    if ((await files.stat(where)) !== undefined) {
      found.push({ what: 'results', where, count, remove: () => files.remove(where) });
    }
  }
  return found;
}

/** Hashes that are remembered of the case's inputs and results: their memories hold names of files. */
async function hashesTrace({ files, fingerprints }: TraceServices, place: CasePlace): Promise<readonly Trace[]> {
  const { output, caseId } = place;
  const paths = new Set<string>();
  for (const modality of ['imaging', 'genomics'] as const) {
    for (const path of await filesBelow(files, `${output}/${modality}/${caseId}`)) paths.add(path);
  }
  const sheet = layout.validSheet(output);
  if (await isFile(files, sheet)) {
    for await (const { cells, own } of rowsOf(files, sheet, caseId)) {
      if (own) for (const cell of cells) if (cell.startsWith('/')) paths.add(cell);
    }
  }
  if (paths.size === 0) return [];
  const remove = async (): Promise<void> => {
    for (const path of paths) await fingerprints.forget(path);
  };
  return [{ what: 'remembered hashes of inputs and results', where: 'the cache', count: paths.size, remove }];
}

/** Keys of the case's studies and samples, as folders and ids of workflows carry them: `case`, or `case/study`. */
export async function unitKeysOf(files: Files, { output, caseId }: CasePlace): Promise<readonly string[]> {
  const keys = new Set([caseId]);
  const sheet = layout.validSheet(output);
  if (await isFile(files, sheet)) {
    for await (const { cells, header, own } of rowsOf(files, sheet, caseId)) {
      if (!own) continue;
      for (const name of ['study_id', 'sample_id']) {
        const part = cells[header.indexOf(name)] ?? '';
        if (part !== '') keys.add(`${caseId}/${part}`);
      }
    }
  }
  for (const modality of ['imaging', 'genomics'] as const) {
    for (const name of await files.names(`${output}/${modality}/${caseId}`)) {
      const entry = await files.stat(`${output}/${modality}/${caseId}/${name}`);
      if (entry?.kind === 'folder') keys.add(`${caseId}/${name}`);
    }
  }
  return [...keys];
}

/** Everything else that is made from the cases together and cannot be edited: removed whole, the next run makes it again. */
const MADE_AGAIN = ['report.html', 'clinical/bias-report.json', 'clinical/leakage.json', 'clinical/encoding.json'];

async function wholesTrace(files: Files, output: string): Promise<readonly Trace[]> {
  const found: Trace[] = [];
  const whole = async (what: string, where: string): Promise<void> => {
    if ((await files.stat(where)) === undefined) return;
    const below = await filesBelow(files, where);
    found.push({ what, where, count: Math.max(1, below.length), remove: () => files.remove(where) });
  };
  for (const name of MADE_AGAIN) await whole('made from all cases; the next run makes it again', `${output}/${name}`);
  await whole('pages of units; every run makes its own', layout.manifests(output));
  await whole('what machines said of samples that failed', layout.allLogs(output));
  for (const name of await files.names(layout.work(output))) {
    await whole('leftover of a killed step', `${layout.work(output)}/${name}`);
  }
  return found;
}

/**
 * What a case left in an output folder, its feature groups apart. Empty when it left nothing there; then what was made from
 * all cases is none of its business either.
 */
export async function caseTraces(services: TraceServices, place: CasePlace): Promise<readonly Trace[]> {
  const { files } = services;
  const { output, caseId } = place;
  // Read first what names the case's inputs and parts: the sheet is among what goes.
  const hashes = await hashesTrace(services, place);
  const own: Trace[] = [...(await outputsTrace(files, place)), ...(await recordsTrace(services, place))];
  for (const path of tables(output)) own.push(...(await tableTrace(files, path, caseId)));
  const ids = await clinicalId(files, output);
  own.push(...(await tableTrace(files, `${output}/clinical/features.csv`, caseId, ids)));
  for (const path of [layout.caseIndex(output), ...MODALITIES.map((modality) => layout.finished(output, modality))]) {
    own.push(...(await linesTrace(files, path, caseId)));
  }
  if (own.length === 0) return [];
  // The folders last: an interrupted removal still finds the case when it is begun again.
  return [
    ...hashes,
    ...own.filter(({ what }) => what !== 'results'),
    ...(await wholesTrace(files, output)),
    ...own.filter(({ what }) => what === 'results'),
  ];
}
