export type Log = (line: string) => void;

/** Path of the Temporal CLI on PATH or in our cache, or undefined. */
export function findTemporalCli(): Promise<string | undefined>;

/** The Temporal CLI; fetched when it is not there. Throws when it cannot be had. */
export function obtainTemporalCli(
  log: Log,
): Promise<{ readonly path: string; readonly serverVersion: string; readonly source: string }>;

/** Path for the SDK's `executable: { type: 'existing-path', path }`, or undefined when the server was not fetched. */
export function findTestServer(): Promise<string | undefined>;

/** The time-skipping server: cache, SDK download, or Maven's jars with Java; else why there is none. */
export function obtainTestServer(log: Log): Promise<{ readonly path?: string; readonly reason?: string }>;
