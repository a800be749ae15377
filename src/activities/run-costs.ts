import { layout } from '../contracts/layout.js';
import { runCosts, type PaidMachine, type RunCosts } from '../domain/costs/index.js';
import { mapBounded } from '../domain/map-bounded.js';
import type { Files } from '../ports/files.js';

/** A run, as what was paid for it is kept. */
interface PaidRun {
  readonly output: string;
  readonly runId: string;
}

/** Files of what was paid that are read at once. */
const READS_AT_ONCE = 32;

/** Keeps what was paid for a piece of work; what was said of it first holds. */
export async function notePaid(
  files: Files,
  { output, runId }: PaidRun,
  name: string,
  paid: readonly PaidMachine[] = [],
): Promise<void> {
  if (paid.length > 0) await files.writeOnce(`${layout.paid(output, runId)}/${name}.json`, JSON.stringify(paid));
}

/**
 * Writes what the machines of services cost in a run so far, by list prices: run/costs.json, which is removed where there were
 * none.
 */
export async function writeRunCosts(files: Files, run: PaidRun, signal?: AbortSignal): Promise<RunCosts | undefined> {
  const folder = layout.paid(run.output, run.runId);
  const told = await mapBounded(
    await files.names(folder),
    READS_AT_ONCE,
    async (name) => JSON.parse(await files.readText(`${folder}/${name}`, signal)) as readonly PaidMachine[],
  );
  const costs = runCosts(told.flat());
  const place = layout.costs(run.output);
  if (costs === undefined) await files.remove(place);
  else await files.write(place, `${JSON.stringify({ runId: run.runId, ...costs }, null, 1)}\n`);
  return costs;
}
