import type { FeatureDefinition } from '../domain/feature-table/store-form.js';

/** A feature group that is wanted. */
export interface FeatureGroupSpec {
  readonly name: string;
  readonly recordIdentifier: string;
  readonly eventTimeName: string;
  readonly definitions: readonly FeatureDefinition[];
}

/** Table of the catalogue that shows a group's offline store. */
export interface CatalogTable {
  readonly catalog?: string;
  readonly database: string;
  readonly table: string;
}

/** A feature group that takes records. */
export interface StoredGroup {
  readonly name: string;
  readonly table: CatalogTable;
  /** When it was made, as {@link FeatureStore.made} tells. */
  readonly made: string;
  /** What the store's own clock showed, ISO 8601, UTC: records that are sent from now on get no earlier time. */
  readonly at: string;
}

/** A record: values of the features that have one, the identifier and the event time among them. */
export interface StoreRecord {
  readonly id: string;
  readonly values: readonly (readonly [name: string, value: string])[];
}

/** A record that the store will not take, however often it is sent. */
export interface RejectedRecord {
  readonly id: string;
  readonly code: string;
  /** Names features, never values. */
  readonly message: string;
}

/**
 * Feature groups of a store that others query. Faults are those of the service by kind (`AwsThrottled`, `AwsDenied`, …)
 * after repeating what can be repeated.
 */
export interface FeatureStore {
  /** Most records of one {@link write}. */
  readonly batch: number;
  /**
   * Makes the group, or finds it, and waits until it takes records. Two that make the same group at once get the same one.
   * Throws `FeatureGroupFailed` with the service's reason, `FeatureGroupMismatch`.
   */
  ensure(spec: FeatureGroupSpec, signal: AbortSignal): Promise<StoredGroup>;
  /**
   * When the group of this name was made; undefined while there is none. It may have been removed since records were sent, or
   * removed and made anew: only equality means something.
   */
  made(group: string, signal: AbortSignal): Promise<string | undefined>;
  /** Appends records. Written twice they are there twice: the latest of an identifier counts. Returns what was refused. */
  write(
    group: Pick<FeatureGroupSpec, 'name' | 'recordIdentifier'>,
    records: readonly StoreRecord[],
    signal: AbortSignal,
  ): Promise<readonly RejectedRecord[]>;
  /** Appends a deletion. */
  remove(group: string, id: string, eventTime: string, signal: AbortSignal): Promise<void>;
}
