import { makespan } from './makespan.js';

/** What the published original reports of itself, for comparison. */
export const ORIGINAL = {
  studies: 162,
  /** A subject's job, start included. */
  minutesPerStudy: 5,
  atOnce: 50,
  /** Its inline Map runs at most so many at once, whatever is asked for. */
  atOnceInTruth: 40,
  minutes: 20,
  /** Of the whole walkthrough: imaging, genomics of one sample, feature store and queries. */
  dollars: 13,
} as const;

/** Minutes that jobs of the original's length take for so many studies, at the width that its article states. */
export function originalMinutes(studies: number = ORIGINAL.studies): number {
  return makespan(new Array<number>(studies).fill(ORIGINAL.minutesPerStudy), ORIGINAL.atOnce);
}
