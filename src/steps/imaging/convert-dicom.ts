import { CohortflowError } from '../../domain/errors.js';
import { chooseStack } from '../../domain/dicom/choose-stack.js';
import { framesOf, hasPosition, type Frame } from '../../domain/dicom/frame.js';
import { checkPixelFormat, type Instance } from '../../domain/dicom/instance.js';
import { selectSeries, type Selection } from '../../domain/dicom/select.js';
import { isVolumeClass, SOP_CLASS, transferSyntaxName } from '../../domain/dicom/uids.js';
import type { Warning } from '../../domain/dicom/warning.js';
import { affineJson } from '../../domain/geometry/affine.js';
import type { JsonObject, StepCall } from '../step.js';
import { convertImage } from './convert-image.js';
import { regionsOf } from './convert-masks.js';
import { writeRegions } from './convert-regions.js';
import { PixelReader } from './read-pixels.js';
import { readStudy, type DamagedFile, type StudyIndex } from './read-study.js';

/** What a conversion leaves besides the images: the content of conversion.json, and its short form. */
export interface Conversion {
  readonly document: JsonObject;
  readonly summary: {
    readonly voxels: number;
    readonly roiVoxels: number;
    readonly segments: number;
    readonly warnings: string[];
  };
}

interface Call {
  readonly roi: string | undefined;
  readonly series: string | undefined;
}

function damageError(file: DamagedFile): CohortflowError {
  const isImage = isVolumeClass(file.instance.sopClassUid) || file.instance.format.rows > 0;
  const ends = file.reason.includes('ends');
  return new CohortflowError(
    ends && isImage ? 'TruncatedPixelData' : 'DamagedDicom',
    `${file.shown}: ${file.reason}. Fetch the file again.`,
  );
}

const SEGMENTATIONS: ReadonlySet<string> = new Set([
  SOP_CLASS.segmentation,
  SOP_CLASS.labelmapSegmentation,
  SOP_CLASS.rtStructureSet,
]);

/** Selects series; a damaged file that may have been part of the choice is the error, not what its absence leads to. */
function select(index: StudyIndex, request: Call): { selection: Selection; warnings: Warning[] } {
  const { damaged } = index;
  const first = damaged[0];
  const suspect = damaged.find(({ instance }) => SEGMENTATIONS.has(instance.sopClassUid));
  if (suspect !== undefined) throw damageError(suspect);
  let selection: Selection;
  try {
    selection = selectSeries(index.instances, request);
  } catch (error) {
    if (first !== undefined && error instanceof CohortflowError && error.code !== 'SeriesNotFound')
      throw damageError(first);
    throw error;
  }
  const part = damaged.find(
    ({ instance }) => instance.seriesInstanceUid === '' || instance.seriesInstanceUid === selection.images.uid,
  );
  if (part !== undefined) throw damageError(part);
  const warnings =
    first === undefined
      ? []
      : [
          {
            code: 'DamagedFiles',
            message: `${damaged.length} file(s) of other series are damaged and were passed over.`,
          },
        ];
  return { selection, warnings };
}

/** Images of the series that may be slices: screen captures and other classes that lie nowhere are dropped with a reason. */
function slicesOf(instances: readonly Instance[]): { frames: Frame[]; dropped: { file: string; reason: string }[] } {
  const dropped: { file: string; reason: string }[] = [];
  const usable = instances.filter((instance) => {
    const picture = instance.format.samplesPerPixel !== 1;
    if (!picture && isVolumeClass(instance.sopClassUid)) checkPixelFormat(instance);
    if (!picture && (isVolumeClass(instance.sopClassUid) || hasPosition(instance))) return true;
    dropped.push({ file: instance.shown, reason: picture ? 'colour picture' : 'no position in the patient' });
    return false;
  });
  return { frames: usable.flatMap(framesOf), dropped };
}

/**
 * True when two frames hold the same values after rescale. Files that cannot be read count as different: the reading that
 * follows reports them.
 */
async function samePixels(reader: PixelReader, a: Frame, b: Frame): Promise<boolean> {
  if (a.slope !== b.slope || a.intercept !== b.intercept) return false;
  const [x, y] = [await reader.samples(a.instance, a.index), await reader.samples(b.instance, b.index)];
  return x.length === y.length && x.every((value, at) => value === y[at]);
}

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];
const round = (value: number): number => Number(value.toPrecision(12));

