import { CohortflowError } from '../../domain/errors.js';
import type { Volume } from '../../domain/geometry/volume.js';
import { readNifti } from '../../domain/nifti/read.js';
import { computeRadiomics, parseRadiomicsSettings, type FeatureSet } from '../../domain/radiomics/index.js';
import { baseName } from '../file-names.js';
import type { JsonObject, Step, StepCall } from '../step.js';
import { measureGeometry } from './measured-geometry.js';

/** Parameters of `imaging.radiomics`. */
export type RadiomicsParams = {
  /** A parsed pyradiomics parameter document. */
  readonly settings?: JsonObject;
  /** Which features when the document does not choose. */
  readonly set?: string;
};

/** What `imaging.radiomics` reports. */
export type RadiomicsSummary = {
  readonly features: number;
  readonly nulls: number;
  readonly roiVoxels: number;
};

function theOne(call: StepCall<RadiomicsParams>, role: string): string {
  const [path] = call.inputs[role] ?? [];
  if (path === undefined) throw new CohortflowError('InvalidInput', `imaging.radiomics needs the input ${role}`);
  return path;
}

async function volume(call: StepCall<RadiomicsParams>, path: string): Promise<Volume> {
  return readNifti(await call.io.files.readGzip(path, call.signal), baseName(path));
}

function setOf(params: RadiomicsParams): FeatureSet {
  const { set = 'default' } = params;
  if (set !== 'default' && set !== 'seed') {
    throw new CohortflowError('InvalidInput', `set must be default or seed, found ${JSON.stringify(set)}`);
  }
  return set;
}

/**
 * Measures the region of interest of one study, and each of its segments: `features.json` (and
 * `features-<segment>.json`), flat objects of pyradiomics' names to numbers or null; `geometry.json`, the measured
 * geometry, the reason of every null and the conversion's own account.
 *
 * Inputs: `image`, `mask` (one grid, voxel frame), `conversion` (conversion.json, optional), `segments` (masks).
 */
export const radiomicsStep: Step<RadiomicsParams, RadiomicsSummary> = {
  name: 'imaging.radiomics',
  version: 1,
  async run(call) {
    const { io, params, signal } = call;
    const progress = (message: string): void => call.progress(message);
    const settings = parseRadiomicsSettings(params.settings ?? {}, setOf(params));
    const image = await volume(call, theOne(call, 'image'));
    const mask = await volume(call, theOne(call, 'mask'));
    const whole = computeRadiomics(image, mask, settings, { signal, progress });
    const write = (name: string, document: unknown): Promise<void> =>
      io.files.write(`${io.outputFolder}/${name}`, `${JSON.stringify(document, null, 1)}\n`);
    await write('features.json', whole.features);

    const nullReasons: Record<string, unknown> = { ...whole.nullReasons };
    for (const path of call.inputs['segments'] ?? []) {
      const name = baseName(path).replace(/\.nii(\.gz)?$/, '');
      try {
        const part = computeRadiomics(image, await volume(call, path), settings, {
          signal,
          progress: (message) => progress(`${name}: ${message}`),
        });
        await write(`features-${name}.json`, part.features);
        for (const [feature, reason] of Object.entries(part.nullReasons)) nullReasons[`${name}/${feature}`] = reason;
      } catch (error) {
        // A segment too small to measure must not cost the study its features.
        if (!(error instanceof CohortflowError) || (error.code !== 'RoiTooSmall' && error.code !== 'EmptyMask'))
          throw error;
        nullReasons[`${name}/*`] = { code: error.code, text: error.message };
      }
    }
    const [conversion] = call.inputs['conversion'] ?? [];
    const account: unknown = conversion === undefined ? null : JSON.parse(await io.files.readText(conversion));
    await write('geometry.json', { ...measureGeometry(image, mask), nullReasons, conversion: account });
    const values = Object.values(whole.features);
    return {
      features: values.length,
      nulls: values.filter((value) => value === null).length,
      roiVoxels: whole.roiVoxels,
    };
  },
};
