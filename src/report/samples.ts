import { paidAs } from './costs.js';
import { escaped, MISSING, tableMarkup } from './markup.js';
import type { ReportSample } from './model.js';

/** A column of the tables of samples; null where a sample does not have it. */
interface Column {
  readonly title: string;
  readonly of: (sample: ReportSample) => string | null;
  /** Whether it could have been known of a sample; of any, when absent. */
  readonly knowable?: (sample: ReportSample) => boolean;
}

/** Salmon says nothing of duplicates, and runs here: on no machine that is paid for. */
const byDragen = ({ quality }: ReportSample): boolean => quality.program === 'DRAGEN';
/** A table that was given finished says nothing of the reads that it is from. */
const fromReads = ({ quality }: ReportSample): boolean => quality.program !== null;

const shown = (value: string | number | null): string | null =>
  value === null || typeof value === 'string' ? value : Math.round(value).toLocaleString('en-US');
const percent = (value: number | null): string | null => (value === null ? null : `${value.toFixed(1)}%`);

const SAMPLE: Column = {
  title: 'sample',
  of: ({ caseId, part }) => [caseId, part].filter((text) => text !== '').join(' / '),
};

/** What came of the reads. */
const READS: readonly Column[] = [
  { title: 'reads', of: ({ quality }) => shown(quality.reads), knowable: fromReads },
  { title: 'mapped', of: ({ quality }) => percent(quality.mappedPercent), knowable: fromReads },
  { title: 'duplicates', of: ({ quality }) => percent(quality.duplicatePercent), knowable: byDragen },
  { title: 'proper pairs', of: ({ quality }) => percent(quality.properlyPairedPercent), knowable: byDragen },
  { title: 'trimmed', of: ({ quality }) => percent(quality.trimmedPercent), knowable: byDragen },
  { title: 'quantified fragments', of: ({ quality }) => shown(quality.quantifiedFragments), knowable: fromReads },
  { title: 'transcripts', of: ({ quality }) => shown(quality.quantifiedTranscripts) },
  { title: 'genes', of: ({ quality }) => shown(quality.genes) },
  { title: 'library', of: ({ quality }) => quality.libraryType, knowable: fromReads },
];

/** What they were quantified with, and on. */
const MEANS: readonly Column[] = [
  {
    title: 'program',
    of: ({ quality: { program, version } }) => (program === null ? null : [program, version ?? ''].join(' ').trim()),
  },
  { title: 'profile', of: ({ quality }) => quality.profile, knowable: byDragen },
  { title: 'reference', of: ({ quality }) => quality.reference, knowable: byDragen },
  { title: 'index or hash table', of: ({ quality }) => quality.index, knowable: fromReads },
  { title: 'machine', of: ({ quality }) => quality.instanceType, knowable: byDragen },
  { title: 'paid as', of: ({ quality: { spot } }) => (spot === null ? null : paidAs(spot)), knowable: byDragen },
  { title: 'seconds', of: ({ quality, stepSeconds }) => shown(quality.seconds ?? stepSeconds) },
];

/** A table of the columns that any sample has, and the names of the others, as far as any could have them. */
function table(samples: readonly ReportSample[], columns: readonly Column[]): { html: string; unknown: string[] } {
  const known = columns.filter(({ of }) => samples.some((sample) => of(sample) !== null));
  const unknown = columns
    .filter((column) => !known.includes(column) && samples.some(column.knowable ?? (() => true)))
    .map(({ title }) => title);
  if (known.length === 0) return { html: '', unknown };
  const rows = samples.map((sample) => [SAMPLE, ...known].map(({ of }) => of(sample) ?? MISSING));
  return { html: tableMarkup(['sample', ...known.map(({ title }) => title)], rows), unknown };
}

/** How the quantification of each sample went: one table of what came of the reads, one of what it was done with. */
export function samplesMarkup(samples: readonly ReportSample[]): string {
  if (samples.length === 0) return '';
  const warned: Column = {
    title: 'warnings',
    of: ({ warnings }) => (warnings.length === 0 ? null : warnings.join(', ')),
  };
  const counted = table(samples, READS);
  const means = table(samples, MEANS);
  const warnings = samples.filter((sample) => sample.warnings.length > 0);
  const missing = [...counted.unknown, ...means.unknown];
  const note =
    missing.length === 0 ? '' : `<p class="lead">Not known of any sample: ${escaped(missing.join(', '))}.</p>`;
  const heed = warnings.length === 0 ? '' : `<h3>Worth a look</h3>${table(warnings, [warned]).html}`;
  const how = means.html === '' ? '' : `<h3>How they were quantified</h3>${means.html}`;
  return `<h2>Expression</h2>${counted.html}${heed}${how}${note}`;
}
