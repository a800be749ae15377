import { CohortflowError } from '../errors.js';
import type { Dataset } from './dataset.js';
import type { Encoding, Layout, PixelSpan } from './layout.js';
import { isVolumeClass, SOP_CLASS } from './uids.js';

/** How pixels are stored. Numbers are as the header says; {@link checkPixelFormat} says whether they make sense. */
export interface PixelFormat {
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  readonly photometric: string;
  readonly planarConfiguration: number;
}

/** One DICOM object of the study, by what the conversion needs of it. */
export interface Instance {
  /** Absolute path or other key by which the caller finds the file again. */
  readonly path: string;
  /** The name for messages. */
  readonly shown: string;
  readonly dataset: Dataset;
  readonly transferSyntax: string;
  readonly encoding: Encoding;
  readonly pixels: PixelSpan | undefined;
  /** True when offsets refer to the inflated data set, not to the file. */
  readonly deflated: boolean;
  readonly fileSize: number;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly frameOfReferenceUid: string | undefined;
  readonly modality: string;
  readonly seriesDescription: string;
  readonly seriesNumber: string;
  readonly format: PixelFormat;
}

/** What kind of object the conversion takes an instance for. */
export type InstanceRole = 'segmentation' | 'structure-set' | 'image' | 'other';

/**
 * Everything but SEG and RTSTRUCT that has rows, or is of a class whose images form volumes, is an image; whether it lies
 * in the patient is seen later. A CT image without rows is a damaged one, not something else.
 */
export function roleOf(instance: Instance): InstanceRole {
  const { sopClassUid, modality } = instance;
  if (
    sopClassUid === SOP_CLASS.segmentation ||
    sopClassUid === SOP_CLASS.labelmapSegmentation ||
    (sopClassUid === '' && modality === 'SEG')
  ) {
    return 'segmentation';
  }
  if (sopClassUid === SOP_CLASS.rtStructureSet || (sopClassUid === '' && modality === 'RTSTRUCT'))
    return 'structure-set';
  const hasRows = instance.format.rows > 0 && instance.format.columns > 0;
  return hasRows || isVolumeClass(sopClassUid) ? 'image' : 'other';
}

function formatOf(dataset: Dataset): PixelFormat {
  const number = (tag: string, otherwise: number): number => dataset.number(tag) ?? otherwise;
  const bitsAllocated = number('00280100', 0);
  const bitsStored = number('00280101', bitsAllocated);
  return {
    rows: number('00280010', 0),
    columns: number('00280011', 0),
    frames: Math.max(1, number('00280008', 1)),
    samplesPerPixel: number('00280002', 1),
    bitsAllocated,
    bitsStored,
    highBit: number('00280102', bitsStored - 1),
    signed: number('00280103', 0) === 1,
    photometric: (dataset.text('00280004') ?? 'MONOCHROME2').toUpperCase(),
    planarConfiguration: number('00280006', 0),
  };
}

/** Builds an instance from its parsed header. Missing identifiers become empty strings. */
export function instanceOf(
  file: { readonly path: string; readonly shown: string; readonly size: number; readonly deflated: boolean },
  layout: Layout,
  dataset: Dataset,
): Instance {
  const sopClassUid = dataset.text('00080016') ?? layout.mediaClass ?? '';
  return {
    path: file.path,
    shown: file.shown,
    dataset,
    transferSyntax: layout.transferSyntax,
    encoding: layout.encoding,
    pixels: layout.pixels,
    deflated: file.deflated,
    fileSize: file.size,
    sopClassUid,
    sopInstanceUid: dataset.text('00080018') ?? '',
    studyInstanceUid: dataset.text('0020000D') ?? '',
    seriesInstanceUid: dataset.text('0020000E') ?? '',
    frameOfReferenceUid: dataset.text('00200052'),
    modality: (dataset.text('00080060') ?? '').toUpperCase(),
    seriesDescription: dataset.text('0008103E') ?? '',
    seriesNumber: dataset.text('00200011') ?? '',
    format: formatOf(dataset),
  };
}

const isCount = (value: number): boolean => Number.isInteger(value) && value > 0;

/** Bytes of one uncompressed frame (a fraction when bits are packed). */
export function frameBytes(format: PixelFormat): number {
  return (format.rows * format.columns * format.samplesPerPixel * format.bitsAllocated) / 8;
}

/**
 * Refuses pixel headers that no image can have, before anything is allocated by them: `DamagedDicom` for impossible
 * numbers, `UnsupportedPixelFormat` for kinds that are not grey values.
 */
export function checkPixelFormat(instance: Instance): void {
  const { format, shown } = instance;
  if (!isCount(format.rows) || !isCount(format.columns) || format.rows > 65535 || format.columns > 65535) {
    throw new CohortflowError(
      'DamagedDicom',
      `${shown}: Rows × Columns is ${format.rows} × ${format.columns}. Fetch the file again.`,
    );
  }
  if (!isCount(format.frames)) {
    throw new CohortflowError('DamagedDicom', `${shown}: NumberOfFrames is ${format.frames}. Fetch the file again.`);
  }
  if (format.samplesPerPixel !== 1) {
    throw new CohortflowError(
      'UnsupportedPixelFormat',
      `${shown}: ${format.samplesPerPixel} samples per pixel (${format.photometric}): a picture in colour, not a measurement.`,
    );
  }
  if (![1, 8, 16, 32].includes(format.bitsAllocated)) {
    throw new CohortflowError(
      'UnsupportedPixelFormat',
      `${shown}: ${format.bitsAllocated} bits allocated per pixel are not supported.`,
    );
  }
  const stored = format.bitsStored;
  if (
    !isCount(stored) ||
    stored > format.bitsAllocated ||
    format.highBit < stored - 1 ||
    format.highBit >= format.bitsAllocated
  ) {
    throw new CohortflowError(
      'DamagedDicom',
      `${shown}: BitsAllocated ${format.bitsAllocated}, BitsStored ${stored} and HighBit ${format.highBit} contradict each other. Fetch the file again.`,
    );
  }
  if (instance.pixels !== undefined && instance.pixels.tag !== '7FE00010') {
    throw new CohortflowError(
      'UnsupportedPixelFormat',
      `${shown}: floating-point pixel data (parametric maps) are not supported.`,
    );
  }
}
