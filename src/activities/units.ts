import { layout, UNITS_PER_PAGE } from '../contracts/layout.js';
import type { UnitPage } from '../contracts/activities.js';
import type { OutcomeRecord } from '../contracts/outcome.js';
import type { FanOutModality } from '../contracts/workflow-ids.js';
import { unitKey, type CohortCase, type CohortUnit } from '../domain/cohort/manifest.js';
import { CohortflowError } from '../domain/errors.js';
import type { Files } from '../ports/files.js';

/** Lines of one page of units or cases; undefined after the last page. */
async function readPage(files: Files, path: string): Promise<readonly string[] | undefined> {
  if ((await files.stat(path)) === undefined) return undefined;
  return (await files.readText(path)).split('\n').filter((line) => line !== '');
}

/** An item of a page. A page that was damaged would be so the next time too. */
function itemIn<T>(line: string, page: string): T {
  try {
    return JSON.parse(line) as T;
  } catch {
    throw new CohortflowError('FileNotFound', `${page} is damaged: its run cannot go on; begin a new one`);
  }
}

/** Which units of a round: every `stride`-th from `offset`, at most `limit`. */
interface UnitRange extends Pick<UnitPage, 'output' | 'runId' | 'modality' | 'round' | 'stride' | 'limit'> {
  readonly offset: number;
}

/** Some units of a run. */
export async function loadUnits(files: Files, page: UnitRange): Promise<readonly CohortUnit[]> {
  const { output, runId, modality, round } = page;
  const units: CohortUnit[] = [];
  let number = -1;
  let lines: readonly string[] | undefined;
  for (let at = page.offset; units.length < page.limit; at += page.stride) {
    const wanted = Math.floor(at / UNITS_PER_PAGE);
    if (wanted !== number) {
      number = wanted;
      lines = await readPage(files, layout.unitPage(output, runId, modality, number, round));
    }
    const line = lines?.[at % UNITS_PER_PAGE];
    if (line === undefined) break;
    units.push(itemIn<CohortUnit>(line, layout.unitPage(output, runId, modality, number, round)));
  }
  return units;
}

async function* allItems<T>(files: Files, pathOf: (page: number) => string): AsyncIterable<T> {
  for (let number = 0; ; number += 1) {
    const page = pathOf(number);
    const lines = await readPage(files, page);
    if (lines === undefined) return;
    for (const line of lines) yield itemIn<T>(line, page);
  }
}

/** All units of a modality, or of one retry, in sheet order. */
export async function* allUnits(
  files: Files,
  output: string,
  runId: string,
  modality: FanOutModality,
  round = 0,
): AsyncIterable<CohortUnit> {
  yield* allItems<CohortUnit>(files, (page) => layout.unitPage(output, runId, modality, page, round));
}

/** The units of a modality in sheet order, page by page, with the position of each page's first unit. */
export async function* unitPages(
  files: Files,
  output: string,
  runId: string,
  modality: FanOutModality,
): AsyncIterable<{ readonly first: number; readonly units: readonly CohortUnit[] }> {
  for (let number = 0; ; number += 1) {
    const page = layout.unitPage(output, runId, modality, number);
    const lines = await readPage(files, page);
    if (lines === undefined) return;
    yield { first: number * UNITS_PER_PAGE, units: lines.map((line) => itemIn<CohortUnit>(line, page)) };
  }
}

/** All cases of the sheet in its order. */
export async function* allCases(files: Files, output: string, runId: string): AsyncIterable<CohortCase> {
  yield* allItems<CohortCase>(files, (page) => layout.casePage(output, runId, page));
}

/** Study or sample id of a unit; empty when the case has one only. */
export function partOf(unit: CohortUnit): string {
  return unitKey(unit).slice(unit.caseId.length + 1);
}

/** What a record and a unit have in common. */
export function unitId(record: Pick<OutcomeRecord, 'modality' | 'caseId' | 'part'>): string {
  return `${record.modality}|${record.caseId}|${record.part}`;
}

/** Writes items as pages of lines; returns how many they were. */
export async function writePages(
  files: Files,
  items: Iterable<unknown> | AsyncIterable<unknown>,
  pathOf: (page: number) => string,
): Promise<number> {
  let lines: string[] = [];
  let written = 0;
  const flush = async (): Promise<void> => {
    await files.write(pathOf(Math.floor(written / UNITS_PER_PAGE)), lines.join(''));
    written += lines.length;
    lines = [];
  };
  for await (const item of items) {
    lines.push(`${JSON.stringify(item)}\n`);
    if (lines.length === UNITS_PER_PAGE) await flush();
  }
  if (lines.length > 0) await flush();
  return written;
}
