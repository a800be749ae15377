import { Context } from '@temporalio/activity';
import type { CohortActivities, StepActivities, StepRequest } from '../../src/contracts/activities.js';
import type { ServiceActivities } from '../../src/contracts/service-activities.js';
import type { CohortUnit, ImagingUnit } from '../../src/domain/cohort/manifest.js';
import { lasting as lastingAlike, type StepBehaviour } from '../../src/testing/behaviours.js';
import { mockActivities, type MockActivities, type RemoteBehaviour } from '../../src/testing/mock-activities.js';
import { imagingUnits } from '../../src/testing/units.js';

export type { StepBehaviour };

/** Studies `S-0`, `S-1`, …, whose folder tells which they are. */
export function simulatedStudies(count: number): ImagingUnit[] {
  return imagingUnits(count);
}

/** Index of a simulated study. */
export function indexOf(request: StepRequest): number {
  return Number(request.unit?.caseId.slice(2));
}

/** Makes a step last simulated time, a study's own. */
export function lasting(milliseconds: (index: number) => number, step = 'imaging.convert'): StepBehaviour {
  return (request, attempt) => lastingAlike(milliseconds(indexOf(request)), { step })(request, attempt);
}

/** Works until it is cancelled, with a sign of life now and then, as the real step activity does. */
export async function untilCancelled(): Promise<void> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), 50);
  try {
    await context.cancelled;
  } finally {
    clearInterval(timer);
  }
}

/** The product's mocks, all in one object. */
export interface Simulation
  extends
    CohortActivities,
    StepActivities,
    ServiceActivities,
    Pick<MockActivities, 'records' | 'steps' | 'closed' | 'alive' | 'given'> {}

/** Activities in memory over the given units, in place of files and processes. */
export function simulate(
  units: readonly CohortUnit[],
  behave?: StepBehaviour,
  behaveRemotely?: RemoteBehaviour,
): Simulation {
  const { quick, heavy, remote, ...seen } = mockActivities({
    units,
    ...(behave === undefined ? {} : { behave }),
    ...(behaveRemotely === undefined ? {} : { behaveRemotely }),
  });
  return { ...quick, ...heavy, ...remote, ...seen };
}
