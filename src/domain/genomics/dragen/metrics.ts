import type { SampleQuality } from '../sample-quality.js';

/** What of a sample's quality DRAGEN's own tables tell; null where they do not. */
export type DragenMetrics = Pick<
  SampleQuality,
  | 'reads'
  | 'fragments'
  | 'mappedPercent'
  | 'duplicatePercent'
  | 'properlyPairedPercent'
  | 'trimmedPercent'
  | 'quantifiedFragments'
  | 'libraryType'
  | 'version'
> & {
  /** Seconds of the program itself. */
  readonly programSeconds: number | null;
};

/** A file that DRAGEN left, by its name. */
export interface MetricsFile {
  readonly name: string;
  readonly text: string;
}

/** What was found, and which files did not have what such a file has. */
export interface DragenMetricsFound {
  readonly metrics: DragenMetrics;
  /** Names of files that are empty or of another form. */
  readonly unreadable: readonly string[];
  /** Endings of files that every run leaves and that are not there. */
  readonly missing: readonly string[];
}

/** Tables by the end of their name, which has changed between versions; the first part of their rows; whether all runs have them. */
const TABLES = {
  mapping: { ending: /\.mapping_metrics\.csv$/, section: 'MAPPING/ALIGNING SUMMARY', always: 'mapping_metrics.csv' },
  quant: { ending: /\.quant[._]metrics\.csv$/, section: 'RNA QUANTIFICATION STATISTICS', always: 'quant_metrics.csv' },
  trimmer: { ending: /\.trimmer[._]metrics\.csv$/, section: 'TRIMMER STATISTICS' },
  time: { ending: /\.time_metrics\.csv$/, section: 'RUN TIME' },
} as const satisfies Readonly<Record<string, { ending: RegExp; section: string; always?: string }>>;

const SUMMARY = /\.metrics\.json$/;

type Rows = ReadonlyMap<string, readonly [value: string, last?: string]>;

/** Lines of `section,read group,name,value[,percent]`; those of the whole sample have no read group. */
function rowsOf(text: string, section: string): Rows {
  const found = new Map<string, readonly [string, string?]>();
  for (const line of text.split(/\r?\n/)) {
    const [where, group, name = '', value, last] = line.split(',').map((cell) => cell.trim());
    if (where !== section || group !== '' || value === undefined) continue;
    found.set(name, last === undefined ? [value] : [value, last]);
  }
  return found;
}

function numberOf(text: string | undefined): number | null {
  // Blanks would count as 0.
  const value = text === undefined || text === '' ? NaN : Number(text);
  return Number.isFinite(value) && value >= 0 ? value : null;
}

const valueOf = (rows: Rows, name: string): number | null => numberOf(rows.get(name)?.[0]);

/** The percent of a row: as it stands there, else of the total. */
function percentOf(rows: Rows, name: string, total = 'Total input reads'): number | null {
  const [value, last] = rows.get(name) ?? [];
  const said = numberOf(last);
  if (said !== null) return said <= 100 ? said : null;
  const [part, whole] = [numberOf(value), valueOf(rows, total)];
  if (part === null || whole === null || whole === 0 || part > whole) return null;
  return Math.round((10_000 * part) / whole) / 100;
}

function fragmentsOf(rows: Rows): number | null {
  const [paired, single] = [valueOf(rows, 'Reads with mate sequenced'), valueOf(rows, 'Reads without mate sequenced')];
  return paired === null || single === null ? null : paired / 2 + single;
}

/** One number in older versions, one for each strand in newer ones. */
function quantifiedOf(rows: Rows): number | null {
  const all = valueOf(rows, 'Transcript fragments');
  if (all !== null) return all;
  const strands = ['Forward transcript fragments', 'Reverse transcript fragments'].map((name) => valueOf(rows, name));
  return strands.reduce((sum, one) => (one === null ? sum : (sum ?? 0) + one), null);
}

/** A text of a few harmless characters, as versions and library types are; null for any other. */
const wordOf = (value: unknown): string | null =>
  typeof value === 'string' && /^[\w.-]{1,40}$/.test(value) && value !== 'NA' ? value : null;

/** The version in `<prefix>.metrics.json`; undefined for a file of another form. */
function versionOf(text: string): string | null | undefined {
  try {
    const { metadata, dragenVersion } = JSON.parse(text) as Partial<Readonly<Record<string, unknown>>>;
    const nested = (metadata ?? {}) as Partial<Readonly<Record<string, unknown>>>;
    return wordOf(nested['dragenVersion'] ?? dragenVersion);
  } catch {
    return undefined;
  }
}

/**
 * Reads the tables that DRAGEN leaves of its own work: `<prefix>.mapping_metrics.csv`, `.quant_metrics.csv`
 * (`.quant.metrics.csv` in some versions), `.trimmer_metrics.csv`, `.time_metrics.csv`, and `.metrics.json` where there is
 * one. Versions differ in what they list: rows and columns that are not known are passed over, and what is not there is null,
 * never a guess. Other files are none of its business.
 */
export function dragenMetrics(files: readonly MetricsFile[]): DragenMetricsFound {
  const unreadable: string[] = [];
  const missing: string[] = [];
  const read = (table: keyof typeof TABLES): Rows => {
    const { ending, section, ...rest } = TABLES[table];
    const file = files.find(({ name }) => ending.test(name));
    const rows: Rows = file === undefined ? new Map() : rowsOf(file.text, section);
    if (file === undefined && 'always' in rest) missing.push(rest.always);
    if (file !== undefined && rows.size === 0) unreadable.push(file.name);
    return rows;
  };
  const [mapping, quant, trimmer, time] = [read('mapping'), read('quant'), read('trimmer'), read('time')];
  const summary = files.find(({ name }) => SUMMARY.test(name));
  const version = summary === undefined ? null : versionOf(summary.text);
  if (summary !== undefined && version === undefined) unreadable.push(summary.name);
  const metrics = {
    reads: valueOf(mapping, 'Total input reads'),
    fragments: fragmentsOf(mapping),
    mappedPercent: percentOf(mapping, 'Mapped reads'),
    duplicatePercent: percentOf(mapping, 'Number of duplicate marked reads'),
    properlyPairedPercent: percentOf(mapping, 'Properly paired reads'),
    trimmedPercent: percentOf(trimmer, 'Total trimmed reads'),
    quantifiedFragments: quantifiedOf(quant),
    libraryType: wordOf(quant.get('Library orientation')?.[0]),
    version: version ?? null,
    // `RUN TIME,,Total runtime,03:32:28.426,12748.43`: the second form is the one in seconds.
    programSeconds: numberOf(time.get('Total runtime')?.[1]),
  };
  return { metrics, unreadable, missing };
}
