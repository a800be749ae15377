import type { Modality } from './workflow-ids.js';

/** Names a page of records by the units it is about, so that a reader finds those it needs without opening any. */
export interface RecordPageName {
  readonly modality: Modality;
  /** Positions of the first and last unit in the run's list of units of that modality, from 0. */
  readonly first: number;
  readonly last: number;
  /** Tells pages over the same units apart: letters, digits and `-`. */
  readonly name: string;
}

const position = (at: number): string => String(at).padStart(9, '0');

/**
 * Where things lie below an output folder. Every part that reads or writes there asks these functions, so that the layout
 * stands in one place. Paths use `/` and may be URIs.
 */
export const layout = {
  run: (output: string): string => `${output}/run`,
  /** Private folders of steps that are under way; what a killed process left there is worth nothing. */
  work: (output: string): string => `${output}/run/.work`,
  /** Folder of what services said of work that failed, a folder for each run. */
  allLogs: (output: string): string => `${output}/run/logs`,
  /** Folder of those of one run. */
  logs: (output: string, runId: string): string => `${output}/run/logs/${runId}`,
  owner: (output: string): string => `${output}/run/run.json`,
  /** Folder of the claims of the output, a file each, which stay: who came after whom. */
  claims: (output: string): string => `${output}/run/owners`,
  params: (output: string): string => `${output}/run/params.json`,
  versions: (output: string): string => `${output}/run/versions.json`,
  validSheet: (output: string): string => `${output}/run/cohort.valid.csv`,
  outcomes: (output: string): string => `${output}/run/outcomes.csv`,
  /** Folder of what was paid for the work of services in a run: 256 folders at most, in them a file for each piece of it. */
  paid: (output: string, runId: string): string => `${output}/run/paid/${runId}`,
  /** What the machines of services cost in the run, by list prices; absent where there were none. */
  costs: (output: string): string => `${output}/run/costs.json`,
  /** What `plan` kept beside the run that it is for. */
  plan: (output: string): string => `${output}/run/plan.json`,
  trace: (output: string): string => `${output}/run/trace.csv`,
  /** Pages of normalised units of one run; of a retry within it when `round` is above 0. */
  unitPage: (output: string, runId: string, modality: Modality, page: number, round = 0): string =>
    `${output}/run/manifest/${runId}/${round === 0 ? '' : `retry-${round}-`}${modality}-${String(page).padStart(6, '0')}.jsonl`,
  /** Written last when the units of a retry were chosen: how many they are. */
  retryRound: (output: string, runId: string, modality: Modality, round: number): string =>
    `${output}/run/manifest/${runId}/retry-${round}-${modality}.json`,
  casePage: (output: string, runId: string, page: number): string =>
    `${output}/run/manifest/${runId}/cases-${String(page).padStart(6, '0')}.jsonl`,
  manifests: (output: string): string => `${output}/run/manifest`,
  /** Every case of the sheet and how its units ended: what the data set and the report are made from. */
  caseIndex: (output: string): string => `${output}/run/cases.jsonl`,
  /** The finished units of a modality, what the cohort's steps read. */
  finished: (output: string, modality: Modality): string => `${output}/run/finished-${modality}.jsonl`,
  /** Folder of the outcome records of all runs, a folder each. */
  allRecords: (output: string): string => `${output}/run/records`,
  /** Folder of a run's outcome records. */
  records: (output: string, runId: string): string => `${output}/run/records/${runId}`,
  /** Folder of a run's pages of records: many outcomes in one object. */
  recordPages: (output: string, runId: string): string => `${output}/run/records/${runId}/pages`,
  recordPage: (output: string, runId: string, { modality, first, last, name }: RecordPageName): string =>
    `${output}/run/records/${runId}/pages/${modality}-${position(first)}-${position(last)}.${name}.jsonl`,
  /** Folder of a unit's records of one run. */
  unitRecords: (output: string, runId: string, modality: Modality, caseId: string, part: string): string =>
    `${output}/run/records/${runId}/${modality}/${part === '' ? caseId : `${caseId}/${part}`}`,
  /** Folder of the manifests of the steps whose files lie in `folder` below the output. */
  stepManifests: (output: string, folder: string): string => `${output}/run/steps${folder === '' ? '' : `/${folder}`}`,
  /** The manifest of a step: what it was made from and what it made. `key` is the folder of its outputs. */
  stepManifest: (output: string, key: string, step: string): string =>
    `${output}/run/steps/${key === '' ? '' : `${key}/`}${step}.json`,
} as const;

/** Units in one page file. */
export const UNITS_PER_PAGE = 500;
