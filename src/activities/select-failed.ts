import type { CohortActivities } from '../contracts/activities.js';
import type { RetryRequest } from '../contracts/control.js';
import { UNITS_PER_PAGE, layout } from '../contracts/layout.js';
import type { OutcomeRecord } from '../contracts/outcome.js';
import type { FanOutModality } from '../contracts/workflow-ids.js';
import type { CohortUnit } from '../domain/cohort/manifest.js';
import type { Files } from '../ports/files.js';
import type { RecordedUnit, RunLedger } from '../ports/run-ledger.js';
import { allUnits, partOf, unitId, writePages } from './units.js';

interface Services {
  readonly files: Files;
  readonly ledger: RunLedger;
}

/** The failed record of a unit, when it is one of those that were asked for. */
export function failureOf(records: readonly OutcomeRecord[], { code, step }: RetryRequest): OutcomeRecord | undefined {
  return records.find(
    (record) =>
      record.outcome === 'failed' &&
      (code === undefined || record.code === code) &&
      (step === undefined || record.step === step),
  );
}

/** The last round that each unit was taken into, of those that are not the whole manifest. */
async function lastRounds(
  files: Files,
  { output, runId, modality, round }: Parameters<CohortActivities['selectFailed']>[0],
): Promise<ReadonlyMap<string, number>> {
  const rounds = new Map<string, number>();
  for (let earlier = 1; earlier < round; earlier += 1) {
    for await (const unit of allUnits(files, output, runId, modality, earlier)) rounds.set(idOf(unit), earlier);
  }
  return rounds;
}

function idOf(unit: CohortUnit): string {
  return unitId({ modality: unit.modality, caseId: unit.caseId, part: partOf(unit) });
}

/** Writes the units of one round and, last, how many they are. */
export async function writeRound(
  files: Files,
  output: string,
  runId: string,
  modality: FanOutModality,
  round: number,
  units: AsyncIterable<CohortUnit>,
): Promise<number> {
  const total = await writePages(files, units, (page) => layout.unitPage(output, runId, modality, page, round));
  await files.write(layout.retryRound(output, runId, modality, round), `${JSON.stringify({ total })}\n`);
  return total;
}

async function* failedUnits(
  services: Services,
  request: Parameters<CohortActivities['selectFailed']>[0],
  signal: AbortSignal | undefined,
): AsyncIterable<CohortUnit> {
  const { files, ledger } = services;
  const { output, runId, modality, choice } = request;
  const taken = await lastRounds(files, request);
  const reader = ledger.recordsOf(output, runId, modality);
  let first = 0;
  for await (const page of pagesOf(allUnits(files, output, runId, modality))) {
    const records = await reader.of(page.map(recorded), first, { signal });
    first += page.length;
    for (const [index, unit] of page.entries()) {
      const failed = failureOf(records[index] ?? [], choice);
      if (failed === undefined) continue;
      // What was taken in again and has not ended since is under way already.
      if ((failed.round ?? 0) < (taken.get(idOf(unit)) ?? 0)) continue;
      yield unit;
    }
  }
}

/** A unit as records name it. */
export function recorded(unit: CohortUnit): RecordedUnit {
  return { caseId: unit.caseId, part: partOf(unit) };
}

/** Items in groups of a page. */
export async function* pagesOf<T>(items: AsyncIterable<T>): AsyncIterable<T[]> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < UNITS_PER_PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** How many units a round has that was written already; undefined when it was not, or not whole. */
async function writtenRound(files: Files, path: string): Promise<{ readonly total: number } | undefined> {
  if ((await files.stat(path)) === undefined) return undefined;
  try {
    const { total } = JSON.parse(await files.readText(path)) as { readonly total?: unknown };
    return typeof total === 'number' ? { total } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Chooses the failed units of a run that is under way, for a retry. Asked again for the same round it gives the same. */
export async function selectFailed(
  services: Services,
  request: Parameters<CohortActivities['selectFailed']>[0],
  signal?: AbortSignal,
): ReturnType<CohortActivities['selectFailed']> {
  const { files } = services;
  const { output, runId, modality, round } = request;
  const written = layout.retryRound(output, runId, modality, round);
  const before = await writtenRound(files, written);
  if (before !== undefined) return before;
  return { total: await writeRound(files, output, runId, modality, round, failedUnits(services, request, signal)) };
}
