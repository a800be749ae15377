import { failureKind, isFailureCode } from '../domain/failures/index.js';
import { toFailure, type FailureJson } from '../domain/errors.js';
import { EXIT, type ExitCode } from '../contracts/exit-codes.js';

/** Prints the one JSON document of a `--json` command on standard output. Everything else goes to standard error. */
export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

/** A line for people, on standard error. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** The exit code of a command that threw: bad input is 2, the rest is 1. */
export function exitCodeOf(failure: FailureJson): ExitCode {
  if (failure.code === 'Cancelled') return EXIT.cancelled;
  return failureKind(failure.code).fault === 'input' ? EXIT.input : EXIT.other;
}

/** Reports what a command threw, for people or as JSON, and returns the exit code. */
export function reportFailure(error: unknown, json: boolean): ExitCode {
  const failure = toFailure(error);
  if (json) printJson({ error: failure });
  else {
    say(`cohortflow: ${failure.code}: ${failure.message}`);
    if (isFailureCode(failure.code)) say(`  ${failureKind(failure.code).remedy}`);
    // A fault of our own is worth its stack; a fault of the data is not.
    if (failure.code === 'InternalError' && error instanceof Error && error.stack !== undefined) say(error.stack);
  }
  return exitCodeOf(failure);
}
