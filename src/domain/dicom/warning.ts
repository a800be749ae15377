/** Something unusual that did not stop the conversion: a code for programs, a sentence for readers (no UIDs, no names). */
export interface Warning {
  readonly code: string;
  readonly message: string;
}
