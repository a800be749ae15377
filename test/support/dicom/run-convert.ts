import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createStepIo } from '../../../src/app/step-io.js';
import { CohortflowError } from '../../../src/domain/errors.js';
import { readNifti, type NiftiVolume } from '../../../src/domain/nifti/read.js';
import { convertStep, type ConvertParams, type ConvertSummary } from '../../../src/steps/imaging/convert.js';

/** Content of conversion.json as tests look at it. */
export interface ConversionDocument {
  readonly why: readonly string[];
  readonly files: Readonly<Record<string, number>>;
  readonly slices: { readonly used: number; readonly dropped: readonly { file: string; reason: string }[] };
  readonly gaps: Readonly<Record<string, number>>;
  readonly rescale: Readonly<Record<string, unknown>>;
  readonly paddingValue: number | null;
  readonly transferSyntaxes: readonly { readonly name: string }[];
  readonly segments: readonly {
    readonly name: string;
    readonly voxelsIn: number;
    readonly voxelsOut: number;
    readonly file: string | null;
  }[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

/** What a conversion left. */
export interface Converted {
  readonly summary: ConvertSummary;
  readonly document: ConversionDocument;
  readonly image: NiftiVolume;
  readonly mask: NiftiVolume;
  readonly bytes: { readonly image: Uint8Array; readonly mask: Uint8Array };
  readonly messages: readonly string[];
  readonly segment: (file: string) => Promise<NiftiVolume>;
}

const made: string[] = [];

/** Removes what {@link convert} made; call it after each test file. */
export async function removeConverted(): Promise<void> {
  await Promise.all(made.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
}

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cohortflow-convert-'));
  made.push(folder);
  return folder;
}

export async function readVolume(path: string): Promise<NiftiVolume> {
  return readNifti(gunzipSync(await readFile(path)), 'result');
}

/** Runs `imaging.convert` on paths. */
export async function convertPaths(
  inputs: Readonly<Record<string, readonly string[]>>,
  params: ConvertParams = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Converted> {
  const folder = await temporary();
  const outputFolder = join(folder, 'out');
  await mkdir(outputFolder);
  const messages: string[] = [];
  const tools = { find: () => Promise.resolve(undefined), run: () => Promise.reject(new Error('no tool is needed')) };
  const summary = await convertStep.run({
    params,
    inputs,
    io: { ...createStepIo({ outputFolder, scratchFolder: join(folder, 'scratch') }), tools },
    signal,
    progress: (message) => void messages.push(message),
  });
  const at = (name: string): string => join(outputFolder, name);
  return {
    summary,
    document: JSON.parse(await readFile(at('conversion.json'), 'utf8')) as ConversionDocument,
    image: await readVolume(at('ct.nii.gz')),
    mask: await readVolume(at('seg.nii.gz')),
    bytes: { image: await readFile(at('ct.nii.gz')), mask: await readFile(at('seg.nii.gz')) },
    messages,
    segment: (file) => readVolume(at(file)),
  };
}

/** Writes files (names may hold folders) into a fresh study folder. */
export async function studyFolder(
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Promise<string> {
  const folder = await temporary();
  for (const { name, bytes } of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  return folder;
}

/** Writes the files as a study and converts it. */
export async function convert(
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
  params: ConvertParams = {},
): Promise<Converted> {
  return convertPaths({ study: [await studyFolder(files)] }, params);
}

/** The code and message of the failure; anything else that happens is shown as it is. */
export async function failureOf(run: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await run;
  } catch (error) {
    if (error instanceof CohortflowError) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: 'none', message: 'nothing failed' };
}
