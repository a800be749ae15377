/** A data key as a key management service hands it out. */
export interface DataKey {
  /** The service's name of the master key that wraps it; stands in the clear beside what it encrypts. */
  readonly masterKey: string;
  /** 32 bytes. Held in memory only, never logged. */
  readonly plaintext: Uint8Array;
  /** The data key encrypted by the master key; stands in the clear beside what it encrypts. */
  readonly wrapped: Uint8Array;
}

/** A service that makes data keys and opens them again, and never lets go of its master key. */
export interface KeyService {
  /** @throws CohortflowError `KeyServiceUnavailable` */
  generate(): Promise<DataKey>;
  /**
   * The data key inside `wrapped`.
   *
   * @throws CohortflowError `KeyServiceUnavailable`, also when the caller may not use that master key
   */
  unwrap(masterKey: string, wrapped: Uint8Array): Promise<Uint8Array>;
}
