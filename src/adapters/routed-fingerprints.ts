import type { Fingerprints, HashOptions } from '../ports/run-ledger.js';
import { isS3 } from './aws/s3-location.js';

/** {@link Fingerprints} wherever the files are. */
export class RoutedFingerprints implements Fingerprints {
  constructor(
    private readonly local: Fingerprints,
    private readonly s3: Fingerprints,
  ) {}

  of(path: string, options?: HashOptions): Promise<string> {
    return this.at(path).of(path, options);
  }

  known(path: string, signal?: AbortSignal): Promise<string | undefined> {
    return this.at(path).known(path, signal);
  }

  stamp(path: string): Promise<string | undefined> {
    return this.at(path).stamp(path);
  }

  forget(path: string): Promise<void> {
    return this.at(path).forget(path);
  }

  private at(path: string): Fingerprints {
    return isS3(path) ? this.s3 : this.local;
  }
}
