import type { ActivityOptions } from '@temporalio/workflow';
import { CLASSES as PATIENT_CLASSES, COMPUTE as PATIENT } from '../../src/workflows/work-classes.js';

export * from '../../src/workflows/work-classes.js';

/** Fewer than the product's, and still more than a step may fail of itself. */
export const MOST_COMPUTE_ATTEMPTS = 8;

/** As the product tries heavy steps, in seconds instead of minutes. */
export const COMPUTE: ActivityOptions = {
  ...PATIENT,
  heartbeatTimeout: '2 seconds',
  retry: {
    ...PATIENT.retry,
    initialInterval: '200 milliseconds',
    maximumInterval: '1 second',
    maximumAttempts: MOST_COMPUTE_ATTEMPTS,
  },
};

export const CLASSES = { ...PATIENT_CLASSES, runStep: COMPUTE };
