import type { FailureKind } from './failure.js';

/** Failures of genomics on DRAGEN machines. */
export const DRAGEN_FAILURES = {
  DragenFailed: {
    retryable: false,
    fault: 'environment',
    reason: 'DRAGEN, or a program that prepares its reads, ended with an error.',
    remedy: 'Read the log that the message names.',
  },
  MachineTooSmall: {
    retryable: false,
    fault: 'input',
    reason: 'The disks of a DRAGEN machine would not hold the reads, the hash table and what is made of them.',
    remedy: 'Raise aws.dragen.rootVolume.gb, or choose instance types with local disks (F2).',
  },
  InstanceLost: {
    retryable: true,
    fault: 'environment',
    reason: 'A machine was taken back (spot), ended, or stopped answering before the work was done.',
    remedy: 'The work is tried again on another machine. Use on-demand machines if it goes on.',
  },
} as const satisfies Record<string, FailureKind>;
