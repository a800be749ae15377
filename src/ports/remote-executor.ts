import type { PaidMachine } from '../domain/costs/index.js';
import { CohortflowError } from '../domain/errors.js';
import type { RemoteEnd, RemoteExecutorName, RemoteRequest, RemoteTicket } from '../contracts/remote-work.js';

/** How work ended that did not end well: the code says what it failed with. Everything else is a fault of looking. */
export class WorkFailed extends CohortflowError {}

/** Work to be given away, with everything that decides where it goes. */
export interface RemoteWork {
  readonly request: RemoteRequest;
  /** At most 63 letters, digits and hyphens; the same whenever the same try is submitted again, and never for another. */
  readonly name: string;
  /** `s3://bucket/…/<name>`, without a slash at the end: private to this work. */
  readonly place: string;
  /** `s3://bucket/…/<name>`: how what it says begins its names; stays when the work and its place are gone. */
  readonly logs: string;
  /** Put on everything that is made; of `workTags`. */
  readonly tags: Readonly<Record<string, string>>;
}

/** What there may be of something at once, and what says so. */
export interface RemoteLimit {
  /** Absent where nobody could say: then the service itself refuses what is too much. */
  readonly limit?: number;
  /** As `quota of ml.r5.large for processing jobs`. */
  readonly why: string;
}

/** Work of ours that a service still has. */
export interface RemoteAlive {
  readonly executor: RemoteExecutorName;
  /** The service's own name of it (a job's name, an instance's id). */
  readonly id: string;
  readonly name: string;
  /** Workflow that it belongs to; absent when its tags do not say. */
  readonly workflowId?: string;
  /** Which run of that workflow; absent when its tags do not say. */
  readonly runId?: string;
  /** ISO time. */
  readonly since?: string;
  /** ISO time since when it has had no work and waits for any: it belongs to nobody, and is nobody's fault for a while. */
  readonly idleSince?: string;
}

/**
 * A service that does the work of a unit on its own machines. Faults are {@link CohortflowError}s of the catalogue: those of
 * the service by kind (`AwsThrottled`, `AwsNoCapacity`, …), those of the work by what happened (`JobKilled`, `InstanceLost`,
 * or the code that the work itself failed with).
 */
export interface RemoteExecutor {
  readonly name: RemoteExecutorName;
  /** Gives work away; finds its own again when an earlier answer was lost. Undefined where there is nothing left to do. */
  submit(work: RemoteWork, signal: AbortSignal): Promise<RemoteTicket | undefined>;
  /**
   * Resolves when the work has ended well, rejects with {@link WorkFailed}, or with the fault that looking met for too long;
   * may be called again after a crash.
   */
  await(ticket: RemoteTicket, signal: AbortSignal, onProgress: (message: string) => void): Promise<RemoteEnd>;
  /**
   * Ends work by its name, whether it was ever taken on or not; resolves when it is certain to cost nothing more, with what
   * was paid for it.
   */
  stop(name: string, signal: AbortSignal): Promise<readonly PaidMachine[]>;
  /** All work of ours that is alive, for the sweep; of this namespace only. */
  alive(signal: AbortSignal): Promise<readonly RemoteAlive[]>;
  /** Ends one that {@link alive} listed. */
  end(found: RemoteAlive, signal: AbortSignal): Promise<void>;
}
