import { costsMarkup } from './costs.js';
import { escaped, histogramMarkup, tableMarkup } from './markup.js';
import type { ReportCase, ReportFailure, ReportModel } from './model.js';
import { samplesMarkup } from './samples.js';
import { STYLE } from './style.js';

const MODALITIES = ['imaging', 'genomics', 'clinical'] as const;

function duration(from: string, to: string): string {
  const seconds = Math.round((Date.parse(to) - Date.parse(from)) / 1000);
  if (!Number.isFinite(seconds)) return '';
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function verdict(model: ReportModel): string {
  const failed = model.failedCases;
  const total = model.cases.length + model.casesLeftOut;
  if (failed === 0 && model.clinicalProblem === undefined)
    return `<span class="verdict good">All ${total} cases came out.</span>`;
  const cases = failed === 0 ? '' : `${failed} of ${total} cases failed in a step`;
  const clinical = model.clinicalProblem === undefined ? '' : 'the clinical table failed';
  return `<span class="verdict bad">${[cases, clinical].filter((text) => text !== '').join('; ')}.</span>`;
}

function cards(model: ReportModel): string {
  return model.counts
    .map(({ modality, counts }) => {
      const { total, rows } = counts;
      const parts = Object.entries(counts).filter(
        ([name, n]) => !['total', 'rows'].includes(name) && (n > 0 || name === 'failed'),
      );
      const text = parts.map(([name, n]) => `${n} ${name}`).join(', ');
      return `<div class="card"><p>${escaped(modality)}</p><div class="big">${total ?? rows ?? ''}</div><p>${escaped(text)}</p></div>`;
    })
    .join('');
}

function failureMarkup(failure: ReportFailure): string {
  const { caseId, modality, part, step, code, message, attempts, kind } = failure;
  const where = [modality, part, step].filter((text) => text !== '').join(', ');
  const remedy = kind === undefined ? '' : `<p class="remedy">${escaped(kind.reason)} ${escaped(kind.remedy)}</p>`;
  const tries = attempts > 1 ? ` after ${attempts} attempts` : '';
  return `<div class="failure"><strong>${escaped(caseId)}</strong> <code class="bad">${escaped(code)}</code> <span class="lead">${escaped(where)}${tries}</span><p>${escaped(message)}</p>${remedy}</div>`;
}

/** From so many failures on the report counts them by code before it lists them. */
const SUMMARY_FROM = 10;

function failuresMarkup(model: ReportModel): string {
  const clinical =
    model.clinicalProblem === undefined
      ? ''
      : `<div class="failure"><strong>clinical table</strong><p>${escaped(model.clinicalProblem)}</p></div>`;
  if (model.failures.length === 0 && clinical === '') return '<p class="good">Nothing failed.</p>';
  const all = model.failuresByCode.reduce((sum, { count }) => sum + count, 0);
  const left = all - model.failures.length;
  // Hundreds of them are read by what they are, not one by one.
  const counts = model.failuresByCode.map(({ code, count }) => [code, String(count)]);
  const summary = all < SUMMARY_FROM ? '' : tableMarkup(['code', 'studies, samples and tables'], counts);
  const rest = left > 0 ? `<p class="lead">And ${left} more: run/outcomes.csv has them all.</p>` : '';
  return clinical + summary + model.failures.map(failureMarkup).join('') + rest;
}

function casesMarkup(model: ReportModel): string {
  const present = MODALITIES.filter((name) => model.cases.some((one) => one.statuses[name] !== undefined));
  const mark = (one: ReportCase, name: (typeof MODALITIES)[number]): string => {
    const found = one.statuses[name];
    if (found === undefined) return '<td></td>';
    const tone = found.status === 'done' ? 'good' : found.status === 'failed' ? 'bad' : 'warn';
    return `<td><span class="${tone}">${escaped(found.status)}</span> ${escaped(found.reason)}</td>`;
  };
  const rows = model.cases.map(
    (one) =>
      `<tr><td><strong>${escaped(one.caseId)}</strong></td>${present.map((name) => mark(one, name)).join('')}</tr>`,
  );
  const head = ['case', ...present].map((name) => `<th scope="col">${escaped(name)}</th>`).join('');
  const more =
    model.casesLeftOut === 0 ? '' : `<p class="lead">${model.casesLeftOut} more cases are in dataset.csv.</p>`;
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>${more}`;
}

function picturesMarkup(model: ReportModel): string {
  const figures = model.cases.flatMap(({ caseId, picture }) =>
    picture === undefined
      ? []
      : [
          `<figure><img src="${picture}" alt="Tumour of case ${escaped(caseId)} in three planes" loading="lazy"></figure>`,
        ],
  );
  if (figures.length === 0) return '';
  const { shown, total } = model.pictures;
  const more = shown === total ? '' : `<p class="lead">${shown} of ${total} are shown; the others are in imaging/.</p>`;
  return `<h2>Tumours</h2>${more}<div class="pictures">${figures.join('')}</div>`;
}

function tablesMarkup(model: ReportModel): string {
  if (model.tables.length === 0) return '';
  const parts = model.tables.map(({ title, header, rows, more }) => {
    const rest = more === 0 ? '' : `<p class="lead">${more} more rows are in clinical/.</p>`;
    return `<details${title.startsWith('Clinical rows') ? ' open' : ''}><summary>${escaped(title)}</summary>${tableMarkup(header, rows)}${rest}</details>`;
  });
  return `<h2>Clinical table</h2>${parts.join('')}`;
}

function distributionsMarkup(model: ReportModel): string {
  if (model.distributions.length === 0) return '';
  const plots = model.distributions.map(({ name, values }) => histogramMarkup(name, values));
  return `<h2>Features over the cohort</h2><div class="plots">${plots.join('')}</div>`;
}

/** What quantified the reads, for the methods: Salmon where nothing says otherwise. */
function quantifiedBy({ samples }: ReportModel): string {
  const programs = new Set(samples.map(({ quality }) => quality.program));
  const salmon = programs.has('Salmon') || !programs.has('DRAGEN');
  return [
    ...(salmon ? ['Salmon (Patro et al., Nature Methods 2017)'] : []),
    ...(programs.has('DRAGEN') ? ['DRAGEN (Illumina)'] : []),
  ].join(' or ');
}

const methods = (
  model: ReportModel,
): string => `CT series were stacked by image position along the normal and written as NIfTI in Hounsfield units;
segmentations were put on the same grid. Radiomic features follow the definitions of pyradiomics 3.0.1 (van Griethuysen et
al., Cancer Research 2017; see also Zwanenburg et al., Radiology 2020). Reads were quantified with ${quantifiedBy(model)} and summed by gene. The clinical table was encoded as its specification says. A value that could not be
computed is empty and has a reason in geometry.json.`;

/** The report as one HTML file that loads nothing. Everything that came from data is escaped. */
export function reportHtml(model: ReportModel): string {
  const title = `Cohort report ${model.startedAt.slice(0, 10)}`;
  const versions = Object.entries(model.versions).map(([name, version]) => [name, version]);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head><body><main>
<header><h1>${escaped(title)}</h1><p class="lead">${verdict(model)} Run <code>${escaped(model.runId)}</code>,
${escaped(duration(model.startedAt, model.joinedAt))} until the data set was joined.</p><div class="cards">${cards(model)}</div></header>
<section><h2>Failures</h2>${failuresMarkup(model)}</section>
<section><h2>Cases</h2>${casesMarkup(model)}</section>
<section>${picturesMarkup(model)}</section>
<section>${distributionsMarkup(model)}</section>
<section>${samplesMarkup(model.samples)}</section>
<section>${tablesMarkup(model)}</section>
<section>${costsMarkup(model)}</section>
<section><h2>How it was made</h2><p>${methods(model)}</p>${tableMarkup(['program', 'version'], versions)}
<details><summary>Parameters</summary><pre>${escaped(JSON.stringify(model.parameters, null, 2))}</pre></details></section>
<section><h2>Review</h2><p class="lead">I have looked at the failures, the pictures and the distributions above.</p>
<div class="sign"><div></div><div></div><div></div><span>Name</span><span>Date</span><span>Verdict</span></div></section>
</main></body></html>
`;
}
