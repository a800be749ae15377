import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { FailureCode } from '../domain/failures/index.js';
import type { StepReport, StepRequest } from '../contracts/activities.js';
import type { OutcomeRecord, UnitResult } from '../contracts/outcome.js';
import { quick, runStep } from './activities.js';
import { isReportable, stepFailure } from './failures.js';

type Unit = NonNullable<StepRequest['unit']>;

/** What the steps of one unit share. */
export interface UnitContext {
  readonly unit: Unit;
  readonly output: string;
  readonly runId: string;
  readonly force: boolean;
  /** Folder of the unit's files below the output. */
  readonly folder: string;
}

/** A step of a unit: its own parameters and inputs; the context gives the rest. */
export type UnitStep = (
  step: string,
  params: StepRequest['params'],
  inputs: StepRequest['inputs'],
) => Promise<StepReport>;

/** Thrown inside a unit's work when something it needs failed before: recorded like a failed step. */
export class StepNotStarted extends Error {
  constructor(
    readonly step: string,
    readonly failure: { readonly code: FailureCode; readonly message: string },
  ) {
    super(failure.message);
  }
}

/** Writes the line of a step that did not succeed. Not cancellable: a cancelled case still leaves its outcome. */
async function record(
  context: UnitContext,
  fields: Omit<OutcomeRecord, 'caseId' | 'modality' | 'part'>,
): Promise<void> {
  const { unit, output, runId } = context;
  const { caseId, modality, part } = unit;
  await CancellationScope.nonCancellable(() =>
    quick.recordOutcome({ output, runId, record: { caseId, modality, part, ...fields } }),
  );
}

/**
 * Runs the steps of one unit, one after another as `work` asks for them, and says how the unit ended. Steps that succeed
 * record themselves; a step that fails for good, or is cancelled, is recorded here. Only cancellation is thrown.
 */
export async function runUnit(context: UnitContext, work: (step: UnitStep) => Promise<void>): Promise<UnitResult> {
  let current = '';
  let ranAny = false;
  let begun = Date.now();
  const step: UnitStep = async (name, params, inputs) => {
    current = name;
    begun = Date.now();
    const { unit, output, runId, force, folder } = context;
    const place = { kind: 'output', folder } as const;
    const report = await runStep({ output, runId, step: name, params, inputs, unit, place, force });
    if (report.outcome === 'done') ranAny = true;
    return report;
  };
  try {
    await work(step);
    return { outcome: ranAny ? 'done' : 'reused' };
  } catch (error) {
    const started = new Date(begun).toISOString();
    const seconds = (Date.now() - begun) / 1000;
    if (isCancellation(error)) {
      const message = 'cancelled while under way';
      await record(context, {
        step: current,
        outcome: 'cancelled',
        code: '',
        why: '',
        attempts: 1,
        started,
        seconds,
        message,
      });
      throw error;
    }
    if (error instanceof StepNotStarted) current = error.step;
    else if (!isReportable(error)) throw error;
    const failure = error instanceof StepNotStarted ? { ...error.failure, attempts: 1 } : stepFailure(error);
    await record(context, { step: current, outcome: 'failed', why: '', started, seconds, ...failure });
    return { outcome: 'failed', step: current, code: failure.code };
  }
}
