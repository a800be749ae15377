/** Exit codes of every verb: scripts depend on them. */
export const EXIT = {
  /** All done. */
  ok: 0,
  /** Anything not listed here. */
  other: 1,
  /** Bad usage or input; nothing was started. */
  input: 2,
  /** Finished, with failed cases (`--fail-on none` makes it 0). */
  failedCases: 3,
  /** Paused by the circuit breaker. */
  paused: 4,
  /** Cancelled. */
  cancelled: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
