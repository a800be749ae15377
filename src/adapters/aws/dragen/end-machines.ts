import { setTimeout as sleep } from 'node:timers/promises';
import { CohortflowError } from '../../../domain/errors.js';
import { COSTS, type Machine, type Machines } from './machines.js';

const ENDED_WITHIN_MS = 15 * 60_000;

type Known = Pick<Machine, 'id' | 'since'>;

/**
 * Ends machines and waits until none of them costs any more. One that was started a moment ago may not be seen yet, also not
 * by the one who ends it: until it must be seen it is alive, and is ended again.
 *
 * @param options `unseenMs`: so long a machine that was started may not be seen; `pollMs`: between two looks
 */
export async function endMachines(
  machines: Pick<Machines, 'terminate' | 'describe'>,
  found: readonly Known[],
  { unseenMs, pollMs }: { readonly unseenMs: number; readonly pollMs: number },
  signal: AbortSignal,
): Promise<void> {
  const began = Date.now();
  const mayBeUnseen = ({ since }: Known): boolean =>
    Date.now() - (since === undefined ? began : Date.parse(since)) < unseenMs;
  let [left, toEnd] = [found, found];
  for (;;) {
    for (const { id } of toEnd) await machines.terminate(id, signal);
    const looks = await Promise.all(
      left.map(async (known) => ({ known, seen: await machines.describe(known.id, signal) })),
    );
    toEnd = looks.flatMap(({ known, seen }) => (seen === undefined && mayBeUnseen(known) ? [known] : []));
    const stillThere = looks.flatMap(({ seen }) => (seen !== undefined && COSTS.includes(seen.state) ? [seen] : []));
    left = [...toEnd, ...stillThere];
    if (left.length === 0) return;
    if (Date.now() - began > ENDED_WITHIN_MS) {
      throw new CohortflowError('AwsUnavailable', `the machine ${left[0]?.id ?? ''} does not end`);
    }
    await sleep(pollMs, undefined, { signal });
  }
}
