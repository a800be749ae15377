import { describe, expect, it } from 'vitest';
import { onDemand, refreshedTable, tableSource, type Products } from '../../../scripts/lib/price-list.mjs';
import { PRICE_TABLE } from '../../../src/domain/costs/price-table.js';
import { pricesOf } from '../../../src/domain/costs/index.js';

/** A product as the Price List API writes it. */
function listed(attributes: Readonly<Record<string, string>>, ...dollars: readonly number[]): unknown {
  const tiers = dollars.map((value, n) => [
    `rate-${n}`,
    { beginRange: String(n * 100), pricePerUnit: { USD: value.toFixed(10) } },
  ]);
  return {
    product: { attributes },
    terms: { OnDemand: { term: { priceDimensions: Object.fromEntries(tiers.reverse()) } } },
  };
}

const SHELF = [
  {
    service: 'AmazonSageMaker',
    product: listed({ component: 'Processing', instanceName: 'ml.r5.large', regionCode: 'us-east-1' }, 0.16),
  },
  {
    service: 'AmazonSageMaker',
    product: listed({ component: 'Training', instanceName: 'ml.r5.large', regionCode: 'us-east-1' }, 9),
  },
  {
    service: 'AmazonEC2',
    product: listed(
      {
        ...{ regionCode: 'us-east-1', instanceType: 'f2.6xlarge', operatingSystem: 'Linux', tenancy: 'Shared' },
        ...{ preInstalledSw: 'NA', capacitystatus: 'Used', marketoption: 'OnDemand' },
      },
      2.05,
    ),
  },
  {
    service: 'AmazonS3',
    product: listed({ regionCode: 'us-east-1', group: 'S3-API-Tier1', usagetype: 'Requests-Tier1' }, 0.000005),
  },
  {
    service: 'AmazonS3',
    product: listed(
      { regionCode: 'us-east-1', volumeType: 'Standard', usagetype: 'TimedStorage-ByteHrs' },
      0,
      0.023,
      0.022,
    ),
  },
];

/** The API narrows by attributes that must all be equal. */
const products: Products = async (service, attributes) =>
  SHELF.filter((entry) => {
    const { attributes: own } = (entry.product as { product: { attributes: Record<string, string> } }).product;
    return entry.service === service && Object.entries(attributes).every(([name, value]) => own[name] === value);
  }).map(({ product }) => product);

describe('prices read from the list', () => {
  const east = PRICE_TABLE.regions['us-east-1'];
  if (east === undefined) throw new Error('the table lacks us-east-1');

  it('replace those that are listed; the others stay and are named', async () => {
    const old = { ...PRICE_TABLE, regions: { 'us-east-1': east } };
    const table = await refreshedTable(old, products, '2027-01-31');
    const { prices, verified, date, source } = pricesOf('us-east-1', table);
    expect(prices.processing['ml.r5.large']).toBe(0.16);
    expect(prices.instances['f2.6xlarge']).toBe(2.05);
    expect(prices.s3Put).toBe(0.005);
    expect(prices.s3Storage).toBe(0.023);
    expect(prices.gp3).toBe(east.gp3);
    expect([verified('processing.ml.r5.large'), verified('s3Put'), verified('gp3')]).toEqual([true, true, false]);
    expect(verified('instances.f1.4xlarge')).toBe(false);
    expect([date, source]).toEqual(['2027-01-31', 'AWS Price List API']);
  });

  it('begin with the first tier that costs something', () => {
    expect(onDemand(listed({}, 0, 0.5, 0.4))).toBe(0.5);
    expect(onDemand({})).toBeUndefined();
  });

  it('become a source file that holds the same table', async () => {
    const text = tableSource(PRICE_TABLE);
    const json = text.slice(text.indexOf('= {') + 2, text.lastIndexOf(';'));
    expect(JSON.parse(json)).toEqual(PRICE_TABLE);
  });
});
