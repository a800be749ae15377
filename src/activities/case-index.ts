import type { CohortActivities, RunState } from '../contracts/activities.js';
import { segmentOf, type IndexedCase, type IndexedUnit } from '../contracts/case-index.js';
import { layout } from '../contracts/layout.js';
import type { OutcomeRecord } from '../contracts/outcome.js';
import type { FanOutModality } from '../contracts/workflow-ids.js';
import { unitKey, type CohortUnit } from '../domain/cohort/manifest.js';
import { costLines } from '../domain/costs/index.js';
import { CohortflowError } from '../domain/errors.js';
import { mapBounded } from '../domain/map-bounded.js';
import type { Files } from '../ports/files.js';
import type { RunLedger } from '../ports/run-ledger.js';
import { writeRunCosts } from './run-costs.js';
import type { JsonObject } from '../steps/step.js';
import { Quantified } from './run-versions.js';
import { outcomeRows, outcomesHead } from './outcomes-csv.js';
import { writeTogether } from './text-channel.js';
import { allCases, partOf, unitPages } from './units.js';

interface LedgerServices {
  readonly files: Files;
  readonly ledger: RunLedger;
}

/** The step whose files are a unit's result: a unit is finished when it is. */
const RESULT_STEP: Readonly<Record<FanOutModality, string>> = {
  imaging: 'imaging.radiomics',
  genomics: 'genomics.quantify',
};

/** Manifests of results read at once. */
const READS_AT_ONCE = 32;

/** Cases whose lines are written at once. */
const CASES_PER_PIECE = 500;

/** The step after which a unit has ended well. */
const LAST_STEP: Readonly<Record<FanOutModality, string>> = {
  imaging: 'imaging.overlay',
  genomics: 'genomics.quantify',
};

/** True when its records tell how a unit ended. */
export function hasEnded({ modality }: CohortUnit, records: readonly OutcomeRecord[]): boolean {
  return records.some(
    ({ outcome, step }) => outcome === 'failed' || outcome === 'cancelled' || step === LAST_STEP[modality],
  );
}

/**
 * The records of a unit with what stands for the end it did not record: nothing yet in a run under way; otherwise it was
 * never started, was lost with its workflow, or its failure could not be written (a full disk).
 */
function withEnd(unit: CohortUnit, records: readonly OutcomeRecord[], end: RunState): readonly OutcomeRecord[] {
  return end.state === 'running' || hasEnded(unit, records) ? records : [...records, missingRecord(unit, end)];
}

