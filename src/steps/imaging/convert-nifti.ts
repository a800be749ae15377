import { CohortflowError } from '../../domain/errors.js';
import { matchNames } from '../../domain/dicom/name-match.js';
import { shownName } from '../../domain/dicom/shown-name.js';
import { affineJson } from '../../domain/geometry/affine.js';
import { TILT_PIXELS } from '../../domain/geometry/tolerances.js';
import { dot } from '../../domain/geometry/vector.js';
import type { Vec3, VoxelArray } from '../../domain/geometry/volume.js';
import { niftiTypeOf, type NiftiType } from '../../domain/nifti/layout.js';
import { readNifti, type NiftiVolume } from '../../domain/nifti/read.js';
import { allocateNifti } from '../../domain/nifti/write.js';
import type { JsonObject, StepCall } from '../step.js';
import { alignMask, refuseOutside } from './align-mask.js';
import type { Conversion } from './convert-dicom.js';
import type { Region } from './convert-masks.js';
import { writeRegions } from './convert-regions.js';

/** Masks with more labels than this are no label maps but images. */
const MAX_LABELS = 256;
/** How far a value may lie from a whole number and still be a label: what storing it as 32-bit real costs. */
const LABEL_ROUNDING = 1e-3;

/** A volume of a file, gzipped or not. A damaged stream is the file's fault, not the disk's: reading again cannot help. */
async function readFile<P extends JsonObject>(
  { io, signal }: StepCall<P>,
  path: string,
  shown: string,
): Promise<NiftiVolume> {
  try {
    return readNifti(await io.files.readGzip(path, signal), shown);
  } catch (error) {
    if (!(error instanceof CohortflowError) || error.details['damaged'] !== true) throw error;
    throw new CohortflowError(
      'NotNifti',
      `${shown} is damaged: its gzip stream cannot be unpacked. Fetch it again.`,
      {},
      error,
    );
  }
}

/** Refuses volumes whose axes are not at right angles, as DICOM series of a tilted gantry are refused. */
function checkRightAngles({ geometry }: NiftiVolume, shown: string): void {
  const { size, spacing, directions } = geometry;
  for (const [a, b] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    const cosine = Math.abs(dot(directions[a], directions[b]));
    // How far the far end of either axis leans along the other, in voxels.
    const lean = cosine * Math.max((size[a] * spacing[a]) / spacing[b], (size[b] * spacing[b]) / spacing[a]);
    if (lean > TILT_PIXELS) {
      const degrees = Number(((Math.asin(Math.min(1, cosine)) * 180) / Math.PI).toFixed(2));
      throw new CohortflowError(
        'GantryTilt',
        `${shown}: axes ${a + 1} and ${b + 1} lean by ${degrees}° against a right angle (a sheared orientation); voxels are not rectangular. Resample the image first.`,
        { degrees },
      );
    }
  }
}

/** Labels of a mask in ascending order, 0 left out, with their voxel counts. */
function labelsOf(data: VoxelArray, shown: string): Map<number, number> {
  const counts = new Map<number, number>();
  for (let at = 0; at < data.length; at++) {
    const value = data[at]!;
    if (value === 0) continue;
    const label = Math.round(value);
    if (!Number.isFinite(value) || Math.abs(value - label) > LABEL_ROUNDING || label < 0) {
      throw new CohortflowError(
        'InvalidMask',
        `${shown} holds values that are not labels (whole numbers from 0), such as fractions. Threshold it first.`,
      );
    }
    if (label !== 0) counts.set(label, (counts.get(label) ?? 0) + 1);
    if (counts.size > MAX_LABELS) {
      throw new CohortflowError(
        'InvalidMask',
        `${shown} holds more than ${MAX_LABELS} different values: an image rather than a mask.`,
      );
    }
  }
  return new Map([...counts].sort(([a], [b]) => a - b));
}

/**
 * The type that keeps an image's kind of number. To pyradiomics it makes a difference: it cuts resampled values of whole
 * numbers off to whole ones, within the range of their type.
 */
function typeOf({ data, kind }: NiftiVolume): NiftiType {
  if (kind === 'single') return 'float32';
  const own = niftiTypeOf(data);
  // 64-bit whole numbers were read as reals.
  const isWide = kind === 'whole' && own === 'float64';
  return isWide && data.every((value) => Math.abs(value) < 2 ** 31) ? 'int32' : own;
}

function storeImage(image: NiftiVolume): { bytes: Uint8Array; type: NiftiType; notFinite: number } {
  const { geometry, data, kind } = image;
  const type = typeOf(image);
  const out = allocateNifti(geometry, type);
  out.data.set(data);
  let notFinite = 0;
  if (kind !== 'whole') for (let at = 0; at < data.length; at++) if (!Number.isFinite(data[at]!)) notFinite++;
  return { bytes: out.bytes, type, notFinite };
}

/** The labels asked for by number or by name (`label-2`, or an expression); all when nothing is asked. */
function chooseLabels(
  known: readonly number[],
  request: { readonly label: number | undefined; readonly roi: string | undefined },
  shown: string,
): readonly number[] {
  const { label, roi } = request;
  if (label === undefined && roi === undefined) return known;
  const byName = (wanted: string): number[] =>
    matchNames(
      known.map((value) => `label-${value}`),
      wanted,
    ).map((at) => known[at]!);
  const chosen = known.filter((value) => value === label || String(value) === roi?.trim());
  const found = chosen.length > 0 || roi === undefined ? chosen : byName(roi);
  if (found.length === 0) {
    throw new CohortflowError(
      'LabelNotFound',
      `${shown} has no voxel of label ${label ?? `"${roi}"`}; there are: ${known.slice(0, 20).join(', ')}.`,
      { labels: known.slice(0, 50) },
    );
  }
  return found;
}

