// Reads list prices from products of the AWS Price List API. Pure but for `products`, which asks it.

/** Dollars of the first tier of a product's on-demand price; undefined where it has none. */
export function onDemand(product) {
  for (const term of Object.values(product.terms?.OnDemand ?? {})) {
    const tiers = Object.values(term.priceDimensions ?? {}).sort((a, b) => Number(a.beginRange) - Number(b.beginRange));
    // The first tier may be free; it is not what a cohort pays.
    for (const { pricePerUnit } of tiers) {
      const dollars = Number(pricePerUnit?.USD);
      if (dollars > 0) return dollars;
    }
  }
  return undefined;
}

const attribute = (product, name) => product.product?.attributes?.[name] ?? '';
const usage = (pattern) => (product) => pattern.test(attribute(product, 'usagetype'));

/** The figures of one Region that stand alone: which service, how its products are narrowed, and which of them it is. */
const SINGLE = {
  fargateVcpu: { service: 'AmazonECS', narrow: {}, is: usage(/Fargate-vCPU-Hours:perCPU$/), times: 1 },
  fargateGb: { service: 'AmazonECS', narrow: {}, is: usage(/Fargate-GB-Hours$/), times: 1 },
  processingStorage: {
    ...{ service: 'AmazonSageMaker', narrow: { productFamily: 'ML Storage' } },
    ...{ is: usage(/Processing:VolumeUsage\.gp2$/i), times: 1 },
  },
  gp2: { service: 'AmazonEC2', narrow: { volumeApiName: 'gp2' }, is: usage(/EBS:VolumeUsage\.gp2$/), times: 1 },
  gp3: { service: 'AmazonEC2', narrow: { volumeApiName: 'gp3' }, is: usage(/EBS:VolumeUsage\.gp3$/), times: 1 },
  s3Storage: { service: 'AmazonS3', narrow: { volumeType: 'Standard' }, is: usage(/TimedStorage-ByteHrs$/), times: 1 },
  // The list has the price of one request, the table that of a thousand.
  s3Put: { service: 'AmazonS3', narrow: { group: 'S3-API-Tier1' }, is: usage(/Requests-Tier1$/), times: 1000 },
  s3Get: { service: 'AmazonS3', narrow: { group: 'S3-API-Tier2' }, is: usage(/Requests-Tier2$/), times: 1000 },
};

const LINUX = {
  ...{ operatingSystem: 'Linux', tenancy: 'Shared', preInstalledSw: 'NA', capacitystatus: 'Used' },
  marketoption: 'OnDemand',
};

/** The figure without the noise of binary fractions. */
const tidy = (value) => Number(value.toPrecision(10));

/**
 * The prices of one Region. What the list does not have keeps its old figure and is named in `unverified`.
 *
 * @param products (service, filters) => the products that have these attributes, parsed
 */
export async function regionPrices(region, old, products) {
  const unverified = [];
  const keep = (path, found, before) => {
    if (found === undefined) unverified.push(`${region}.${path}`);
    return found === undefined ? before : tidy(found);
  };
  const jobs = await products('AmazonSageMaker', { regionCode: region, component: 'Processing' });
  const processing = {};
  for (const [type, before] of Object.entries(old.processing)) {
    const job = jobs.find((product) => attribute(product, 'instanceName') === type);
    processing[type] = keep(`processing.${type}`, job === undefined ? undefined : onDemand(job), before);
  }
  const instances = {};
  for (const [instanceType, before] of Object.entries(old.instances)) {
    const [machine] = await products('AmazonEC2', { regionCode: region, instanceType, ...LINUX });
    instances[instanceType] = keep(
      `instances.${instanceType}`,
      machine === undefined ? undefined : onDemand(machine),
      before,
    );
  }
  const single = {};
  for (const [name, { service, narrow, is, times }] of Object.entries(SINGLE)) {
    const found = (await products(service, { regionCode: region, ...narrow })).find(is);
    const price = found === undefined ? undefined : onDemand(found);
    single[name] = keep(name, price === undefined ? undefined : price * times, old[name]);
  }
  return { prices: { processing, instances, ...single }, unverified };
}

/** The whole table anew. */
export async function refreshedTable(old, products, date) {
  const regions = {};
  const unverified = [];
  for (const [region, before] of Object.entries(old.regions)) {
    const { prices, unverified: missing } = await regionPrices(region, before, products);
    regions[region] = prices;
    unverified.push(...missing);
  }
  return { date, source: 'AWS Price List API', unverified, regions };
}

/** The source file of a table. */
export function tableSource(table) {
  return `import type { PriceTable } from './prices.js';

/**
 * List prices, on demand. \`npm run prices\` writes this file anew from the AWS Price List API; docs/costs.md says what is in
 * it. As long as \`unverified\` names a figure, nobody has looked it up at its source.
 */
export const PRICE_TABLE: PriceTable = ${JSON.stringify(table, null, 2)};
`;
}
