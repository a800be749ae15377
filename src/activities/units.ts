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

/** Some units of a run: every `stride`-th from `offset`, at most `limit`. */
export async function loadUnits(files: Files, page: UnitPage): Promise<readonly CohortUnit[]> {
  const units: CohortUnit[] = [];
  let number = -1;
  let lines: readonly string[] | undefined;
  for (let at = page.offset; units.length < page.limit; at += page.stride) {
    const wanted = Math.floor(at / UNITS_PER_PAGE);
    if (wanted !== number) {
      number = wanted;
      lines = await readPage(files, layout.unitPage(page.output, page.runId, page.modality, number));
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

/** All units of a modality in sheet order. */
export async function* allUnits(
  files: Files,
  output: string,
  runId: string,
  modality: FanOutModality,
): AsyncIterable<CohortUnit> {
  const lines = allLines(files, (page) => layout.unitPage(output, runId, modality, page));
  for await (const line of lines) yield JSON.parse(line) as CohortUnit;
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
