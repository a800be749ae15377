import type { FailureKind } from './failure.js';

/** Failures that any part of the product can meet. */
export const GENERAL_FAILURES = {
  InvalidInput: {
    retryable: false,
    fault: 'input',
    reason: 'An option or a field of the request is missing, unknown or of the wrong type.',
    remedy: 'Correct the field that the message names.',
  },
  FileNotFound: {
    retryable: false,
    fault: 'input',
    reason: 'A file or folder that the request names does not exist or cannot be read.',
    remedy: 'Check the path and its permissions.',
  },
  OutputBusy: {
    retryable: false,
    fault: 'input',
    reason: 'Another run is writing into the output folder.',
    remedy: 'Wait for that run, cancel it, or choose another --output; the message says how to go on.',
  },
  RunNotFound: {
    retryable: false,
    fault: 'input',
    reason: 'No run of that id, or into that folder, is open.',
    remedy: 'Check the id or the folder, and which Temporal server is asked; `cohortflow run` starts one.',
  },
  ToolMissing: {
    retryable: false,
    fault: 'environment',
    reason: 'A program that the step needs is not installed.',
    remedy: 'Install the program that the message names and start again.',
  },
  ServerUnavailable: {
    retryable: true,
    fault: 'environment',
    reason: 'The Temporal server does not answer or could not be started.',
    remedy: 'Check the address, or start one with `cohortflow server start`.',
  },
  NotWritable: {
    retryable: false,
    fault: 'environment',
    reason: 'The system does not let the worker write there: permissions, or a file system that is read-only.',
    remedy: 'Give the user of the workers the right to write where the message says, or mount it writable.',
  },
  DiskFull: {
    retryable: true,
    fault: 'environment',
    reason: 'There is no space left to write.',
    remedy: 'Free space on the volume that the message names; the run goes on from there.',
  },
  IoError: {
    retryable: true,
    fault: 'environment',
    reason: 'Reading or writing failed below the product.',
    remedy: 'Look at the storage that the message names; the attempt is repeated.',
  },
  ProcessLost: {
    retryable: true,
    fault: 'environment',
    reason: 'The child process that did the work ended without an answer.',
    remedy: 'Look for the out-of-memory killer; lower --jobs if it happens again.',
  },
  WorkerShutdown: {
    retryable: true,
    fault: 'environment',
    reason: 'The worker was shut down before the step was done, as often as the step may be tried.',
    remedy: 'Give workers a longer grace (COHORTFLOW_SHUTDOWN_GRACE), or deploy less often; then retry the case.',
  },
  OutOfMemory: {
    retryable: false,
    fault: 'environment',
    reason: 'The work outgrew the memory given to its process.',
    remedy: 'Give the worker more memory (--memory-per-job) or lower --jobs.',
  },
  StepTimeout: {
    retryable: true,
    fault: 'environment',
    reason: 'A step was given up because it ran too long or stopped giving signs of life.',
    remedy: 'Look at the case; raise the time limit if it is simply large.',
  },
  Cancelled: {
    retryable: false,
    fault: 'input',
    reason: 'The run was cancelled while this was under way.',
    remedy: 'Start the run again: what is finished is not done again.',
  },
  Terminated: {
    retryable: false,
    fault: 'environment',
    reason: 'The workflow of this case was terminated or timed out before it could report.',
    remedy: 'Start the run again, or retry the case.',
  },
  InternalError: {
    retryable: false,
    fault: 'bug',
    reason: 'A fault of cohortflow itself.',
    remedy: 'Report it with the message and the step.',
  },
} as const satisfies Record<string, FailureKind>;
