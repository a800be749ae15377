import { layout } from '../contracts/layout.js';
import {
  paidName,
  paidNamed,
  runCosts,
  sumByKind,
  type PaidMachine,
  type PaidMachines,
  type RunCosts,
} from '../domain/costs/index.js';
import { mapBounded } from '../domain/map-bounded.js';
import type { Files } from '../ports/files.js';
import { sha256Text } from './canonical-json.js';

/** A run, as what was paid for it is kept. */
interface PaidRun {
  readonly output: string;
  readonly runId: string;
}

/** Folders of what was paid that are listed at once, and files of one that are read at once. */
const AT_ONCE = 8;

/** Which of 256 folders a piece of work belongs to: one is listed at a time, so that memory does not grow with the run. */
const shardOf = (work: string): string => sha256Text(work).slice(0, 2);
const SHARD = /^[0-9a-f]{2}$/;

/** Keeps what was paid for a piece of work. It may be told again, by an attempt whose answer was lost. */
export async function notePaid(
  files: Files,
  { output, runId }: PaidRun,
  work: string,
  paid: readonly PaidMachine[] = [],
): Promise<void> {
  if (paid.length === 0) return;
  const place = `${layout.paid(output, runId)}/${shardOf(work)}/${paidName(work, paid)}`;
  await files.writeOnce(place, JSON.stringify(paid));
}

const secondsOf = (paid: readonly PaidMachine[]): number => paid.reduce((sum, { seconds }) => sum + seconds, 0);

/**
 * What was paid for the work of one folder, by kind of machine. A piece of work counts once, with the fewest seconds that were
 * told of it: until when a machine ran is told as it is given back, so that what is told later is never less.
 */
async function sumOfShard(files: Files, folder: string, signal?: AbortSignal): Promise<readonly PaidMachines[]> {
  signal?.throwIfAborted();
  const told = (await files.names(folder)).flatMap((name) => {
    const known = paidNamed(name);
    return known === undefined ? [] : [{ name, ...known }];
  });
  const paid = await mapBounded(told, AT_ONCE, async ({ name, machine }) =>
    machine === undefined
      ? (JSON.parse(await files.readText(`${folder}/${name}`, signal)) as readonly PaidMachine[])
      : [machine],
  );
  const counted = new Map<string, readonly PaidMachine[]>();
  for (const [at, { work }] of told.entries()) {
    const [now = [], before] = [paid[at], counted.get(work)];
    if (before === undefined || secondsOf(now) < secondsOf(before)) counted.set(work, now);
  }
  return sumByKind([...counted.values()].flat());
}

/**
 * Writes what the machines of services cost in a run so far, by list prices: run/costs.json, which is removed where there were
 * none. What was paid is listed, not read: a thousand jobs with each answer of S3.
 */
export async function writeRunCosts(files: Files, run: PaidRun, signal?: AbortSignal): Promise<RunCosts | undefined> {
  const folder = layout.paid(run.output, run.runId);
  const shards = (await files.names(folder)).filter((name) => SHARD.test(name));
  const sums = await mapBounded(shards, AT_ONCE, (shard) => sumOfShard(files, `${folder}/${shard}`, signal));
  const costs = runCosts(sums.flat());
  const place = layout.costs(run.output);
  if (costs === undefined) await files.remove(place);
  else await files.write(place, `${JSON.stringify({ runId: run.runId, ...costs }, null, 1)}\n`);
  return costs;
}
