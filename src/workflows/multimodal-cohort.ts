import { workflowInfo } from '@temporalio/workflow';
import { CohortflowError } from '../domain/errors.js';
import { fanOutChoice, fanOutFields } from '../contracts/fan-out-choice.js';
import { checkInput } from '../contracts/input-check.js';
import {
  MULTIMODAL_RULES,
  type ClinicalInput,
  type CommonInput,
  type FanOutInput,
  type GenomicsCohortInput,
  type ImagingCohortInput,
  type MultimodalInput,
  type PreparedRun,
} from '../contracts/inputs.js';
import { lostUnits, type UnitCounts } from '../contracts/outcome.js';
import type { ClinicalResult, CohortResult, ModalityResult } from '../contracts/results.js';
import { modalityWorkflowId, type FanOutModality, type Modality } from '../contracts/workflow-ids.js';
import { childToEnd } from './children.js';
import { CohortState } from './cohort-state.js';
import type { Addressee } from './courier.js';
import { EarlyControl } from './early-control.js';
import { isOwnCancellation, isReportable, orFail, stepFailure } from './failures.js';
import { closingOnCancel, finishRun, heedReport, type RunParts } from './finish-run.js';
import { PartControl } from './part-control.js';
import { allEnded } from './pool.js';
import { prepare } from './root.js';

const TYPES: Readonly<Record<Modality, string>> = {
  imaging: 'imagingCohort',
  genomics: 'genomicsCohort',
  clinical: 'clinicalFeatures',
};

/** Starts one modality as a child; a modality whose workflow itself broke is a failed part, not the end of the others. */
async function modality<R>(
  name: Modality,
  input: unknown,
  broken: (code: string, message: string) => R,
  onStarted: (child: Addressee) => void,
): Promise<R> {
  try {
    const workflowId = modalityWorkflowId(workflowInfo().workflowId, name);
    const options = { staticSummary: `${name} of the cohort` };
    return await childToEnd<R>(TYPES[name], workflowId, input, options, onStarted);
  } catch (error) {
    if (isOwnCancellation(error) || !isReportable(error)) throw error;
    const { code, message } = stepFailure(error);
    return broken(code, message);
  }
}

function brokenUnits(
  total: number,
  group: string,
  told: () => UnitCounts | undefined,
): (code: string, message: string) => ModalityResult {
  return (code, message) => ({
    counts: lostUnits(total, told()),
    featureGroups: [{ group, outcome: 'failed', code, message }],
  });
}

function pick<K extends keyof MultimodalInput>(input: MultimodalInput, names: readonly K[]): Pick<MultimodalInput, K> {
  const entries = names.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]);
  return Object.fromEntries(entries) as Pick<MultimodalInput, K>;
}

const SHARED = [
  ...(['output', 'force', 'verifyInputs', 'pseudonymise'] as const),
  ...(['recordIdentifier', 'eventTimeName', 'featureStore'] as const),
] as const;

/** Runs a modality's units, and again those that were to be retried after it had ended. */
async function unitModality(
  name: FanOutModality,
  input: CommonInput & FanOutInput,
  total: number,
  control: PartControl,
): Promise<ModalityResult> {
  const broken = brokenUnits(total, name, () => control.told(name));
  let result = await control.whileOpen(name, (onStarted) => modality<ModalityResult>(name, input, broken, onStarted));
  for (;;) {
    const retryRound = await control.nextRound(name);
    if (retryRound === undefined) return result;
    const again = { ...input, retryRound };
    const lost = brokenUnits(retryRound.total, name, () => undefined);
    const { counts, featureGroups } = await control.whileOpen(name, (onStarted) =>
      modality<ModalityResult>(name, again, lost, onStarted),
    );
    const { done, reused, failed, cancelled } = result.counts;
    result = {
      counts: {
        total: result.counts.total,
        done: done + counts.done,
        reused: reused + counts.reused,
        failed: failed - retryRound.total + counts.failed,
        cancelled: cancelled + counts.cancelled,
      },
      featureGroups,
    };
  }
}

async function runModalities(input: MultimodalInput, prepared: PreparedRun, state: CohortState): Promise<RunParts> {
  const { cohort, clinical } = input;
  const told = (name: FanOutModality): FanOutInput => {
    const steering = state.early?.changes[name];
    return steering === undefined ? {} : { steering };
  };
  const common = { ...pick(input, SHARED), prepared };
  const started: (() => Promise<RunParts>)[] = [];
  const names: Modality[] = [];
  const control = new PartControl(input, prepared, state);
  if (cohort !== undefined && prepared.imaging > 0) {
    names.push('imaging');
    const choice = pick(input, ['radiomics', 'featureSet', 'roi', 'series', 'imagingExecutor']);
    const child: ImagingCohortInput = {
      ...common,
      ...choice,
      ...told('imaging'),
      ...fanOutFields(fanOutChoice(input, 'imaging')),
      cohort,
    };
    started.push(async () => ({ imaging: await unitModality('imaging', child, prepared.imaging, control) }));
  }
  if (cohort !== undefined && prepared.genomics > 0) {
    names.push('genomics');
    const reads = ['transcripts', 'annotation', 'index', 'threads', 'genomicsExecutor', 'dragenProfile'] as const;
    const choice = pick(input, [...reads, 'genes']);
    const child: GenomicsCohortInput = {
      ...common,
      ...choice,
      ...told('genomics'),
      ...fanOutFields(fanOutChoice(input, 'genomics')),
      cohort,
    };
    started.push(async () => ({ genomics: await unitModality('genomics', child, prepared.genomics, control) }));
  }
  if (clinical !== undefined) {
    names.push('clinical');
    const child: ClinicalInput = { ...common, clinical };
    const broken = (code: string, message: string): ClinicalResult => ({ outcome: 'failed', code, message });
    const run = (onStarted: (part: Addressee) => void): Promise<ClinicalResult> =>
      modality('clinical', child, broken, onStarted);
    started.push(async () => ({ clinical: await control.whileOpen('clinical', run) }));
  }
  state.children = names;
  state.enter('running');
  let parts: RunParts = {};
  heedReport(input, prepared, () => parts, state);
  await allEnded(
    started.map(async (start) => {
      const part = await start();
      parts = { ...parts, ...part };
    }),
  );
  control.close();
  return parts;
}

/**
 * The whole pipeline: clinical features, imaging and genomics side by side, then the joined data set and the report. A
 * failed case, a failed table or a failed modality is in the result; the workflow fails only for bad input.
 */
export async function multimodalCohort(raw: unknown): Promise<CohortResult> {
  const input = orFail(() => {
    const checked = checkInput<MultimodalInput>('multimodalCohort', MULTIMODAL_RULES, raw);
    if (checked.cohort === undefined && checked.clinical === undefined) {
      throw new CohortflowError('InvalidInput', 'multimodalCohort: cohort or clinical is needed, or both');
    }
    fanOutChoice(checked, 'imaging');
    fanOutChoice(checked, 'genomics');
    return checked;
  });
  const state = new CohortState();
  state.early = new EarlyControl(['imaging', 'genomics'], input);
  const prepared = await prepare(input, ['imaging', 'genomics', 'clinical']);
  return closingOnCancel(input.output, prepared.runId, async () =>
    finishRun(input, prepared, await runModalities(input, prepared, state), state),
  );
}
