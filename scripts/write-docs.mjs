// Writes the parts of the documentation that are tables in the code: docs/failures.md and the input tables of
// docs/workflows.md. Run after a build: `node scripts/write-docs.mjs`; a test fails when the files are out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { product, ROOT } from './lib/product.mjs';

const BEGIN = (name) => `<!-- begin ${name}: written by scripts/write-docs.mjs -->`;
const END = (name) => `<!-- end ${name} -->`;

function cell(text) {
  return String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function table(header, rows) {
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Every code of the catalogue, by whose fault it is. */
export async function failuresTable() {
  const { FAILURES } = await product('domain/failures/index.js');
  const titles = {
    input: 'The request or the sheet',
    data: 'The data of a case',
    environment: 'The machine',
    bug: 'cohortflow itself',
  };
  return Object.entries(titles)
    .map(([fault, title]) => {
      const rows = Object.entries(FAILURES)
        .filter(([, kind]) => kind.fault === fault)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([code, kind]) => [`\`${code}\``, kind.reason, kind.remedy, kind.retryable ? 'yes' : 'no']);
      return `## ${title}\n\n${table(['code', 'what it means', 'what to do', 'tried again'], rows)}`;
    })
    .join('\n\n');
}

/** The fields of one workflow's input. */
export async function inputTable(rulesName) {
  const inputs = await product('contracts/inputs.js');
  const { FIELD_KINDS } = await product('contracts/input-check.js');
  const rows = Object.entries(inputs[rulesName])
    .filter(([, rule]) => !rule.about.startsWith('internal'))
    .map(([name, rule]) => [
      `\`${name}\``,
      FIELD_KINDS[rule.kind],
      rule.required ? 'yes' : '',
      rule.choices ? `${rule.about}: ${rule.choices.join(', ')}` : rule.about,
    ]);
  return table(['field', 'kind', 'required', 'what it is'], rows);
}

/** The text of a file with its generated parts made anew. */
export async function refreshed(text) {
  const parts = {
    failures: failuresTable,
    multimodalCohort: () => inputTable('MULTIMODAL_RULES'),
    imagingCohort: () => inputTable('IMAGING_COHORT_RULES'),
    genomicsCohort: () => inputTable('GENOMICS_COHORT_RULES'),
    clinicalFeatures: () => inputTable('CLINICAL_RULES'),
  };
  let result = text;
  for (const [name, make] of Object.entries(parts)) {
    const [from, to] = [result.indexOf(BEGIN(name)), result.indexOf(END(name))];
    if (from === -1 || to === -1) continue;
    result = `${result.slice(0, from)}${BEGIN(name)}\n\n${await make()}\n\n${result.slice(to)}`;
  }
  return result;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const name of ['docs/failures.md', 'docs/workflows.md']) {
    const path = join(ROOT, name);
    writeFileSync(path, await refreshed(readFileSync(path, 'utf8')));
  }
}
