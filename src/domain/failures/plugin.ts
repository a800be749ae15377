import type { FailureKind } from './failure.js';

/** Failures of the plugin in a host's own worker. */
export const PLUGIN_FAILURES = {
  WorkflowsNotInBundle: {
    retryable: false,
    fault: 'input',
    reason: "The workflows of cohortflow are not among those that the host's worker bundles; it was not started.",
    remedy: "Add `export * from 'cohortflow/workflows';` to the file that the worker bundles, and bundle again.",
  },
  ActivityNameTaken: {
    retryable: false,
    fault: 'input',
    reason: "The host's worker has activities of its own under names that cohortflow's workflows call.",
    remedy: 'Rename the activities that the message names, or give cohortflow a worker on another task queue.',
  },
  TemporalSdkMismatch: {
    retryable: false,
    fault: 'environment',
    reason: 'The host and cohortflow use two copies of the Temporal SDK, which cannot share a worker.',
    remedy: 'Install the version of the @temporalio packages that the message names; `npm dedupe` merges copies.',
  },
} as const satisfies Record<string, FailureKind>;
