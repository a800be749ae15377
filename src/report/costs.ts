import { costBasis, costText, totalText } from '../domain/costs/index.js';
import { escaped, MISSING, tableMarkup } from './markup.js';
import type { PlannedCost, ReportModel } from './model.js';

const HEAD = ['executor', 'machine', 'Region', 'paid as', 'how many', 'hours', 'an hour', 'cost'];

/** How a machine is paid for, in a table. */
export const paidAs = (spot: boolean): string => (spot ? 'spot' : 'on demand');

function plannedText({ plannedAt, executor, units, dollars }: PlannedCost): string {
  const sum = dollars === null ? 'no price' : `$${dollars.toFixed(2)}`;
  return `${executor} ${sum} for ${units} ${executor === 'dragen' ? 'samples' : 'studies'} (${plannedAt.slice(0, 10)})`;
}

/** What the run cost in machines of services, that it is computed, and what was planned; nothing where there were none. */
export function costsMarkup({ costs, planned = [] }: Pick<ReportModel, 'costs' | 'planned'>): string {
  if (costs === undefined) return '';
  const { machines, prices } = costs;
  const rows = machines.map((one) => [
    one.executor,
    one.instanceType,
    one.region,
    paidAs(one.spot),
    String(one.machines),
    (one.seconds / 3600).toFixed(2),
    one.hour === null ? MISSING : `$${one.hour}`,
    costText(one, prices.date),
  ]);
  const basis = costBasis(costs);
  const left = 'Not in it: storage, requests, workers, the time of machines that waited in a pool, and licences.';
  const before = planned.length === 0 ? '' : `<p>Planned: ${escaped(planned.map(plannedText).join('; '))}.</p>`;
  return `<h2>What it cost</h2><p><strong>${escaped(totalText(costs))}</strong>, ${escaped(basis)}. ${left}</p>${before}${tableMarkup(HEAD, rows)}`;
}
