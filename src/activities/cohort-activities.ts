import { ApplicationFailure, Context } from '@temporalio/activity';
import type { CohortActivities, RunEnd, UnitPage } from '../contracts/activities.js';
import { UNITS_PER_PAGE, layout } from '../contracts/layout.js';
import type { OutcomeRecord } from '../contracts/outcome.js';
import { unitKey, type CohortUnit } from '../domain/cohort/manifest.js';
import type { Files } from '../ports/files.js';
import type { RunLedger } from '../ports/run-ledger.js';
import { outcomesCsv } from './outcomes-csv.js';
import { prepareCohort, type PrepareServices } from './prepare-cohort.js';
import { heartbeating, toApplicationFailure } from './step-activities.js';

/** What the quick activities need. */
export interface CohortServices extends PrepareServices {
  readonly files: Files;
  readonly ledger: RunLedger;
}

async function readPage(files: Files, page: UnitPage, number: number): Promise<readonly string[] | undefined> {
  const path = layout.unitPage(page.output, page.runId, page.modality, number);
  if ((await files.stat(path)) === undefined) return undefined;
  return (await files.readText(path)).split('\n').filter((line) => line !== '');
}

async function loadUnits(files: Files, page: UnitPage): Promise<readonly CohortUnit[]> {
  const units: CohortUnit[] = [];
  let number = -1;
  let lines: readonly string[] | undefined;
  for (let at = page.offset; units.length < page.limit; at += page.stride) {
    const wanted = Math.floor(at / UNITS_PER_PAGE);
    if (wanted !== number) {
      number = wanted;
      lines = await readPage(files, page, number);
    }
    const line = lines?.[at % UNITS_PER_PAGE];
    if (line === undefined) break;
    units.push(JSON.parse(line) as CohortUnit);
  }
  return units;
}

/** All units of a modality, page by page. */
async function* allUnits(
  files: Files,
  output: string,
  runId: string,
  modality: 'imaging' | 'genomics',
): AsyncIterable<CohortUnit> {
  for (let number = 0; ; number += 1) {
    const lines = await readPage(files, { output, runId, modality, offset: 0, stride: 1, limit: 0 }, number);
    if (lines === undefined) return;
    for (const line of lines) yield JSON.parse(line) as CohortUnit;
  }
}

/** The last step of a unit's pipeline: a unit is finished when it is. */
const LAST_STEP = { imaging: 'imaging.radiomics', genomics: 'genomics.quantify' } as const;

const keyOf = (record: Pick<OutcomeRecord, 'modality' | 'caseId' | 'part'>): string =>
  `${record.modality}|${record.caseId}|${record.part}`;

const partOf = (unit: CohortUnit): string => unitKey(unit).slice(unit.caseId.length + 1);

async function listFinished(
  services: CohortServices,
  request: Parameters<CohortActivities['listFinished']>[0],
): ReturnType<CohortActivities['listFinished']> {
  const { files, ledger } = services;
  const { output, runId, modality } = request;
  const step = LAST_STEP[modality];
  const finished = new Set<string>();
  for (const record of await ledger.records(output, runId)) {
    if (record.step === step && (record.outcome === 'done' || record.outcome === 'reused')) finished.add(keyOf(record));
  }
  const lines: string[] = [];
  let segments = 0;
  for await (const unit of allUnits(files, output, runId, modality)) {
    const part = partOf(unit);
    if (!finished.has(keyOf({ modality, caseId: unit.caseId, part }))) continue;
    const folder = `${modality}/${unitKey(unit)}`;
    const manifest = await ledger.manifest(layout.stepManifest(output, folder, step));
    const made = manifest?.outputs ?? [];
    // The hashes stand in the list, so that the list's own hash tells whether anything behind it changed.
    const outputs = made.map(({ path, sha256 }) => ({ path: `${output}/${folder}/${path}`, sha256 }));
    segments += made.filter(({ path }) => path.startsWith('features-')).length;
    const date = unit.modality === 'imaging' ? unit.date : undefined;
    lines.push(JSON.stringify({ caseId: unit.caseId, part, ...(date === undefined ? {} : { date }), outputs }));
  }
  const list = layout.finished(output, modality);
  await files.write(list, lines.map((line) => `${line}\n`).join(''));
  return { list, units: lines.length, segments };
}

/** Units that left no record at all: never started, or lost with their workflow. */
async function unrecorded(
  services: CohortServices,
  end: RunEnd,
  records: readonly OutcomeRecord[],
): Promise<OutcomeRecord[]> {
  const seen = new Set(records.map(keyOf));
  const missing: OutcomeRecord[] = [];
  const started = new Date().toISOString();
  for (const modality of ['imaging', 'genomics'] as const) {
    for await (const unit of allUnits(services.files, end.output, end.runId, modality)) {
      const part = partOf(unit);
      if (seen.has(keyOf({ modality, caseId: unit.caseId, part }))) continue;
      const base = {
        caseId: unit.caseId,
        modality,
        part,
        step: `${modality}.workflow`,
        why: '',
        attempts: 0,
        started,
        seconds: 0,
      };
      if (end.state === 'cancelled')
        missing.push({ ...base, outcome: 'cancelled', code: '', message: 'not started before the run was cancelled' });
      else
        missing.push({ ...base, outcome: 'failed', code: 'Terminated', message: 'ended without leaving an outcome' });
    }
  }
  return missing;
}

async function compactOutcomes(services: CohortServices, end: RunEnd): ReturnType<CohortActivities['compactOutcomes']> {
  const records = await services.ledger.records(end.output, end.runId);
  const all = [...records, ...(await unrecorded(services, end, records))];
  const file = layout.outcomes(end.output);
  await services.files.write(file, outcomesCsv(all));
  return { file, failed: all.filter((record) => record.outcome === 'failed').length };
}

async function closeRun(services: CohortServices, end: RunEnd): Promise<void> {
  const { output, runId, state, result } = end;
  const owner = await services.ledger.owner(output);
  if (owner === undefined || owner.runId !== runId) return;
  const endedAt = new Date().toISOString();
  await services.ledger.setOwner(output, { ...owner, state, endedAt, ...(result === undefined ? {} : { result }) });
}

async function coded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ApplicationFailure
      ? error
      : toApplicationFailure(error, { attempt: Context.current().info.attempt });
  }
}

/** The quick activities: over the ledger and the pages of units. */
export function createCohortActivities(services: CohortServices): CohortActivities {
  const { files, ledger } = services;
  return {
    prepareCohort: (request) => heartbeating(() => prepareCohort(request, services)),
    loadUnits: (page) => coded(() => loadUnits(files, page)),
    recordOutcome: ({ output, runId, record }) => coded(() => ledger.record(output, runId, record)),
    listFinished: (request) => heartbeating(() => listFinished(services, request)),
    compactOutcomes: (end) => heartbeating(() => compactOutcomes(services, end)),
    closeRun: (end) => coded(() => closeRun(services, end)),
  };
}
