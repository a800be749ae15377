/** An image in a repository. */
export interface HeldImage {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly bytes: number;
}

/** A repository of images; `ours` by its name or tags. */
export interface HeldRepository {
  readonly name: string;
  readonly ours: boolean;
  readonly images: readonly HeldImage[];
}

export interface HeldKey {
  readonly id: string;
  /** By its tags or aliases. */
  readonly ours: boolean;
  /** ISO time at which it is deleted, where that is scheduled already. */
  readonly deletedAt?: string;
}

export interface HeldGroup {
  readonly name: string;
  /** Its name is one that we give with the prefix. */
  readonly ours: boolean;
  /** `s3://…` of its offline records. */
  readonly records?: string;
  /** `database.table` of the catalogue, which the service leaves behind. */
  readonly table?: string;
}

/**
 * What an account holds for us besides work that is under way: to be listed, and taken down. Faults are `CohortflowError`s.
 * What is not there any more is undefined, and removing it again is no fault.
 */
export interface AwsHoldings {
  repository(image: string, signal: AbortSignal): Promise<HeldRepository | undefined>;
  removeImages(image: string, digests: readonly string[], signal: AbortSignal): Promise<void>;
  key(id: string, signal: AbortSignal): Promise<HeldKey | undefined>;
  /** @returns ISO time at which the key is deleted; until then it can be had back */
  scheduleKeyDeletion(id: string, days: number, signal: AbortSignal): Promise<string>;
  /** Names of all feature groups that are named as we name them with this prefix. */
  groupNames(prefix: string, signal: AbortSignal): Promise<readonly string[]>;
  /** @param prefix any when undefined */
  group(name: string, prefix: string | undefined, signal: AbortSignal): Promise<HeldGroup | undefined>;
  removeGroup(name: string, signal: AbortSignal): Promise<void>;
}
