import type { FailureCode } from '../../failures/index.js';
import { lastWords } from './last-words.js';

/** Name of the file that a machine writes last: what became of its work. */
export const END_NAME = 'end.json';

/** What a machine is doing; a failure says in which of these it came. */
export const BOX_STEPS = [
  'space',
  'tools',
  'licence',
  'reference',
  'table',
  'reads',
  'unpack',
  'dragen',
  'results',
] as const;
export type BoxStep = (typeof BOX_STEPS)[number];

/** What a machine writes in the end. */
export interface BoxEnd {
  readonly ok: boolean;
  readonly step: BoxStep;
  /** Exit code of the program that failed; 0 when none did. */
  readonly exit: number;
  /** The object or program that a failure is about; empty for others. */
  readonly what?: string;
  /** The line in which the program that failed says why, as it said it; empty when none did. */
  readonly said?: string;
  readonly seconds: number;
  /** Version that DRAGEN calls itself; absent where it does not say. */
  readonly version?: string;
  /** Names and SHA-256 of what lies beside this file; none when it failed. */
  readonly results: readonly { readonly name: string; readonly sha256: string }[];
}

/** Exit codes of the script: a machine has not the room, or not the programs, that the work needs; … */
export const NO_ROOM = 70;
export const NO_PROGRAM = 71;
/** … an object is not there, or not for this machine; … */
export const NOT_THERE = 72;
export const DENIED = 73;
/** … some archives hold pairs and others do not; a file of reads is empty. */
export const MIXED_LANES = 74;
export const EMPTY_READS = 75;

const MESSAGES: Readonly<Record<BoxStep, string>> = {
  space: 'the machine could not be made ready',
  tools: 'the SRA tools could not be fetched',
  licence: 'the licence could not be fetched',
  reference: 'reference or annotation could not be fetched',
  table: 'the hash table could not be built, fetched or kept',
  reads: 'reads could not be fetched',
  unpack: 'an SRA archive could not be unpacked into reads',
  dragen: 'DRAGEN ended with an error',
  results: 'the results could not be brought to S3',
};

/** Transfers fail for reasons that pass; programs fail for good. */
const CODES: Readonly<Record<BoxStep, FailureCode>> = {
  space: 'DragenFailed',
  tools: 'AwsUnavailable',
  licence: 'DragenFailed',
  reference: 'AwsUnavailable',
  table: 'DragenFailed',
  reads: 'AwsUnavailable',
  unpack: 'DamagedArchive',
  dragen: 'DragenFailed',
  results: 'AwsUnavailable',
};

interface BoxFailure {
  readonly code: FailureCode;
  readonly message: string;
}

/** Failures that have an exit code of their own. */
function ownFailure({ step, exit, what = '' }: Pick<BoxEnd, 'step' | 'exit' | 'what'>): BoxFailure | undefined {
  const named = what === '' ? '' : `${what}: `;
  switch (exit) {
    case NO_ROOM: {
      const message = 'the disks of the machine are too small for reads, hash table and what DRAGEN makes of them';
      return { code: 'MachineTooSmall', message };
    }
    case NO_PROGRAM:
      return { code: 'DragenFailed', message: `the machine image lacks a program that the work needs: ${what}` };
    case NOT_THERE:
      return { code: 'FileNotFound', message: `${MESSAGES[step]}: ${named}there is no such object in S3` };
    case DENIED: {
      const why = 'the role of the machine may not, or it is not there and the role may not list its bucket';
      return { code: 'AwsDenied', message: `${MESSAGES[step]}: ${named}${why}` };
    }
    case MIXED_LANES:
      return { code: 'UnpairedReads', message: 'some runs of the sample hold pairs and others do not' };
    case EMPTY_READS:
      return { code: 'EmptyReads', message: 'a file of reads is empty' };
    default:
      return undefined;
  }
}

/** In these steps it is an object that could not be moved. */
const TRANSFERS: readonly BoxStep[] = ['tools', 'licence', 'reference', 'reads', 'results'];

/** Code and message of work that failed on its machine, with what the program said last. */
export function boxFailure(end: Pick<BoxEnd, 'step' | 'exit' | 'what' | 'said'>): BoxFailure {
  const { step, exit, said = '' } = end;
  // 128 and the signal: the system ended it, as it does when memory runs out.
  if (exit > 128) return { code: 'JobKilled', message: `${MESSAGES[step]}: killed (exit ${exit})` };
  const words = lastWords(said, TRANSFERS.includes(step));
  const message = `${MESSAGES[step]} (exit ${exit})${words === '' ? '' : `: ${words}`}`;
  return ownFailure(end) ?? { code: CODES[step], message };
}

/** A file beside the end, never one elsewhere. */
function isResult(value: unknown): value is BoxEnd['results'][number] {
  const { name, sha256 } = (value ?? {}) as Partial<Readonly<Record<string, unknown>>>;
  return typeof name === 'string' && !name.includes('/') && typeof sha256 === 'string';
}

/** Reads what a machine wrote; undefined for anything else. */
export function parseBoxEnd(text: string): BoxEnd | undefined {
  try {
    const found = JSON.parse(text) as Partial<Readonly<Record<string, unknown>>>;
    const { ok, step, exit, said, seconds, results } = found;
    const known = BOX_STEPS.find((one) => one === step);
    if (typeof ok !== 'boolean' || known === undefined) return undefined;
    if (typeof exit !== 'number' || typeof seconds !== 'number') return undefined;
    if (!Array.isArray(results) || !results.every(isResult)) return undefined;
    const word = (value: unknown): string | undefined =>
      typeof value === 'string' && /^[\w.-]+$/.test(value) ? value : undefined;
    const [what, version] = [word(found['what']), word(found['version'])];
    const words = {
      ...(what === undefined ? {} : { what }),
      ...(version === undefined ? {} : { version }),
      ...(typeof said === 'string' && said !== '' ? { said } : {}),
    };
    return { ok, step: known, exit, ...words, seconds, results };
  } catch {
    return undefined;
  }
}
