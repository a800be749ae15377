import type { CohortActivities, RunEnd } from '../contracts/activities.js';
import type { IndexedCase, IndexedUnit } from '../contracts/case-index.js';
import { layout } from '../contracts/layout.js';
import type { OutcomeRecord } from '../contracts/outcome.js';
import type { FanOutModality } from '../contracts/workflow-ids.js';
import { unitKey, type CohortUnit } from '../domain/cohort/manifest.js';
import type { Files } from '../ports/files.js';
import type { RunLedger } from '../ports/run-ledger.js';
import { outcomesCsv } from './outcomes-csv.js';
import { allCases, allUnits, partOf, unitId } from './units.js';

interface LedgerServices {
  readonly files: Files;
  readonly ledger: RunLedger;
}

/** The step whose files are a unit's result: a unit is finished when it is. */
const RESULT_STEP: Readonly<Record<FanOutModality, string>> = {
  imaging: 'imaging.radiomics',
  genomics: 'genomics.quantify',
};

/** A unit that left no record at all: never started, or lost with its workflow. */
function missingRecord(unit: CohortUnit, end: RunEnd): OutcomeRecord {
  const { modality, caseId } = unit;
  const started = new Date().toISOString();
  const common = {
    caseId,
    modality,
    part: partOf(unit),
    step: `${modality}.workflow`,
    why: '',
    attempts: 0,
    started,
    seconds: 0,
  };
  if (end.state === 'cancelled') {
    return { ...common, outcome: 'cancelled', code: '', message: 'not started before the run was cancelled' };
  }
  return { ...common, outcome: 'failed', code: 'Terminated', message: 'ended without leaving an outcome' };
}

/** How a unit ended, from the records of its steps: the failure if one failed, else cancelled, else done. */
function statusOf(records: readonly OutcomeRecord[]): Pick<IndexedUnit, 'status' | 'code'> {
  const failed = records.find((record) => record.outcome === 'failed');
  if (failed !== undefined) return { status: 'failed', code: failed.code };
  return { status: records.some((record) => record.outcome === 'cancelled') ? 'cancelled' : 'done', code: '' };
}

async function filesOf(unit: CohortUnit, output: string, ledger: RunLedger): Promise<IndexedUnit['files']> {
  const folder = `${unit.modality}/${unitKey(unit)}`;
  const manifest = await ledger.manifest(layout.stepManifest(output, folder, RESULT_STEP[unit.modality]));
  return (manifest?.outputs ?? []).map(({ path, sha256 }) => ({ path: `${output}/${folder}/${path}`, sha256 }));
}

/** True when the step that makes a unit's result succeeded, even if a later one (the pictures) failed. */
function hasResult(unit: CohortUnit, records: readonly OutcomeRecord[]): boolean {
  const step = RESULT_STEP[unit.modality];
  return records.some((record) => record.step === step && (record.outcome === 'done' || record.outcome === 'reused'));
}

/**
 * Compacts a run's records into run/outcomes.csv (a row per case, modality, study or sample and step; a unit without a
 * record gets one) and run/cases.jsonl (a line per case of the sheet). Doing it again gives the same.
 */
export async function compactOutcomes(
  { files, ledger }: LedgerServices,
  end: RunEnd,
): ReturnType<CohortActivities['compactOutcomes']> {
  const { output, runId } = end;
  const byUnit = new Map<string, OutcomeRecord[]>();
  for (const record of await ledger.records(output, runId)) {
    const id = unitId(record);
    byUnit.set(id, [...(byUnit.get(id) ?? []), record]);
  }
  const indexed = new Map<string, IndexedUnit[]>();
  const recorded = new Map<string, OutcomeRecord[]>();
  for (const modality of ['imaging', 'genomics'] as const) {
    for await (const unit of allUnits(files, output, runId, modality)) {
      const part = partOf(unit);
      const records = byUnit.get(unitId({ modality, caseId: unit.caseId, part })) ?? [missingRecord(unit, end)];
      const made = hasResult(unit, records) ? await filesOf(unit, output, ledger) : [];
      const date = unit.modality === 'imaging' ? unit.date : undefined;
      const entry: IndexedUnit = { part, ...(date === undefined ? {} : { date }), ...statusOf(records), files: made };
      const key = `${modality}|${unit.caseId}`;
      indexed.set(key, [...(indexed.get(key) ?? []), entry]);
      recorded.set(unit.caseId, [...(recorded.get(unit.caseId) ?? []), ...records]);
    }
  }
  const lines = async function* (): AsyncIterable<string> {
    for await (const { caseId, carried } of allCases(files, output, runId)) {
      const imaging = indexed.get(`imaging|${caseId}`) ?? [];
      const genomics = indexed.get(`genomics|${caseId}`) ?? [];
      yield `${JSON.stringify({ caseId, carried, imaging, genomics } satisfies IndexedCase)}\n`;
    }
  };
  await files.write(layout.caseIndex(output), lines());
  const file = layout.outcomes(output);
  // A case's rows stand together, in the order of the sheet.
  const all: OutcomeRecord[] = [];
  for await (const { caseId } of allCases(files, output, runId)) all.push(...(recorded.get(caseId) ?? []));
  // A table that failed as a whole belongs to no case.
  all.push(...(byUnit.get(unitId({ modality: 'clinical', caseId: '', part: '' })) ?? []));
  await files.write(file, outcomesCsv(all));
  return { file, cases: layout.caseIndex(output), failed: all.filter((record) => record.outcome === 'failed').length };
}

/** Lists a modality's finished units with the files of their results: what the cohort's steps read. */
export async function listFinished(
  { files, ledger }: LedgerServices,
  request: Parameters<CohortActivities['listFinished']>[0],
): ReturnType<CohortActivities['listFinished']> {
  const { output, runId, modality } = request;
  const finished = new Set<string>();
  for (const record of await ledger.records(output, runId)) {
    if (record.step !== RESULT_STEP[modality]) continue;
    if (record.outcome === 'done' || record.outcome === 'reused') finished.add(unitId(record));
  }
  const lines: string[] = [];
  let segments = 0;
  for await (const unit of allUnits(files, output, runId, modality)) {
    const part = partOf(unit);
    if (!finished.has(unitId({ modality, caseId: unit.caseId, part }))) continue;
    // The hashes stand in the list, so that the list's own hash tells whether anything behind it changed.
    const outputs = await filesOf(unit, output, ledger);
    segments += outputs.filter(({ path }) => path.includes('/features-')).length;
    const date = unit.modality === 'imaging' ? unit.date : undefined;
    lines.push(`${JSON.stringify({ caseId: unit.caseId, part, ...(date === undefined ? {} : { date }), outputs })}\n`);
  }
  const list = layout.finished(output, modality);
  await files.write(list, lines.join(''));
  return { list, units: lines.length, segments };
}
