import { PRICE_TABLE } from './price-table.js';

/** List prices of one Region, in US dollars. */
export interface RegionPrices {
  /** SageMaker Processing, an hour of an instance, by type (`ml.r5.large`). */
  readonly processing: Readonly<Record<string, number>>;
  /** EC2 on demand, Linux, an hour of an instance, by type (`f2.6xlarge`). */
  readonly instances: Readonly<Record<string, number>>;
  /** Fargate: an hour of a vCPU, an hour of a GB. */
  readonly fargateVcpu: number;
  readonly fargateGb: number;
  /** A GB of a processing job's volume for a month. */
  readonly processingStorage: number;
  /** A GB of an instance's volume for a month, by kind. */
  readonly gp2: number;
  readonly gp3: number;
  /** S3 Standard: a GB for a month, a thousand PUT, COPY, POST or LIST, a thousand GET. */
  readonly s3Storage: number;
  readonly s3Put: number;
  readonly s3Get: number;
}

/** A dated table of list prices. */
export interface PriceTable {
  /** ISO day on which the figures were taken. */
  readonly date: string;
  readonly source: string;
  /** Figures that nobody looked up at their source, as paths (`us-east-1.processing.ml.r5.large`), or `*` for all. */
  readonly unverified: readonly string[];
  readonly regions: Readonly<Record<string, RegionPrices>>;
}

/** The Region whose prices stand in for those of a Region that the table does not have. */
export const FALLBACK_REGION = 'us-east-1';

/** Prices that an estimate was made with, and where they are from. */
export interface ChosenPrices {
  readonly region: string;
  /** False where the table has no such Region, and {@link FALLBACK_REGION} stands in for it. */
  readonly ofRegion: boolean;
  readonly date: string;
  readonly source: string;
  readonly prices: RegionPrices;
  /** Prices of machines that the Region lacks. */
  readonly standIn: Pick<RegionPrices, 'processing' | 'instances'>;
  /** True when a figure, by its path within the Region or with that of another, was looked up at its source. */
  verified(path: string): boolean;
}

/** The prices for a Region; those of {@link FALLBACK_REGION} when the table does not have it, which the answer says. */
export function pricesOf(region: string, table: PriceTable = PRICE_TABLE): ChosenPrices {
  const own = Object.hasOwn(table.regions, region) ? table.regions[region] : undefined;
  const used = own === undefined ? FALLBACK_REGION : region;
  const prices = own ?? table.regions[FALLBACK_REGION];
  const standIn = table.regions[FALLBACK_REGION];
  if (prices === undefined || standIn === undefined) throw new RangeError(`the price table lacks ${FALLBACK_REGION}`);
  const unverified = new Set(table.unverified);
  return {
    region: used,
    ofRegion: own !== undefined,
    date: table.date,
    source: table.source,
    ...{ prices, standIn },
    verified: (path) => !['*', path, `${used}.${path}`].some((one) => unverified.has(one)),
  };
}

/** A type of machine with its price. */
export interface PlannedType {
  readonly type: string;
  readonly hour: number | undefined;
  /** Of the price: a path within the Region, or with the Region that stands in. */
  readonly figures: readonly string[];
  /** Region whose price it is, where the Region's own is not known. */
  readonly standIn?: string;
}

/**
 * The type that work is planned with: the first of the list, which is had unless there is none of it. Where the Region has no
 * price of it, that of {@link FALLBACK_REGION} stands in; the price is undefined where the table has none at all. The plan says
 * either, and does not take another type for it.
 */
export function plannedType(
  types: readonly string[],
  kind: 'processing' | 'instances',
  { prices, standIn }: ChosenPrices,
): PlannedType {
  const [type = ''] = types;
  const figure = `${kind}.${type}`;
  if (Object.hasOwn(prices[kind], type)) return { type, hour: prices[kind][type], figures: [figure] };
  if (!Object.hasOwn(standIn[kind], type)) return { type, hour: undefined, figures: [] };
  return { type, hour: standIn[kind][type], figures: [`${FALLBACK_REGION}.${figure}`], standIn: FALLBACK_REGION };
}

/**
 * What a plan says of a list of types: that the first has no price, or one of another Region, and that the others are only
 * taken for want of it.
 */
export function typeNotes(
  types: readonly string[],
  { type: first, hour, standIn }: PlannedType,
  where: string,
): readonly string[] {
  const [, ...others] = types;
  return [
    ...(hour === undefined ? [`no price of ${first} ${where}`] : []),
    ...(standIn === undefined ? [] : [`no price of ${first} ${where}: that of ${standIn} is taken`]),
    ...(others.length === 0 ? [] : [`planned with ${first}; ${others.join(', ')} only where there is none of it`]),
  ];
}
