// Writes src/domain/costs/price-table.ts anew from the AWS Price List API: `npm run prices`. Needs credentials that may
// call pricing:GetProducts, and a build. The Regions and types of the table stay; edit the table to have others.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetProductsCommand, PricingClient } from '@aws-sdk/client-pricing';
import { format, resolveConfig } from 'prettier';
import { refreshedTable, tableSource } from './lib/price-list.mjs';
import { product, ROOT } from './lib/product.mjs';

/** The Price List API is served from few Regions. */
const client = new PricingClient({ region: 'us-east-1', maxAttempts: 6 });

async function products(service, attributes) {
  const Filters = Object.entries(attributes).map(([Field, Value]) => ({ Type: 'TERM_MATCH', Field, Value }));
  const found = [];
  let NextToken;
  do {
    const page = await client.send(
      new GetProductsCommand({ ServiceCode: service, Filters, NextToken, MaxResults: 100 }),
    );
    found.push(...(page.PriceList ?? []).map((text) => JSON.parse(text)));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return found;
}

const path = join(ROOT, 'src', 'domain', 'costs', 'price-table.ts');
const { PRICE_TABLE } = await product('domain/costs/price-table.js');
const table = await refreshedTable(PRICE_TABLE, products, new Date().toISOString().slice(0, 10));
writeFileSync(path, await format(tableSource(table), { ...(await resolveConfig(path)), parser: 'typescript' }));
console.log(
  `prices of ${table.date} written; ${table.unverified.length} figures are not in the list and stay as they were`,
);
for (const name of table.unverified) console.log(`  ${name}`);
