import type { PriceTable, RegionPrices } from '../../src/domain/costs/prices.js';

export type Products = (service: string, attributes: Readonly<Record<string, string>>) => Promise<readonly unknown[]>;

export function onDemand(product: unknown): number | undefined;
export function regionPrices(
  region: string,
  old: RegionPrices,
  products: Products,
): Promise<{ prices: RegionPrices; unverified: string[] }>;
export function refreshedTable(old: PriceTable, products: Products, date: string): Promise<PriceTable>;
export function tableSource(table: PriceTable): string;
