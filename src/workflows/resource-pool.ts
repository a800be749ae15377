import { allHandlersFinished, condition, continueAsNew, log, setHandler, workflowInfo } from '@temporalio/workflow';
import { checkInput, type FieldRules } from '../contracts/input-check.js';
import { grantOf, withClaim, withGrants, type PoolHolder } from '../contracts/pools.js';
import { cohort } from './activities.js';
import { Courier } from './courier.js';
import { orFail } from './failures.js';
import { claimSignal, grantSignal, poolQuery } from './messages.js';

const RULES: FieldRules = {
  pool: { kind: 'text', required: true, about: 'name of the pool' },
  holders: { kind: 'list', about: 'internal: who holds slots' },
};

interface PoolInput {
  readonly pool: string;
  readonly holders?: readonly PoolHolder[];
}

/** How often holders are looked for that ended without giving their slots back, however busy the others are; ms. */
const LEASE = 5 * 60_000;
/** An empty pool waits for so long before it ends; the next claim starts it anew. */
const IDLE = '1 minute';

/**
 * A pool of slots that fan-outs of several cohorts share: divides them fairly, and gives a slot on only when its last
 * holder has confirmed that nothing runs in it, or is gone. Started by the first claim; it ends when nobody holds anything.
 */
export async function resourcePool(raw: unknown): Promise<void> {
  const input = orFail(() => checkInput<PoolInput>('resourcePool', RULES, raw));
  const { pool } = input;
  let holders: readonly PoolHolder[] = input.holders ?? [];
  let changes = 0;
  const courier = new Courier();
  const tell = (one: PoolHolder): void =>
    courier.send(one.holder, (handle) => handle.signal(grantSignal, grantOf(pool, one)));

  /** Takes on a change of who holds what, and tells those whose grant is another now. */
  const settle = (next: readonly PoolHolder[]): void => {
    const before = new Map(holders.map((one) => [one.holder, one.seq]));
    holders = withGrants(next);
    changes += 1;
    for (const one of holders) {
      if (one.seq !== (before.get(one.holder) ?? 0)) tell(one);
    }
  };
  setHandler(poolQuery, () => holders);
  setHandler(claimSignal, (claim) => settle(withClaim(holders, claim)));
  // Whatever became of the last grants of the run before: one that was heard already is not heeded twice.
  holders.forEach(tell);

  let looked = Date.now();
  for (;;) {
    const seen = changes;
    const empty = holders.length === 0;
    if (empty) looked = Date.now();
    const wait = empty ? IDLE : Math.max(1, looked + LEASE - Date.now());
    const changed = await condition(() => changes !== seen, wait);
    if (!changed && holders.length === 0 && changes === seen) break;
    if (holders.length > 0 && Date.now() - looked >= LEASE) {
      looked = Date.now();
      const { open } = await cohort.openWorkflows({ ids: holders.map(({ holder }) => holder) });
      const gone = holders.filter(({ holder }) => !open.includes(holder));
      if (gone.length > 0) settle(holders.filter((one) => !gone.includes(one)));
    }
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      // A signal that is given together with the end of a run is never sent. One who cannot be told keeps what it has.
      await courier.delivered().catch((error: unknown) => log.warn(`pool ${pool}: ${String(error)}`));
      await continueAsNew<(next: PoolInput) => Promise<void>>({ pool, holders });
    }
  }
}
