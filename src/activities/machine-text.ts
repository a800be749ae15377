import type { RemoteEnd } from '../contracts/remote-work.js';

/**
 * What was paid for a unit's work, beside the step that took it up: `job: 312 s on ml.r5.large`, `machine: 812 s on f2.6xlarge`;
 * empty where nobody knows how long it took.
 */
export function machineText(
  what: 'job' | 'machine',
  { instanceType, seconds }: NonNullable<RemoteEnd['facts']>,
): string {
  if (typeof seconds !== 'number') return '';
  return `${what}: ${Math.round(seconds)} s${typeof instanceType === 'string' ? ` on ${instanceType}` : ''}`;
}
