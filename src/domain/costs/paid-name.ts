import type { PaidMachine } from './run-costs.js';

/** What was told of one piece of work, as the name of its file says it. */
export interface PaidNamed {
  readonly work: string;
  /** Absent where a name has no room for it: then the file says it. */
  readonly machine?: PaidMachine;
}

const END = '.json';

/** Parts of a name; services use none of these in theirs. */
const BETWEEN = '_';

/** `<work>_<executor>_<type>_<seconds>_<on-demand|spot>[_<region>].json` */
const NAMED =
  /^(?<work>[^_]+)_(?<executor>sagemaker|dragen)_(?<instanceType>[^_]+)_(?<seconds>\d+(?:\.\d+)?)_(?<paidAs>on-demand|spot)(?:_(?<region>[^_]+))?\.json$/;

/**
 * Name of the file of what was paid for a piece of work. It says all there is to sum, so that the files need not be opened:
 * there is one for each job, and a large cohort has a million of them.
 */
export function paidName(work: string, paid: readonly PaidMachine[]): string {
  const whole = `${work}${END}`;
  const [one, ...others] = paid;
  if (one === undefined || others.length > 0) return whole;
  const { executor, instanceType, seconds, spot, region } = one;
  const parts = [work, executor, instanceType, String(seconds), spot ? 'spot' : 'on-demand', region];
  const name = `${parts.filter((part) => part !== undefined).join(BETWEEN)}${END}`;
  const { machine } = paidNamed(name) ?? {};
  // What is strange enough to be read back otherwise stands in the file only.
  const same = machine !== undefined && JSON.stringify(machine) === JSON.stringify(keyed(one));
  return same ? name : whole;
}

/** What a name says; undefined for one that is none of ours (a file that is being written). */
export function paidNamed(name: string): PaidNamed | undefined {
  if (name.startsWith('.') || !name.endsWith(END)) return undefined;
  const groups = NAMED.exec(name)?.groups;
  if (groups === undefined) return { work: name.slice(0, -END.length) };
  const { work = '', executor, instanceType = '', seconds, paidAs, region } = groups;
  return {
    work,
    machine: keyed({
      ...{ executor: executor as PaidMachine['executor'], instanceType, seconds: Number(seconds) },
      ...{ spot: paidAs === 'spot', ...(region === undefined ? {} : { region }) },
    }),
  };
}

/** The same with its keys in one order. */
const keyed = ({ executor, instanceType, seconds, spot, region }: PaidMachine): PaidMachine => ({
  ...{ executor, instanceType, seconds, spot },
  ...(region === undefined ? {} : { region }),
});
