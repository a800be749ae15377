import { layout, UNITS_PER_PAGE } from '../contracts/layout.js';
import type { UnitPage } from '../contracts/activities.js';
import type { OutcomeRecord } from '../contracts/outcome.js';
import type { FanOutModality } from '../contracts/workflow-ids.js';
import { unitKey, type CohortCase, type CohortUnit } from '../domain/cohort/manifest.js';
import type { Files } from '../ports/files.js';

/** Lines of one page of units or cases; undefined after the last page. */
async function readPage(files: Files, path: string): Promise<readonly string[] | undefined> {
  if ((await files.stat(path)) === undefined) return undefined;
  return (await files.readText(path)).split('\n').filter((line) => line !== '');
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
    units.push(JSON.parse(line) as CohortUnit);
  }
  return units;
}

async function* allLines(files: Files, pathOf: (page: number) => string): AsyncIterable<string> {
  for (let number = 0; ; number += 1) {
    const lines = await readPage(files, pathOf(number));
    if (lines === undefined) return;
    yield* lines;
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
  const lines = allLines(files, (page) => layout.unitPage(output, runId, modality, page, round));
  for await (const line of lines) yield JSON.parse(line) as CohortUnit;
}

/** The units of a modality in sheet order, page by page, with the position of each page's first unit. */
export async function* unitPages(
  files: Files,
  output: string,
  runId: string,
  modality: FanOutModality,
): AsyncIterable<{ readonly first: number; readonly units: readonly CohortUnit[] }> {
  for (let number = 0; ; number += 1) {
    const lines = await readPage(files, layout.unitPage(output, runId, modality, number));
    if (lines === undefined) return;
    yield { first: number * UNITS_PER_PAGE, units: lines.map((line) => JSON.parse(line) as CohortUnit) };
  }
}

/** All cases of the sheet in its order. */
export async function* allCases(files: Files, output: string, runId: string): AsyncIterable<CohortCase> {
  for await (const line of allLines(files, (page) => layout.casePage(output, runId, page))) {
    yield JSON.parse(line) as CohortCase;
  }
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
