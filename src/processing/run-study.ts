import { join } from 'node:path';
import { createFiles } from '../app/create-files.js';
import { runStepIntoFolder } from '../app/step-folders.js';
import { stepByName } from '../app/step-registry.js';
import type { ImagingStudyInput } from '../contracts/inputs.js';
import {
  inputFolder,
  REQUEST_NAME,
  RESULTS_FOLDER,
  STEPS_NAME,
  type ProcessedStep,
  type ProcessingRequest,
} from '../contracts/processing.js';
import { imagingPlan } from '../contracts/unit-plans.js';
import { CohortflowError } from '../domain/errors.js';
import type { Files } from '../ports/files.js';
import type { InputFiles } from './exit-message.js';

/** A failure of the study's work, and in which step it came. */
export class StudyFailure extends Error {
  constructor(
    readonly step: string,
    override readonly cause: unknown,
  ) {
    super('the work of the study failed');
  }
}

/** What the job was given, by input; what cannot be listed is left out. */
export async function inputFiles(root: string): Promise<readonly InputFiles[]> {
  const files = createFiles({});
  const found = (['study', 'image', 'mask'] as const).map(async (role) => {
    const folder = join(root === '' ? '/' : root, inputFolder(role));
    const entries = await files.list(folder, { recursive: true }).catch(() => []);
    return { role, folder, files: entries.map(({ path }) => path.slice(folder.length + 1)) };
  });
  return Promise.all(found);
}

/** The file that a single object was put into: keys that only begin like its own come with it. */
async function fileOf(files: Files, folder: string, uri: string): Promise<string> {
  const path = `${folder}/${uri.slice(uri.lastIndexOf('/') + 1)}`;
  if ((await files.stat(path)) === undefined) {
    throw new CohortflowError('FileNotFound', `${folder}: the object that the request names did not come`);
  }
  return path;
}

/** The study's source as it lies in the container. */
async function here(
  { source }: ImagingStudyInput['unit'],
  files: Files,
  at: (path: string) => string,
): Promise<ImagingStudyInput['unit']['source']> {
  if (source.kind === 'dicom') {
    const folder = at(inputFolder('study'));
    const archive = `${folder}/${source.folder.slice(source.folder.lastIndexOf('/') + 1)}`;
    // One object of the study's own name is its archive.
    const isOne = (await files.stat(archive))?.kind === 'file';
    return { kind: 'dicom', folder: isOne ? archive : folder };
  }
  const image = await fileOf(files, at(inputFolder('image')), source.image);
  const mask = await fileOf(files, at(inputFolder('mask')), source.mask);
  return { ...source, image, mask };
}

/**
 * Runs the steps of one study inside a processing container: the same plan and steps as anywhere else, from the job's input
 * folders into its results folder. Last it writes what each step made, so that whoever takes it over can check it.
 *
 * @param root what stands before `/opt/ml`: empty in a container, a folder where one is only simulated
 * @throws StudyFailure
 */
export async function runStudy(
  root: string,
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<readonly ProcessedStep[]> {
  const at = (path: string): string => join(root === '' ? '/' : root, path);
  const files = createFiles({});
  const text = await files.readText(at(`${inputFolder('request')}/${REQUEST_NAME}`), signal);
  const { input } = JSON.parse(text) as ProcessingRequest;
  const results = at(RESULTS_FOLDER);
  const done: ProcessedStep[] = [];
  let current = 'imaging.job';
  try {
    const unit = { ...input.unit, source: await here(input.unit, files, at) };
    await imagingPlan({ ...input, unit, output: results }, async (name, params, inputs) => {
      current = name;
      const began = Date.now();
      const step = stepByName(name);
      const request = { params, inputs, outputFolder: results, signal, progress };
      const { summary, outputs } = await runStepIntoFolder(step, request);
      const made = [];
      for (const path of outputs) {
        const entry = await files.stat(`${results}/${path}`);
        const sha256 = await files.sha256(`${results}/${path}`, signal);
        made.push({ path, size: entry?.size ?? 0, sha256 });
      }
      const seconds = (Date.now() - began) / 1000;
      const started = new Date(began).toISOString();
      done.push({ step: name, version: step.version, outputs: made, summary, started, seconds });
      return { folder: results, outputs };
    });
  } catch (error) {
    throw new StudyFailure(current, error);
  }
  await files.write(`${results}/${STEPS_NAME}`, `${JSON.stringify({ steps: done }, null, 1)}\n`);
  return done;
}
