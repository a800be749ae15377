import type { ActivityOptions } from '@temporalio/workflow';
import { COMPUTE as PATIENT } from '../../src/workflows/work-classes.js';

export * from '../../src/workflows/work-classes.js';

/** As the product tries heavy steps and as often, in seconds instead of minutes. */
export const COMPUTE: ActivityOptions = {
  ...PATIENT,
  heartbeatTimeout: '2 seconds',
  retry: { ...PATIENT.retry, initialInterval: '200 milliseconds' },
};
