import { roundTo } from './estimate.js';
import { FALLBACK_REGION, pricesOf, type PriceTable, type RegionPrices } from './prices.js';

/** A machine that a service was asked for, as far as it is paid for. */
export type PaidMachine = {
  readonly executor: 'sagemaker' | 'dragen';
  readonly instanceType: string;
  /** From its start, or its job's, to its end; of a machine of a pool those of one piece of work. */
  readonly seconds: number;
  readonly spot: boolean;
  /** Absent where the settings leave it to the SDK. */
  readonly region?: string;
};

/** Machines of one kind together; `seconds` are those of all. One alone need not be counted. */
export type PaidMachines = PaidMachine & { readonly machines?: number };

/** What the machines of one kind come to. */
export interface CostOfMachines {
  readonly executor: PaidMachine['executor'];
  readonly instanceType: string;
  readonly spot: boolean;
  readonly region: string;
  /** False where the prices are those of another Region, which stands in. */
  readonly ofRegion: boolean;
  readonly machines: number;
  readonly seconds: number;
  /** List price of an hour on demand; null where the table has none. */
  readonly hour: number | null;
  readonly dollars: number | null;
}

/** What a run cost in machines of services, by list prices. */
export interface RunCosts {
  /** Day of the table of prices; whether its figures were looked up at their source. */
  readonly prices: { readonly date: string; readonly verified: boolean };
  readonly machines: readonly CostOfMachines[];
  /** Of the machines that have a price; null where none has. */
  readonly dollars: number | null;
  /** Types without a price, and where: their cost is not in the sum. */
  readonly unpriced: readonly string[];
}

const TABLES: Readonly<Record<PaidMachine['executor'], keyof Pick<RegionPrices, 'processing' | 'instances'>>> = {
  sagemaker: 'processing',
  dragen: 'instances',
};

/** To a hundredth of a cent. */
const exact = (dollars: number): number => Math.round(dollars * 1e4) / 1e4;

const kindOf = ({ executor, instanceType, spot, region }: PaidMachine): string =>
  [executor, instanceType, String(spot), region ?? ''].join('\n');

/** One entry for each kind of machine, in the order of the kinds. Sums may be summed again: a part of a run at a time. */
export function sumByKind(paid: Iterable<PaidMachines>): readonly (PaidMachine & { readonly machines: number })[] {
  const sums = new Map<string, PaidMachine & { machines: number }>();
  for (const one of paid) {
    const kind = kindOf(one);
    const { machines = 0, seconds = 0 } = sums.get(kind) ?? {};
    sums.set(kind, { ...one, machines: machines + (one.machines ?? 1), seconds: seconds + one.seconds });
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
}

/**
 * What machines cost by the seconds that they ran and the list prices of a table; undefined where there were none.
 *
 * @param region where it is not said of a machine
 */
export function runCosts(paid: Iterable<PaidMachines>, region?: string, table?: PriceTable): RunCosts | undefined {
  const sums = sumByKind(paid);
  if (sums.length === 0) return undefined;
  let verified = true;
  const machines = sums.map((sum): CostOfMachines => {
    const { executor, instanceType, spot, region: own = region ?? FALLBACK_REGION } = sum;
    const chosen = pricesOf(own, table);
    const prices = chosen.prices[TABLES[executor]];
    const hour = (Object.hasOwn(prices, instanceType) ? prices[instanceType] : undefined) ?? null;
    if (hour !== null) verified &&= chosen.verified(`${TABLES[executor]}.${instanceType}`);
    const dollars = hour === null ? null : exact((sum.seconds / 3600) * hour);
    const { ofRegion } = chosen;
    const seconds = Math.round(sum.seconds * 1000) / 1000;
    return { executor, instanceType, spot, region: own, ofRegion, machines: sum.machines, seconds, hour, dollars };
  });
  const priced = machines.flatMap(({ dollars }) => (dollars === null ? [] : [dollars]));
  return {
    prices: { date: pricesOf(FALLBACK_REGION, table).date, verified },
    machines,
    dollars: priced.length === 0 ? null : exact(priced.reduce((sum, one) => sum + one, 0)),
    unpriced: [
      ...new Set(
        machines.flatMap(({ hour, instanceType, region: where }) =>
          hour === null ? [`${instanceType} in ${where}`] : [],
        ),
      ),
    ],
  };
}

const money = (dollars: number): string => (dollars < 0.01 ? `$${roundTo(dollars, 4)}` : `$${dollars.toFixed(2)}`);

/** The cost of machines of one kind as people read it; what has no price says so and is never 0. */
export function costText({ instanceType, spot, dollars }: CostOfMachines, date: string): string {
  if (dollars === null) return `no price for ${instanceType} in table of ${date}`;
  // What spot machines cost changes by the hour and is in no table.
  return spot ? `at most ${money(dollars)}` : money(dollars);
}

/** The sum of all that have a price; how much is not in it. */
export function totalText({ dollars, unpriced, machines }: RunCosts): string {
  if (dollars === null) return 'not known';
  const spot = machines.some((one) => one.spot && one.dollars !== null) ? 'at most ' : '';
  return `${spot}${money(dollars)}${unpriced.length === 0 ? '' : `, without ${unpriced.join(', ')}`}`;
}

/** What every statement of such costs must say. */
export function costBasis({ prices: { date, verified }, machines }: RunCosts): string {
  const others = [...new Set(machines.flatMap((one) => (one.ofRegion ? [] : [one.region])))];
  return [
    `computed from seconds and list prices on demand of ${date}, not what was billed`,
    ...(verified ? [] : ['nobody has checked these prices at their source']),
    ...(others.length === 0 ? [] : [`prices of ${FALLBACK_REGION} stand in for those of ${others.join(', ')}`]),
  ].join('; ');
}

/** The costs for a terminal, a line for each kind of machine. */
export function costLines(costs: RunCosts): string[] {
  const { machines, prices } = costs;
  const rows = machines.map((one) => {
    const { executor, instanceType, spot, machines: count, seconds } = one;
    const what = `${executor}: ${count} × ${instanceType}${spot ? ' (spot)' : ''}, ${roundTo(seconds / 3600, 2)} h`;
    return `${what}, ${costText(one, prices.date)}`;
  });
  return [...rows, ...(machines.length > 1 ? [`in all ${totalText(costs)}`] : []), costBasis(costs)];
}
