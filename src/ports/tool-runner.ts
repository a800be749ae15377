/** What a finished program left. */
export interface ToolResult {
  readonly exitCode: number;
  readonly stdout: string;
  /** The last 64 kB of standard error. */
  readonly stderr: string;
}

/** Runs programs of other makers (salmon, fastq-dump) as child processes. */
export interface ToolRunner {
  /** Full path of a program on PATH or in the product's cache, or undefined. */
  find(program: string): Promise<string | undefined>;
  /**
   * Runs a program to its end. A non-zero exit is a result, not an error; the caller knows what it means.
   * On abort the program and its children get SIGTERM, then SIGKILL after 5 s, and the promise rejects with the signal's reason.
   * Throws `ToolMissing` when the program cannot be started.
   */
  run(
    program: string,
    args: readonly string[],
    options?: {
      readonly cwd?: string;
      readonly env?: Readonly<Record<string, string>>;
      readonly signal?: AbortSignal;
      /** Called with each line of standard error as it comes. */
      readonly onLine?: (line: string) => void;
    },
  ): Promise<ToolResult>;
}
