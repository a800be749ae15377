import type { FanOutModality } from '../contracts/workflow-ids.js';
import type { PreparedRun, RetryOf } from '../contracts/inputs.js';
import { layout } from '../contracts/layout.js';
import { NO_UNITS, type OutcomeRecord, type UnitCounts } from '../contracts/outcome.js';
import type { CohortUnit } from '../domain/cohort/manifest.js';
import { CohortflowError } from '../domain/errors.js';
import type { Files } from '../ports/files.js';
import type { RunLedger } from '../ports/run-ledger.js';
import { failureOf, pagesOf, recorded, writeRound } from './select-failed.js';
import { hasEnded, statusOf } from './case-index.js';
import { allUnits } from './units.js';

/** The round of a run that takes up the failures of an earlier one; its own retries come after. */
const FIRST_ROUND = 1;

interface Services {
  readonly files: Files;
  readonly ledger: RunLedger;
}

/** The run whose failures are taken up: the one that was named, or the last one before it that left records. */
export async function retriedRun(services: Services, output: string, runId: string, retryOf: RetryOf): Promise<string> {
  const { files, ledger } = services;
  const owner = await ledger.owner(output);
  // Asked again after its answer was lost, this run owns the folder already.
  const last = owner?.runId === runId ? undefined : owner?.runId;
  const known = [retryOf.runId, last, owner?.retryOf].filter((one) => one !== undefined);
  const [first] = known;
  if (first === undefined) {
    throw new CohortflowError('RunNotFound', 'retryOf: no run has written into the output folder yet');
  }
  // A run that failed before it began (a retry whose sheet was faulty, say) knows nothing of any unit.
  for (const earlier of known) if ((await files.names(layout.records(output, earlier))).length > 0) return earlier;
  return first;
}

/**
 * Splits the units of a run into those that failed in an earlier one, which it takes up as its first round, and the others,
 * whose outcomes it carries over. A unit of which the earlier run knows nothing has failed there.
 *
 * @returns how many it takes up, and what the others count as
 */
export async function takeUpFailures(
  services: Services,
  run: { readonly output: string; readonly runId: string; readonly modality: FanOutModality },
  earlier: string,
  choice: RetryOf,
): Promise<NonNullable<NonNullable<PreparedRun['retry']>[FanOutModality]>> {
  const { files, ledger } = services;
  const { output, runId, modality } = run;
  let carried: UnitCounts = NO_UNITS;
  const takenUp = async function* (): AsyncIterable<CohortUnit> {
    const reader = ledger.recordsOf(output, earlier, modality);
    let first = 0;
    for await (const page of pagesOf(allUnits(files, output, runId, modality))) {
      const records = await reader.of(page.map(recorded), first);
      const kept: OutcomeRecord[] = [];
      for (const [index, unit] of page.entries()) {
        const known = records[index] ?? [];
        // It was never started, was lost with its workflow, or its end cannot be read.
        const ended = hasEnded(unit, known);
        const lost = !ended && choice.step === undefined && (choice.code ?? 'Terminated') === 'Terminated';
        if (lost || failureOf(known, choice) !== undefined) {
          yield unit;
          continue;
        }
        const { status } = ended ? statusOf(known) : { status: 'failed' as const };
        const as = status === 'done' || status === 'open' ? 'reused' : status;
        carried = { ...carried, total: carried.total + 1, [as]: carried[as] + 1 };
        kept.push(...known.map(({ round: _round, ...record }) => record));
      }
      const last = first + page.length - 1;
      if (kept.length > 0) await ledger.recordPage(output, runId, { modality, first, last, name: 'carried' }, kept);
      first += page.length;
    }
  };
  const total = await writeRound(files, output, runId, modality, FIRST_ROUND, takenUp());
  return { round: FIRST_ROUND, total, carried };
}
