import type { FailureJson } from '../../domain/errors.js';
import type { StepTask } from '../../ports/step-runner.js';
import type { JsonObject } from '../../steps/step.js';

/** What the pool tells a child. */
export interface HostMessage {
  readonly kind: 'run';
  readonly task: StepTask;
}

/** What a child answers. */
export type HostReply =
  | { readonly kind: 'progress'; readonly message: string }
  | { readonly kind: 'done'; readonly summary: JsonObject }
  | { readonly kind: 'failed'; readonly failure: FailureJson };
