import type { JsonObject } from '../steps/step.js';
import type { ImagingStudyInput } from './inputs.js';

/**
 * What the orchestrator and the container of a processing job know of each other. The container computes and writes files;
 * it calls nobody, so that it may be cut off from the network.
 */

/** Where the service puts inputs and takes outputs, in the container. */
export const PROCESSING_ROOT = '/opt/ml/processing';

/** Roles of the inputs; each is a folder of its name below `input`. */
export type ProcessingInput = 'request' | 'study' | 'image' | 'mask';

export const inputFolder = (role: ProcessingInput): string => `${PROCESSING_ROOT}/input/${role}`;
export const RESULTS_FOLDER = `${PROCESSING_ROOT}/output/results`;
/** What the service shows as the job's exit message: at most 1 kB of UTF-8. */
export const MESSAGE_FILE = '/opt/ml/output/message';
export const MOST_MESSAGE_BYTES = 1000;

/** The whole request: too long for arguments or variables. */
export const REQUEST_NAME = 'request.json';
/** Written last among the results: what each step made. */
export const STEPS_NAME = 'steps.json';

export interface ProcessingRequest {
  readonly input: Pick<ImagingStudyInput, 'unit' | 'choice' | 'settings'>;
}

/** One step as the container ran it. */
export interface ProcessedStep {
  readonly step: string;
  readonly version: number;
  readonly outputs: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
  readonly summary: JsonObject;
  /** ISO time. */
  readonly started: string;
  readonly seconds: number;
}

/** How a job says what its work failed with. */
export interface ProcessingFailure {
  readonly code: string;
  readonly step: string;
  readonly message: string;
}
