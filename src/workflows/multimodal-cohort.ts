import {
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  executeChild,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { CohortflowError } from '../domain/errors.js';
import { checkWidthRequest, type SteeringChange, type SteeringState } from '../contracts/control.js';
import { checkInput } from '../contracts/input-check.js';
import {
  MULTIMODAL_RULES,
  concurrencyOf,
  type ClinicalInput,
  type GenomicsCohortInput,
  type ImagingCohortInput,
  type MultimodalInput,
  type PreparedRun,
} from '../contracts/inputs.js';
import { NO_UNITS } from '../contracts/outcome.js';
import type { ClinicalResult, CohortResult, ModalityResult } from '../contracts/results.js';
import { modalityWorkflowId, type Modality } from '../contracts/workflow-ids.js';
import { CohortState } from './cohort-state.js';
import { isOwnCancellation, isReportable, orFail, stepFailure } from './failures.js';
import { allEnded } from './pool.js';
import { closingOnCancel, finishRun, type RunParts } from './finish-run.js';
import { pauseUpdate, resumeUpdate, setConcurrencyUpdate } from './messages.js';
import { prepare } from './root.js';
import { steerChild } from './steering.js';

const TYPES: Readonly<Record<Modality, string>> = {
  imaging: 'imagingCohort',
  genomics: 'genomicsCohort',
  clinical: 'clinicalFeatures',
};

/** Starts one modality as a child; a modality whose workflow itself broke is a failed part, not the end of the others. */
async function modality<R>(name: Modality, input: unknown, broken: (code: string, message: string) => R): Promise<R> {
  try {
    return await executeChild<(input: unknown) => Promise<R>>(TYPES[name], {
      workflowId: modalityWorkflowId(workflowInfo().workflowId, name),
      args: [input],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      staticSummary: `${name} of the cohort`,
    });
  } catch (error) {
    if (isOwnCancellation(error) || !isReportable(error)) throw error;
    const { code, message } = stepFailure(error);
    return broken(code, message);
  }
}

function brokenUnits(total: number, group: string): (code: string, message: string) => ModalityResult {
  return (code, message) => ({
    counts: { ...NO_UNITS, total, failed: total },
    featureGroups: [{ group, outcome: 'failed', code, message }],
  });
}

function pick<K extends keyof MultimodalInput>(input: MultimodalInput, names: readonly K[]): Pick<MultimodalInput, K> {
  const entries = names.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]);
  return Object.fromEntries(entries) as Pick<MultimodalInput, K>;
}

const SHARED = ['output', 'force', 'recordIdentifier', 'eventTimeName'] as const;

async function runModalities(input: MultimodalInput, prepared: PreparedRun, state: CohortState): Promise<RunParts> {
  const { cohort, clinical } = input;
  const width = concurrencyOf(input);
  const common = { ...pick(input, SHARED), prepared };
  const started: Promise<RunParts>[] = [];
  const names: Modality[] = [];
  if (cohort !== undefined && prepared.imaging > 0) {
    names.push('imaging');
    const choice = pick(input, ['radiomics', 'featureSet', 'roi', 'series']);
    const child: ImagingCohortInput = { ...common, ...choice, cohort, concurrency: width.imaging };
    started.push(modality('imaging', child, brokenUnits(prepared.imaging, 'imaging')).then((imaging) => ({ imaging })));
  }
  if (cohort !== undefined && prepared.genomics > 0) {
    names.push('genomics');
    const choice = pick(input, ['transcripts', 'annotation', 'index', 'threads']);
    const child: GenomicsCohortInput = { ...common, ...choice, cohort, concurrency: width.genomics };
    started.push(
      modality('genomics', child, brokenUnits(prepared.genomics, 'genomics')).then((genomics) => ({ genomics })),
    );
  }
  if (clinical !== undefined) {
    names.push('clinical');
    const child: ClinicalInput = { ...common, clinical };
    const broken = (code: string, message: string): ClinicalResult => ({ outcome: 'failed', code, message });
    started.push(modality('clinical', child, broken).then((result) => ({ clinical: result })));
  }
  state.children = names;
  state.enter('running');
  steerModalities(
    names.filter((name) => name !== 'clinical'),
    width,
  );
  const parts = await allEnded(started);
  return Object.assign({}, ...parts) as RunParts;
}

/** Passes `pause`, `resume` and `setConcurrency` on to the modalities that run units. */
function steerModalities(names: readonly Modality[], width: Readonly<Record<'imaging' | 'genomics', number>>): void {
  let state: SteeringState = { paused: false, width: Math.max(0, ...names.map((name) => width[name as 'imaging'])) };
  const pass = async (changeOf: (name: Modality) => SteeringChange): Promise<void> => {
    const { workflowId } = workflowInfo();
    await Promise.all(names.map((name) => steerChild(modalityWorkflowId(workflowId, name), changeOf(name))));
  };
  const pause = async (paused: boolean): Promise<SteeringState> => {
    state = { ...state, paused };
    await pass(() => ({ paused }));
    return state;
  };
  setHandler(pauseUpdate, () => pause(true));
  setHandler(resumeUpdate, () => pause(false));
  setHandler(
    setConcurrencyUpdate,
    async (request) => {
      const widthOf = (name: Modality): number | undefined =>
        typeof request === 'number' ? request : request[name as 'imaging' | 'genomics'];
      state = { ...state, width: Math.max(0, ...names.map((name) => widthOf(name) ?? 0)) };
      await pass((name) => {
        const given = widthOf(name);
        return given === undefined ? {} : { width: given };
      });
      return state;
    },
    { validator: (request) => orFail(() => checkWidthRequest(request)) },
  );
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
    concurrencyOf(checked);
    return checked;
  });
  const state = new CohortState();
  const prepared = await prepare(input, ['imaging', 'genomics', 'clinical']);
  return closingOnCancel(input.output, prepared.runId, async () =>
    finishRun(input, prepared, await runModalities(input, prepared, state), state),
  );
}
