/**
 * One entry of the failure catalogue.
 *
 * - `retryable`: the same attempt may succeed later (I/O, throttling, a lost process). Data faults never are.
 * - `fault`: whose it is: `input` (the request or the sheet), `data` (a study, a read file, a table), `environment`
 *   (a missing tool, disk full, no server) or `bug`.
 * - `reason`: what it means, one sentence, for the docs and the report.
 * - `remedy`: what the reader should do.
 */
export interface FailureKind {
  readonly retryable: boolean;
  readonly fault: 'input' | 'data' | 'environment' | 'bug';
  readonly reason: string;
  readonly remedy: string;
}
