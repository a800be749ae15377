import { describe, expect, it } from 'vitest';
import {
  costBasis,
  costLines,
  costText,
  runCosts,
  totalText,
  type PaidMachine,
} from '../../../../src/domain/costs/index.js';
import type { PriceTable, RegionPrices } from '../../../../src/domain/costs/index.js';

const PRICES: RegionPrices = {
  processing: { 'ml.r5.large': 0.151 },
  instances: { 'f2.6xlarge': 1.98 },
  ...{ fargateVcpu: 1, fargateGb: 1, processingStorage: 1, gp2: 1, gp3: 1, s3Storage: 1, s3Put: 1, s3Get: 1 },
};
const TABLE: PriceTable = {
  ...{ date: '2026-01-02', source: 'a test', unverified: [] },
  regions: { 'us-east-1': PRICES, 'eu-west-1': { ...PRICES, instances: { 'f2.6xlarge': 2.2 } } },
};
const box = (seconds: number, more: Partial<PaidMachine> = {}): PaidMachine => ({
  ...{ executor: 'dragen', instanceType: 'f2.6xlarge', seconds, spot: false, region: 'us-east-1' },
  ...more,
});
const costs = (...paid: PaidMachine[]) => runCosts(paid, undefined, TABLE)!;

describe('what the machines of a run cost', () => {
  it('are their seconds by the price of their kind', () => {
    const job = { executor: 'sagemaker', instanceType: 'ml.r5.large' } as const;
    const found = costs(box(1800), box(5400), box(3600, job), box(3600, { region: 'eu-west-1' }));
    expect(found).toMatchObject({
      prices: { date: '2026-01-02', verified: true },
      machines: [
        { region: 'eu-west-1', machines: 1, hour: 2.2, dollars: 2.2 },
        { executor: 'dragen', region: 'us-east-1', machines: 2, seconds: 7200, hour: 1.98, dollars: 3.96 },
        { executor: 'sagemaker', instanceType: 'ml.r5.large', machines: 1, dollars: 0.151 },
      ],
      dollars: 6.311,
      unpriced: [],
    });
    expect(totalText(found)).toBe('$6.31');
    expect(costBasis(found)).toBe('computed from seconds and list prices on demand of 2026-01-02, not what was billed');
  });

  it('of a type that the table does not have are not known, and never 0', () => {
    const found = costs(box(3600), box(3600, { instanceType: 'f9.huge' }));
    expect(found).toMatchObject({ dollars: 1.98, unpriced: ['f9.huge in us-east-1'] });
    expect(found.machines.map((one) => costText(one, found.prices.date))).toEqual([
      '$1.98',
      'no price for f9.huge in table of 2026-01-02',
    ]);
    expect(totalText(found)).toBe('$1.98, without f9.huge in us-east-1');
    const none = costs(box(3600, { instanceType: 'constructor' }));
    expect(none).toMatchObject({ dollars: null, machines: [{ hour: null, dollars: null }] });
    expect(totalText(none)).toBe('not known');
    expect(costLines(none).join('\n')).not.toMatch(/\$0/);
  });

  it('of spot machines are at most so much', () => {
    const found = costs(box(3600, { spot: true }), box(3600));
    expect(found.machines.map(({ spot }) => spot)).toEqual([false, true]);
    expect(costText(found.machines[1]!, '2026-01-02')).toBe('at most $1.98');
    expect(totalText(found)).toBe('at most $3.96');
  });

  it('say where the prices of another Region stand in, and that nobody has checked them', () => {
    const found = runCosts([box(3600, { region: 'ap-south-1' })], undefined, { ...TABLE, unverified: ['*'] })!;
    expect(found.machines[0]).toMatchObject({ region: 'ap-south-1', ofRegion: false, dollars: 1.98 });
    expect(costBasis(found)).toContain('nobody has checked these prices');
    expect(costBasis(found)).toContain('prices of us-east-1 stand in for those of ap-south-1');
  });

  it('are shown for small sums too', () => {
    expect(costText(costs(box(3)).machines[0]!, '')).toBe('$0.0017');
    expect(costLines(costs(box(900), box(900)))).toEqual([
      'dragen: 2 × f2.6xlarge, 0.5 h, $0.99',
      'computed from seconds and list prices on demand of 2026-01-02, not what was billed',
    ]);
  });

  it('are nothing where there were none', () => {
    expect(runCosts([])).toBeUndefined();
  });
});
