import { proxyActivities } from '@temporalio/workflow';
import { SUBMIT } from '../../src/workflows/work-classes.js';

interface SubmitActivities {
  submit(): Promise<string>;
}

/** A workflow that submits one external job with the product's class of work for that. */
export function submitOnce(): Promise<string> {
  return proxyActivities<SubmitActivities>(SUBMIT).submit();
}