function regionsOf(data: VoxelArray, counts: Map<number, number>, labels: readonly number[], size: Vec3): Region[] {
  return labels.map((label) => ({
    name: `label-${label}`,
    draw: (mask) => {
      const found = new Set<number>();
      const plane = size[0] * size[1];
      for (let at = 0; at < data.length; at++) {
        if (Math.round(data[at]!) !== label) continue;
        mask[at] = 1;
        found.add(Math.floor(at / plane));
      }
      const voxels = counts.get(label) ?? 0;
      const slices = [...found];
      return Promise.resolve({
        report: {
          name: `label-${label}`,
          number: label,
          voxelsIn: voxels,
          voxelsOut: voxels,
          parts: slices.length,
          slices,
          resampled: false,
        },
        warnings: [],
      });
    },
  }));
}

/**
 * Takes an image and a mask that are NIfTI files already: checks that they lie on one grid, chooses the label, and writes
 * them as every other study's. With `correctMask` a mask on another grid is brought to the image's. Without `label` or `roi`, every label that occurs is a segment and the region of interest their
 * union.
 *
 * Throws `NotNifti`, `GeometryMismatch`, `InvalidMask`, `LabelNotFound`, `EmptyMask`.
 */
export async function convertNifti<P extends JsonObject>(
  call: StepCall<P>,
  request: {
    readonly label: number | undefined;
    readonly roi: string | undefined;
    readonly correctMask: boolean;
  },
): Promise<Conversion> {
  const { label, roi, correctMask } = request;
  const { io, signal } = call;
  const one = (role: 'image' | 'mask'): string => {
    const paths = call.inputs[role] ?? [];
    if (paths.length !== 1)
      throw new CohortflowError('InvalidInput', `a NIfTI study needs exactly one ${role}; ${paths.length} were given.`);
    return paths[0]!;
  };
  const paths = [one('image'), one('mask')] as const;
  const names = [shownName(paths[0]), shownName(paths[1])] as const;
  call.progress('reading the image');
  const image = await readFile(call, paths[0], names[0]);
  checkRightAngles(image, names[0]);
  call.progress('reading the mask');
  const mask = await readFile(call, paths[1], names[1]);
  const { data, warnings, outside } = alignMask(image, mask, names, correctMask);
  const counts = labelsOf(data, names[1]);
  // Those that lie beside the image with all they have are there too.
  const known = [...new Set([...counts.keys(), ...outside.keys()])].sort((one, other) => one - other);
  if (known.length === 0) throw new CohortflowError('EmptyMask', `${names[1]} has no voxel other than 0.`);
  const labels = chooseLabels(known, request, names[1]);
  refuseOutside(outside, labels, names);
  if (image.orientation === 'none')
    warnings.push({
      code: 'NoOrientation',
      message: 'The image has no orientation; its axes were taken as right, anterior, superior.',
    });

  for (const [at, { formsApart }] of [image, mask].entries()) {
    if (formsApart === undefined) continue;
    warnings.push({
      code: 'FormsDiffer',
      message: `sform and qform of the ${at === 0 ? 'image' : 'mask'} lie up to ${Number(formsApart.toFixed(3))} voxels apart; the sform was taken.`,
    });
  }

  const stored = storeImage(image);
  if (stored.notFinite > 0)
    warnings.push({ code: 'NotFinite', message: `${stored.notFinite} voxel(s) of the image are not numbers.` });
  call.progress('writing the image');
  await io.files.writeGzip(`${io.outputFolder}/ct.nii.gz`, stored.bytes);
  const regions = regionsOf(data, counts, labels, image.geometry.size);
  const written = await writeRegions(io, image.geometry, regions, signal, (message) => call.progress(message));

  const all = [...warnings, ...written.warnings].map(({ code, message }) => ({ code, message }));
  const { geometry } = image;
  const document: JsonObject = {
    source: 'nifti',
    why: [
      'image and mask were given',
      label === undefined && roi === undefined ? 'every label of the mask' : `label ${labels.join(', ')} was asked for`,
    ],
    orientation: image.orientation,
    geometry: { size: [...geometry.size], spacingMm: [...geometry.spacing], affineRas: affineJson(geometry) },
    voxelType: stored.type,
    segmentation: {
      kind: 'NIfTI',
      labels: Object.fromEntries([...counts].map(([value, voxels]) => [String(value), voxels])),
    },
    segments: written.segments.map((segment) => ({ ...segment, slices: [...segment.slices] })),
    roiVoxels: written.roiVoxels,
    overlapVoxels: written.overlapVoxels,
    warnings: all,
  };
  const voxels = geometry.size[0] * geometry.size[1] * geometry.size[2];
  return {
    document,
    summary: {
      voxels,
      roiVoxels: written.roiVoxels,
      segments: written.segments.length,
      warnings: [...new Set(all.map(({ code }) => code))],
    },
  };
}
