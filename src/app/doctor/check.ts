import { CohortflowError, messageOf } from '../../domain/errors.js';
import { failureKind } from '../../domain/failures/index.js';
import { mapBounded } from '../../domain/map-bounded.js';

/** `failed`: what was asked for cannot work. `unknown`: it could not be looked at. */
export type CheckState = 'ok' | 'warning' | 'failed' | 'unknown';

/** What a look at one thing found. */
export interface Finding {
  readonly name: string;
  readonly state: CheckState;
  readonly found: string;
  /** A setting, a command or a place in the console; on everything that is not well. */
  readonly fix?: string;
}

/** What a check answers; the name is that of the check unless it found several things. */
export type Verdict = Omit<Finding, 'name'> & { readonly name?: string };

/** One thing that is looked at. It changes nothing that stays. */
export interface Check {
  readonly name: string;
  look(signal: AbortSignal): Promise<Verdict | readonly Verdict[]>;
}

export const ok = (found: string): Verdict => ({ state: 'ok', found });
export const warning = (found: string, fix: string): Verdict => ({ state: 'warning', found, fix });
export const failed = (found: string, fix: string): Verdict => ({ state: 'failed', found, fix });
export const unknown = (found: string, fix: string): Verdict => ({ state: 'unknown', found, fix });

/** What the error of a look says: a look that is not allowed or gets no answer proves nothing. */
function verdictOf(error: unknown): Verdict {
  if (!(error instanceof CohortflowError)) return unknown(messageOf(error), 'run the command again');
  const { code, message, details } = error;
  const { remedy } = failureKind(code);
  if (code === 'AwsDenied') {
    const action = typeof details['action'] === 'string' ? details['action'] : undefined;
    const fix = action === undefined ? remedy : `grant the action ${action} to whoever runs this, or look by hand`;
    return unknown(`may not be looked at: ${message}`, fix);
  }
  if (code === 'AwsInvalidRequest' || code === 'AwsNotConfigured') return failed(message, remedy);
  return unknown(message, remedy);
}

/** Looks under way at once: a service throttles whoever asks too much. */
const AT_ONCE = 6;

/** Looks at everything and never throws but on abort; findings in the order of the checks. */
export async function runChecks(checks: readonly Check[], signal: AbortSignal): Promise<readonly Finding[]> {
  const findings = await mapBounded(checks, AT_ONCE, async (check): Promise<readonly Finding[]> => {
    signal.throwIfAborted();
    let verdicts: readonly Verdict[];
    try {
      verdicts = [await check.look(signal)].flat();
    } catch (error) {
      signal.throwIfAborted();
      verdicts = [verdictOf(error)];
    }
    return verdicts.map((verdict) => ({ ...verdict, name: verdict.name ?? check.name }));
  });
  return findings.flat();
}

/** True when something that was asked for cannot work. */
export function anyFailed(findings: readonly Finding[]): boolean {
  return findings.some(({ state }) => state === 'failed');
}
