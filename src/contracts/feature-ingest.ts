/** A group of the store that holds a run's records, or some of their columns. */
export interface IngestedGroup {
  readonly name: string;
  /** When it was made: one of the same name that was made later has none of them. */
  readonly made?: string;
  readonly table: { readonly catalog?: string; readonly database: string; readonly table: string };
  /** Columns of the run's table that are in it, by their names in the store. */
  readonly columns: readonly string[];
}

/** What became of sending a feature group of a run to the store. */
export interface IngestResult {
  readonly group: string;
  readonly outcome: 'done' | 'reused';
  readonly form: 'whole' | 'parts' | 'pointer';
  /** How the table lies in the store and why, for people. */
  readonly said: string;
  readonly featureGroups: readonly IngestedGroup[];
  /** Rows of the run's table, and how many of them the store refused. */
  readonly records: number;
  readonly failed: number;
  /** The latest event time among them. */
  readonly latestEventTime: string;
  /** Parquet file that a pointer names. */
  readonly pointsTo?: string;
}

/** {@link IngestResult} as it is kept in the output folder. */
export interface IngestRecord extends IngestResult {
  /** SHA-256 of the file the rows were read from. */
  readonly rows: string;
  /** Hash of the rows and of how they were sent: the same rows are not sent again. */
  readonly fingerprint: string;
  /** How often rows that were refused have been sent again. */
  readonly tries: number;
  /** When sending began, by the store's clock; rows of an earlier sending may have the same event time. */
  readonly sentFrom?: string;
  /** Identifiers that were refused. */
  readonly refused: readonly string[];
}

/**
 * A group of the store that records of an output were sent to, or were about to be. It is written before the first of them and
 * never taken back: of a sending that broke off, or was followed by one with other columns, it is all that tells where records
 * of a case may be.
 */
export interface SentGroup {
  readonly name: string;
  /** Parquet file that the records point to. */
  readonly pointsTo?: string;
}

/** Which feature group of which run is sent: what `features.write` left at `features/<group>`. */
export interface IngestRequest {
  readonly output: string;
  readonly group: string;
}

/** Where the traces of ingests lie below an output folder. */
export const ingestLayout = {
  folder: (output: string): string => `${output}/run/ingest`,
  record: (output: string, group: string): string => `${ingestLayout.folder(output)}/${group}.json`,
  rejected: (output: string, group: string): string => `${ingestLayout.folder(output)}/${group}-rejected.csv`,
  /** Folder of the marks of finished batches of one ingest. */
  batches: (output: string, group: string, ingest: string): string =>
    `${ingestLayout.folder(output)}/${ingestLayout.batchesOf(group)}${ingest}`,
  /** What the names of such folders of a group begin with. */
  batchesOf: (group: string): string => `.${group}-`,
  /** Folder of {@link SentGroup}, a file for each. */
  sent: (output: string, group: string): string => `${ingestLayout.folder(output)}/sent/${group}`,
  sentFolder: (output: string): string => `${ingestLayout.folder(output)}/sent`,
} as const;

/** Where the Parquet files lie that records of a pointer name. */
export const pointerLayout = {
  /** @param work place of work of the installation, `aws.work` */
  folder: (work: string): string => `${work}/features`,
  /** Folder of the files of one group of the store. */
  group: (pointers: string, group: string): string => `${pointers}/${group}`,
  /** The same rows to the same file, however often. */
  file: (pointers: string, group: string, fingerprint: string): string =>
    `${pointerLayout.group(pointers, group)}/${fingerprint.slice(0, 32)}.parquet`,
  /** Whether a name in the folder of a group is that of such a file. */
  isFile: (name: string): boolean => /^[0-9a-f]{32}\.parquet$/.test(name),
} as const;

/** Activities of the feature store: wait for a service, so they belong on the queue of such work. */
export interface FeatureActivities {
  /**
   * Sends the rows of a group to the feature store, which is made when there is none; heartbeats. Repeated, it sends only the
   * batches that were not finished; rows that were sent by an earlier run and have not changed are not sent again. Throws
   * `FeatureRecordsRejected` after all others were sent, when some were refused.
   */
  ingestFeatures(request: IngestRequest): Promise<IngestResult>;
}
