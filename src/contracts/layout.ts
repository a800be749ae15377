import type { Modality } from './workflow-ids.js';

/**
 * Where things lie below an output folder. Every part that reads or writes there asks these functions, so that the layout
 * stands in one place. Paths use `/` and may be URIs.
 */
export const layout = {
  run: (output: string): string => `${output}/run`,
  /** Private folders of steps that are under way; what a killed process left there is worth nothing. */
  work: (output: string): string => `${output}/run/.work`,
  owner: (output: string): string => `${output}/run/run.json`,
  params: (output: string): string => `${output}/run/params.json`,
  versions: (output: string): string => `${output}/run/versions.json`,
  validSheet: (output: string): string => `${output}/run/cohort.valid.csv`,
  outcomes: (output: string): string => `${output}/run/outcomes.csv`,
  trace: (output: string): string => `${output}/run/trace.csv`,
  /** Pages of normalised units of one run. */
  unitPage: (output: string, runId: string, modality: Modality, page: number): string =>
    `${output}/run/manifest/${runId}/${modality}-${String(page).padStart(6, '0')}.jsonl`,
  casePage: (output: string, runId: string, page: number): string =>
    `${output}/run/manifest/${runId}/cases-${String(page).padStart(6, '0')}.jsonl`,
  manifests: (output: string): string => `${output}/run/manifest`,
  /** Every case of the sheet and how its units ended: what the data set and the report are made from. */
  caseIndex: (output: string): string => `${output}/run/cases.jsonl`,
  /** The finished units of a modality, what the cohort's steps read. */
  finished: (output: string, modality: Modality): string => `${output}/run/finished-${modality}.jsonl`,
  /** Folder of a run's outcome records. */
  records: (output: string, runId: string): string => `${output}/run/records/${runId}`,
  /** Folder of the manifests of the steps whose files lie in `folder` below the output. */
  stepManifests: (output: string, folder: string): string => `${output}/run/steps${folder === '' ? '' : `/${folder}`}`,
  /** The manifest of a step: what it was made from and what it made. `key` is the folder of its outputs. */
  stepManifest: (output: string, key: string, step: string): string =>
    `${output}/run/steps/${key === '' ? '' : `${key}/`}${step}.json`,
} as const;

/** Units in one page file. */
export const UNITS_PER_PAGE = 500;
