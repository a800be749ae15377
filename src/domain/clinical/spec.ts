/** A rule about rows: the column's text, as written in the table, against one condition. */
export interface RowRule {
  /** Column name, or `$id` for the id column. */
  readonly column: string;
  readonly equals?: string;
  readonly oneOf?: readonly string[];
  readonly contains?: string;
  /** Regular expression, searched anywhere in the text. */
  readonly matches?: string;
  /** True: the value is missing; false: it is present. */
  readonly missing?: boolean;
  /** Told in `dropped.csv`; made from the condition when absent. */
  readonly reason?: string;
  /**
   * Apply after the categories were collected: a category that only such rows have keeps its (all-zero) column. The
   * published notebook works so; the default is before.
   */
  readonly afterEncoding?: boolean;
}

export interface TargetSpec {
  readonly column: string;
  /** Number for each value; absent for a numeric target. */
  readonly codes?: Readonly<Record<string, number>>;
  /** Values that are the positive outcome of the bias report; those with the highest code when absent. */
  readonly positive?: readonly string[];
  /** What becomes of a row without the target: dropped (default), filled like a feature, or kept with an empty cell. */
  readonly missing: 'drop' | 'fill' | 'keep';
}

/** How feature names are made from `column` and `column_value`. */
export interface NameRule {
  /** Characters that are left out. */
  readonly remove: string;
  /** Whether other characters than letters, digits and underscores become underscores. */
  readonly strict: boolean;
  /** A name of this many characters or more … */
  readonly limit: number;
  /** … is cut to this many. */
  readonly cutTo: number;
}

/** What becomes of a clinical table: see docs/clinical.md for the document a user writes. */
export interface ClinicalSpec {
  readonly name: string;
  /** Names the id column may have; the first that the table has is taken. */
  readonly id: readonly string[];
  /** Name of the id column in the features. */
  readonly idName: string;
  /** Texts that mean "not known"; the empty text always does. */
  readonly missing: readonly string[];
  /** Compare missing codes and row rules without regard to case. */
  readonly ignoreCase: boolean;
  /** Leave out blanks around values. */
  readonly trim: boolean;
  /** A row is kept when all of these hold. */
  readonly keepRows: readonly RowRule[];
  /** A row is dropped when one of these holds. */
  readonly dropRows: readonly RowRule[];
  readonly dropColumns: readonly string[];
  readonly oneHot: readonly string[];
  readonly numeric: readonly string[];
  readonly target?: TargetSpec;
  /** What missing numbers become: a number, the column's mean or median, or null to leave them empty. */
  readonly fill: number | 'mean' | 'median' | null;
  /** Columns that the specification does not name: left out, typed by their values, or refused. */
  readonly otherColumns: 'drop' | 'infer' | 'refuse';
  readonly names: NameRule;
  readonly bias: {
    /** Columns whose groups are compared. */
    readonly facets: readonly string[];
    /** Column that the conditional measure is conditioned on. */
    readonly groupBy?: string;
  };
}

/** What the id column is called in the features, unless a specification names it (`idName`). */
export const DEFAULT_ID_NAME = 'Case_ID';

/** Texts that pandas' `read_csv` takes for missing. */
export const STANDARD_MISSING: readonly string[] = [
  ...['#N/A', '#N/A N/A', '#NA', '-1.#IND', '-1.#QNAN', '-NaN', '-nan', '1.#IND', '1.#QNAN', '<NA>'],
  ...['N/A', 'NA', 'NULL', 'NaN', 'None', 'n/a', 'nan', 'null'],
];

/** Tells whether a text means "not known" under a specification. */
export function missingTest(spec: Pick<ClinicalSpec, 'missing' | 'ignoreCase'>): (text: string) => boolean {
  const fold = (text: string): string => (spec.ignoreCase ? text.toLowerCase() : text);
  const codes = new Set(spec.missing.map(fold));
  return (text) => text === '' || codes.has(fold(text));
}

/** The published notebook's rule for names. */
export const NOTEBOOK_NAMES: NameRule = { remove: '- %/<>()=,:', strict: false, limit: 64, cutTo: 60 };
/** The same, and what a feature store would refuse becomes an underscore. */
export const DEFAULT_NAMES: NameRule = { ...NOTEBOOK_NAMES, strict: true };

/** Names that an id column goes by, compared without case, blanks, hyphens and underscores; earlier ones win. */
export const ID_NAMES: readonly string[] = [
  ...['case_id', 'patient_id', 'subject_id', 'participant_id', 'case', 'patient', 'subject', 'participant'],
  ...['case_submitter_id', 'submitter_id', 'bcr_patient_barcode', 'patient_number', 'pid', 'usubjid', 'id'],
];
