import { GB, localDiskGb } from '../../../domain/costs/index.js';
import { CohortflowError } from '../../../domain/errors.js';
import { type DragenMachine, type Intended, NO_PROGRAM } from '../../../domain/genomics/dragen/index.js';
import { WorkFailed } from '../../../ports/remote-executor.js';
import type { CommandState } from './commands.js';
import type { Machine } from './machines.js';

/** Work that is waited for, and the machine that does it. */
export interface Watched {
  readonly id: string;
  readonly name: string;
  readonly place: string;
  /** How what the machine says begins its names in S3: `….log`, `….ssm`. */
  readonly logs: string;
  /** Of a sample: what it is quantified with. */
  readonly intended?: Intended;
}

/** Room is looked at before a machine is paid for, by the smallest disk that it may get. */
export function checkRoom(bytes: number, { instanceTypes, rootVolume: { gb: root } }: DragenMachine): void {
  const short = instanceTypes.find((type) => Math.max(localDiskGb(type), root) * GB < bytes);
  if (short === undefined) return;
  const message =
    `reads, hash table and what DRAGEN makes of them take about ${Math.ceil(bytes / GB)} GB; ${short} has ` +
    `${localDiskGb(short)} GB of local disks and the root volume ${root} GB: raise aws.dragen.rootVolume.gb`;
  throw new CohortflowError('MachineTooSmall', message);
}

/** On its way to where it does no work. */
export const goesDown = ({ state }: Machine): boolean => /^(shutting-down|terminated|stop)/.test(state);

/** A machine that is gone before its work ended well. */
export function lostMachine({ id, name }: Watched, machine: Machine | undefined, said = ''): WorkFailed {
  const why =
    machine === undefined ? 'EC2 does not know it' : `${machine.state}, ${machine.reason || 'no reason given'}`;
  const code = /InsufficientInstanceCapacity/.test(machine?.reason ?? '') ? 'AwsNoCapacity' : 'InstanceLost';
  return new WorkFailed(code, `the machine ${id} of ${name} is gone: ${why}${said}`, { machine: id });
}

/** A command that is over and left no word. */
export function withoutWord({ status, details, exit }: CommandState, { id, logs }: Watched): WorkFailed {
  const facts = { machine: id };
  // Without the AWS CLI there is no word at all.
  if (exit === NO_PROGRAM) {
    const message = `the machine image lacks a program that the work needs, most likely aws; ${logs}.ssm names it`;
    return new WorkFailed('DragenFailed', message, facts);
  }
  if (/Delivery|Undeliverable|Terminated/i.test(details)) {
    return new WorkFailed('InstanceLost', `the command did not reach the machine ${id}: ${details}`, facts);
  }
  if (status === 'TimedOut') {
    return new WorkFailed('JobTimedOut', `the machine ${id} worked longer than aws.dragen.maxMinutes allows`, facts);
  }
  if (status === 'Cancelled') {
    return new WorkFailed('JobTimedOut', `the command of the machine ${id} was cancelled by someone`, facts);
  }
  // Killed before it could say anything, or it never got to the script.
  return new WorkFailed(
    'InstanceLost',
    `the command of the machine ${id} ended without a word (${details}); ${logs}.ssm has what it said`,
    facts,
  );
}
