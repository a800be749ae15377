import type { FailureCode } from '../../failures/index.js';

/** Name of the file that a machine writes last: what became of its work. */
export const END_NAME = 'end.json';

/** What a machine is doing; a failure says in which of these it came. */
export const BOX_STEPS = ['space', 'licence', 'reference', 'table', 'reads', 'unpack', 'dragen', 'results'] as const;
export type BoxStep = (typeof BOX_STEPS)[number];

/** What a machine writes in the end. */
export interface BoxEnd {
  readonly ok: boolean;
  readonly step: BoxStep;
  /** Exit code of the program that failed; 0 when none did. */
  readonly exit: number;
  readonly seconds: number;
  /** Names and SHA-256 of what lies beside this file; none when it failed. */
  readonly results: readonly { readonly name: string; readonly sha256: string }[];
}

/** Exit code of the script where a machine has not the room, or not the programs, that the work needs. */
export const NO_ROOM = 70;
export const NO_PROGRAM = 71;

const MESSAGES: Readonly<Record<BoxStep, string>> = {
  space: 'the machine could not be made ready',
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
  licence: 'DragenFailed',
  reference: 'AwsUnavailable',
  table: 'DragenFailed',
  reads: 'AwsUnavailable',
  unpack: 'DamagedArchive',
  dragen: 'DragenFailed',
  results: 'AwsUnavailable',
};

/** Code and message of work that failed on its machine. */
export function boxFailure({ step, exit }: Pick<BoxEnd, 'step' | 'exit'>): {
  readonly code: FailureCode;
  readonly message: string;
} {
  if (exit === NO_ROOM) {
    const message = 'the disks of the machine are too small for reads, hash table and what DRAGEN makes of them';
    return { code: 'MachineTooSmall', message };
  }
  if (exit === NO_PROGRAM) {
    return {
      code: 'DragenFailed',
      message: 'the machine image lacks a program that the work needs: aws, dragen or fastq-dump',
    };
  }
  // 128 and the signal: the system ended it, as it does when memory runs out.
  if (exit > 128) return { code: 'JobKilled', message: `${MESSAGES[step]}: killed (exit ${exit})` };
  return { code: CODES[step], message: `${MESSAGES[step]} (exit ${exit})` };
}

/** A file beside the end, never one elsewhere. */
function isResult(value: unknown): value is BoxEnd['results'][number] {
  const { name, sha256 } = (value ?? {}) as Partial<Readonly<Record<string, unknown>>>;
  return typeof name === 'string' && !name.includes('/') && typeof sha256 === 'string';
}

/** Reads what a machine wrote; undefined for anything else. */
export function parseBoxEnd(text: string): BoxEnd | undefined {
  try {
    const { ok, step, exit, seconds, results } = JSON.parse(text) as Partial<Readonly<Record<string, unknown>>>;
    const known = BOX_STEPS.find((one) => one === step);
    if (typeof ok !== 'boolean' || known === undefined) return undefined;
    if (typeof exit !== 'number' || typeof seconds !== 'number') return undefined;
    if (!Array.isArray(results) || !results.every(isResult)) return undefined;
    return { ok, step: known, exit, seconds, results };
  } catch {
    return undefined;
  }
}
