import type { OutcomeKind } from './outcome.js';

/** A finished file of a unit, with its content's hash. */
export interface UnitFile {
  readonly path: string;
  readonly sha256: string;
}

/** How one study or sample of a case ended. Times and attempts are left out: equal results give an equal index. */
export interface IndexedUnit {
  readonly part: string;
  readonly date?: string;
  /** `open` only in the index of a run that is under way. */
  readonly status: Exclude<OutcomeKind, 'reused' | 'skipped'> | 'open';
  /** Failure code; empty when done. */
  readonly code: string;
  /** Its last step's files; empty unless done. */
  readonly files: readonly UnitFile[];
}

/** One line of run/cases.jsonl: a case of the sheet and what its modalities came to. */
export interface IndexedCase {
  readonly caseId: string;
  readonly carried: Readonly<Record<string, string>>;
  readonly imaging: readonly IndexedUnit[];
  readonly genomics: readonly IndexedUnit[];
}

/** The segment that a features file is about; undefined for the file of the whole region, and for any other. */
export function segmentOf(path: string): string | undefined {
  return /\/features-([^/]+)\.json$/.exec(path)?.[1];
}