/** Converts a DICOM study. Writes `ct.nii.gz`, `seg.nii.gz` and, with several segments, `segments/*.nii.gz`. */
export async function convertDicom<P extends JsonObject>(call: StepCall<P>, request: Call): Promise<Conversion> {
  const { io, signal } = call;
  const progress = (message: string): void => call.progress(message);
  const index = await readStudy(io, call.inputs['study'] ?? [], signal, progress);
  const { selection, warnings: damageWarnings } = select(index, request);
  const { frames: candidates, dropped } = slicesOf(selection.images.instances);
  if (candidates.length === 0) {
    throw new CohortflowError('NoImageSeries', 'the segmented series has no image that lies in the patient.');
  }
  const reader = new PixelReader(io, signal);
  const {
    frames,
    stack,
    dropped: left,
    warnings: stackWarnings,
  } = await chooseStack(candidates, selection.segmentation.references, (a, b) => samePixels(reader, a, b));
  const { geometry, gaps } = stack;
  // Names of regions are checked before any pixel is read.
  const regions = regionsOf(selection.segmentation, request.roi, geometry, frames, new PixelReader(io, signal));

  const image = await convertImage(frames, geometry, reader, progress);
  progress('writing the image');
  // Compressing the image runs beside drawing the masks; both have ended, well or not, before this function does.
  const [written, masks] = await Promise.allSettled([
    io.files.writeGzip(`${io.outputFolder}/ct.nii.gz`, image.bytes),
    writeRegions(io, geometry, regions, signal, progress),
  ]);
  if (masks.status === 'rejected') throw masks.reason;
  if (written.status === 'rejected') throw written.reason;
  const { segments, roiVoxels, overlapVoxels, warnings: maskWarnings } = masks.value;

  const warnings = [
    ...index.warnings,
    ...damageWarnings,
    ...selection.warnings,
    ...stackWarnings,
    ...image.warnings,
    ...maskWarnings,
  ].map(({ code, message }) => ({ code, message }));
  const rescales = distinct(frames.map(({ slope, intercept }) => `${slope} ${intercept}`));
  const [first] = frames;
  const segmentation = selection.segmentation;
  const document: JsonObject = {
    source: 'dicom',
    why: [...selection.why],
    files: { seen: index.files, ...index.skipped },
    series: {
      modality: selection.images.modality,
      description: selection.images.description,
      number: selection.images.number,
      studyInstanceUid: selection.images.studyUid,
      seriesInstanceUid: selection.images.uid,
      frameOfReferenceUid: first?.instance.frameOfReferenceUid ?? null,
    },
    slices: { used: frames.length, dropped: [...dropped, ...left].map(({ file, reason }) => ({ file, reason })) },
    transferSyntaxes: distinct(frames.map(({ instance }) => instance.transferSyntax)).map((uid) => ({
      uid,
      name: transferSyntaxName(uid),
    })),
    geometry: {
      size: [...geometry.size],
      spacingMm: geometry.spacing.map(round),
      affineRas: affineJson(geometry),
    },
    gaps: {
      spacingMm: round(gaps.spacing),
      minMm: round(gaps.min),
      maxMm: round(gaps.max),
      worstDeviationMm: round(gaps.worst),
      worstAfterSlice: gaps.worstAfterSlice,
      driftMm: round(gaps.drift),
    },
    rescale: {
      // A PET rescales every slice by itself; the list would be as long as the series.
      distinct: rescales.length,
      slope: rescales.length === 1 ? (first?.slope ?? null) : null,
      intercept: rescales.length === 1 ? (first?.intercept ?? null) : null,
      type: first?.rescaleType ?? null,
    },
    paddingValue: first?.padding ?? null,
    voxelType: image.type,
    segmentation: {
      kind: segmentation.kind,
      type: segmentation.kind === 'SEG' ? (segmentation.instance.dataset.text('00620001') ?? null) : null,
      description: segmentation.instance.seriesDescription,
      seriesInstanceUid: segmentation.instance.seriesInstanceUid,
      sopInstanceUid: segmentation.instance.sopInstanceUid,
      roi: request.roi ?? null,
      available: [...segmentation.regions],
    },
    segments: segments.map((segment) => ({ ...segment, slices: [...segment.slices] })),
    roiVoxels,
    overlapVoxels,
    warnings,
  };
  const voxels = geometry.size[0] * geometry.size[1] * geometry.size[2];
  return {
    document,
    summary: { voxels, roiVoxels, segments: segments.length, warnings: distinct(warnings.map(({ code }) => code)) },
  };
}