function missingRecord(unit: CohortUnit, end: RunState): OutcomeRecord {
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
export function statusOf(records: readonly OutcomeRecord[]): Pick<IndexedUnit, 'status' | 'code'> {
  const failed = records.find((record) => record.outcome === 'failed');
  if (failed !== undefined) return { status: 'failed', code: failed.code };
  return { status: records.some((record) => record.outcome === 'cancelled') ? 'cancelled' : 'done', code: '' };
}

async function resultOf(
  unit: CohortUnit,
  output: string,
  ledger: RunLedger,
): Promise<Pick<KnownUnit, 'files' | 'summary'>> {
  const folder = `${unit.modality}/${unitKey(unit)}`;
  const manifest = await ledger.manifest(layout.stepManifest(output, folder, RESULT_STEP[unit.modality]));
  const { outputs = [], summary = {} } = manifest ?? {};
  const files = outputs.map(({ path, sha256 }) => ({ path: `${output}/${folder}/${path}`, sha256 }));
  return { files, summary };
}

/** True when the step that makes a unit's result succeeded, even if a later one (the pictures) failed. */
function hasResult(unit: CohortUnit, records: readonly OutcomeRecord[]): boolean {
  const step = RESULT_STEP[unit.modality];
  return records.some((record) => record.step === step && (record.outcome === 'done' || record.outcome === 'reused'));
}

/** A unit with what the ledger says of it. */
interface KnownUnit {
  readonly unit: CohortUnit;
  readonly part: string;
  /** None for a unit that left none. */
  readonly records: readonly OutcomeRecord[];
  /** Files of its result; undefined when it has none. */
  readonly files: IndexedUnit['files'] | undefined;
  /** Of the step that made it. */
  readonly summary: JsonObject;
}

/** The units of a modality in sheet order with their records (of one step, if told) and files; one page of them in memory. */
async function* knownUnits(
  { files, ledger }: LedgerServices,
  { output, runId }: Pick<RunState, 'output' | 'runId'>,
  modality: FanOutModality,
  only: { readonly step?: string; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<KnownUnit, undefined> {
  const reader = ledger.recordsOf(output, runId, modality);
  for await (const { first, units } of unitPages(files, output, runId, modality)) {
    const named = units.map((unit) => ({ unit, caseId: unit.caseId, part: partOf(unit) }));
    const records = await reader.of(named, first, only);
    yield* await mapBounded(named, READS_AT_ONCE, async ({ unit, part }, index) => {
      const own = records[index] ?? [];
      const result = hasResult(unit, own) ? await resultOf(unit, output, ledger) : { files: undefined, summary: {} };
      return { unit, part, records: own, ...result };
    });
  }
  return undefined;
}

const dateOf = (unit: CohortUnit): { readonly date?: string } =>
  unit.modality === 'imaging' && unit.date !== undefined ? { date: unit.date } : {};

/** Hands out the units of one modality case by case: units lie in the order of the cases. */
class UnitsByCase {
  #next: Promise<IteratorResult<KnownUnit, undefined>> | undefined;

  constructor(private readonly units: AsyncGenerator<KnownUnit, undefined>) {}

  async of(caseId: string): Promise<readonly KnownUnit[]> {
    const found: KnownUnit[] = [];
    for (;;) {
      const { value } = await (this.#next ??= this.units.next());
      if (value?.unit.caseId !== caseId) return found;
      found.push(value);
      this.#next = undefined;
    }
  }

  /** Throws when a unit was left: then the pages are not in one order, and cases would have lost their units. */
  async end(): Promise<void> {
    const { value } = await (this.#next ??= this.units.next());
    if (value === undefined) return;
    throw new CohortflowError(
      'InternalError',
      `the units of case ${value.unit.caseId} are not in the order of the cases`,
    );
  }
}

/**
 * Compacts a run's records into run/outcomes.csv (a row per case, modality, study or sample and step; a unit without a
 * record gets one) and run/cases.jsonl (a line per case of the sheet); writes what it cost and what quantified its reads. Doing it
 * again gives the same. Cases and units are
 * read side by side, a page each, so that memory does not grow with the cohort.
 */
export async function compactOutcomes(
  services: LedgerServices,
  end: RunState,
  signal?: AbortSignal,
): ReturnType<CohortActivities['compactOutcomes']> {
  const { files, ledger } = services;
  const { output, runId } = end;
  const file = layout.outcomes(output);
  const cases = layout.caseIndex(output);
  const modalities = (['imaging', 'genomics'] as const).map(
    (modality) => new UnitsByCase(knownUnits(services, end, modality, { signal })),
  );
  const quantified = new Quantified();
  let failed = 0;
  await writeTogether(files, [file, cases], async (send) => {
    let rows: OutcomeRecord[] = [];
    let lines: string[] = [];
    const flush = async (): Promise<void> => {
      const pieces = [outcomeRows(rows), lines.join('')];
      failed += rows.filter((record) => record.outcome === 'failed').length;
      rows = [];
      lines = [];
      await send(pieces);
    };
    await send([outcomesHead(), '']);
    // A case's rows stand together, in the order of the sheet.
    for await (const { caseId, carried } of allCases(files, output, runId)) {
      const indexed: IndexedUnit[][] = [];
      for (const units of modalities) {
        const entries: IndexedUnit[] = [];
        for (const { unit, part, records, files: made, summary } of await units.of(caseId)) {
          if (unit.modality === 'genomics') quantified.add(summary);
          const recorded = withEnd(unit, records, end);
          rows.push(...recorded);
          const status = statusOf(recorded);
          const open = !hasEnded(unit, recorded);
          entries.push({ part, ...dateOf(unit), ...status, ...(open ? { status: 'open' } : {}), files: made ?? [] });
        }
        indexed.push(entries);
      }
      const [imaging = [], genomics = []] = indexed;
      lines.push(`${JSON.stringify({ caseId, carried, imaging, genomics } satisfies IndexedCase)}\n`);
      if (lines.length === CASES_PER_PIECE) await flush();
    }
    for (const units of modalities) await units.end();
    // A table that failed as a whole belongs to no case.
    const [clinical = []] = await ledger.recordsOf(output, runId, 'clinical').of([{ caseId: '', part: '' }], 0);
    rows.push(...clinical);
    await flush();
  });
  await quantified.write(files, output);
  const costs = await writeRunCosts(files, end, signal);
  return { file, cases, failed, ...(costs === undefined ? {} : { costs: costLines(costs) }) };
}

/** Lists a modality's finished units with the files of their results: what the cohort's steps read. */
export async function listFinished(
  services: LedgerServices,
  request: Parameters<CohortActivities['listFinished']>[0],
  signal?: AbortSignal,
): ReturnType<CohortActivities['listFinished']> {
  const { output, modality } = request;
  let units = 0;
  let segments = 0;
  const lines = async function* (): AsyncIterable<string> {
    const only = { step: RESULT_STEP[modality], signal };
    for await (const { unit, part, files: outputs } of knownUnits(services, request, modality, only)) {
      if (outputs === undefined) continue;
      units += 1;
      segments += outputs.filter(({ path }) => segmentOf(path) !== undefined).length;
      // The hashes stand in the list, so that the list's own hash tells whether anything behind it changed.
      yield `${JSON.stringify({ caseId: unit.caseId, part, ...dateOf(unit), outputs })}\n`;
    }
  };
  const list = layout.finished(output, modality);
  await services.files.write(list, lines());
  return { list, units, segments };
}
