import { isCancellation, setHandler } from '@temporalio/workflow';
import { checkInput } from '../contracts/input-check.js';
import { CLINICAL_RULES, type ClinicalInput, type PreparedRun } from '../contracts/inputs.js';
import type { ClinicalResult, CohortResult } from '../contracts/results.js';
import { recordOutcome } from './activities.js';
import { CohortState } from './cohort-state.js';
import { stepContext, stepUntilMended } from './cohort-step.js';
import { isReportable, orFail, stepFailure } from './failures.js';
import { writeFeatureGroup } from './feature-groups.js';
import { steerSignal } from './messages.js';
import type { Mended } from './mending.js';
import { asRootOrPart } from './root.js';

async function clinicalPart(input: ClinicalInput, prepared: PreparedRun, state: CohortState): Promise<ClinicalResult> {
  const { output, clinical } = input;
  const { runId, clinicalSpec } = prepared;
  const context = stepContext(input, prepared);
  const mended: Mended = (trip) => state.mended(trip);
  // A whole cohort that is told to go on passes that on.
  setHandler(steerSignal, ({ paused }) => {
    if (paused === false) state.goOn();
  });
  state.enter('running');
  try {
    const params = clinicalSpec === undefined ? {} : { spec: clinicalSpec };
    const place = { kind: 'output', folder: 'clinical' } as const;
    const request = { ...context, step: 'clinical.features', params, inputs: { table: [clinical] }, place };
    const report = await stepUntilMended(request, mended);
    const { rows, columns, dropped } = report.summary;
    // Told by the step: a specification may give it any name.
    const idColumn = report.summary['idColumn'];
    const named = typeof idColumn === 'string' ? { idColumn } : {};
    const group = await writeFeatureGroup(context, input, 'clinical', `${output}/clinical/features.csv`, mended, named);
    const counts = { rows: Number(rows), columns: Number(columns), dropped: Number(dropped) };
    return { outcome: report.outcome, group, ...counts, ...named };
  } catch (error) {
    if (isCancellation(error) || !isReportable(error)) throw error;
    const { code, message, attempts, seconds = 0, started = new Date().toISOString() } = stepFailure(error);
    // The table belongs to no single case: its line has no case id.
    const line = { caseId: '', modality: 'clinical', part: '', step: 'clinical.features', outcome: 'failed' } as const;
    await recordOutcome({
      output,
      runId,
      record: { ...line, code, why: '', attempts, started, seconds, message },
    });
    return { outcome: 'failed', code, message };
  }
}

/** The clinical table into features. Its failure is a result: the other modalities still come out. */
export async function clinicalFeatures(raw: unknown): Promise<CohortResult | ClinicalResult> {
  const input = orFail(() => checkInput<ClinicalInput>('clinicalFeatures', CLINICAL_RULES, raw));
  const state = new CohortState();
  return asRootOrPart(input, ['clinical'], state, 'clinical', (prepared) => clinicalPart(input, prepared, state));
}
