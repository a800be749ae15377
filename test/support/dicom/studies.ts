import { readPart10, type Element, type ElementMap } from '../../../src/domain/dicom/dcmjs.js';
import {
  axialGeometry,
  chestPhantom,
  ctSeries,
  segmentation,
  type CtSeries,
  type DicomFile,
  type Phantom,
  type SegmentationSpec,
} from '../../../src/domain/dicom/write/index.js';
import type { Geometry } from '../../../src/domain/geometry/volume.js';
import { encodeFile, type FileOptions } from './encode.js';

/** A small study with known truth. */
export interface SmallStudy {
  readonly geometry: Geometry;
  readonly phantom: Phantom;
  readonly ct: CtSeries;
  segmentation(spec?: Partial<SegmentationSpec>): DicomFile;
}

/** 24 × 20 × 10 voxels of 3 × 3 × 5 mm with a tumour; quick to make and to convert. */
export function smallStudy(seed = 'small', options: { geometry?: Geometry; seriesNumber?: number } = {}): SmallStudy {
  const geometry = options.geometry ?? axialGeometry([24, 20, 10], [3, 3, 5]);
  const phantom = chestPhantom({ geometry, tumour: { centre: [12, -3, 2], radii: [10, 8, 12] }, seed: 3 });
  const ct = ctSeries({
    study: { seed, patientId: 'CASE-1' },
    geometry,
    hu: phantom.hu,
    ...(options.seriesNumber === undefined ? {} : { seriesNumber: options.seriesNumber }),
  });
  return {
    geometry,
    phantom,
    ct,
    segmentation: (spec = {}) =>
      segmentation({ of: ct.reference, geometry, segments: [{ label: 'Neoplasm', mask: phantom.tumour }], ...spec }),
  };
}

/** The elements of a file, deep enough copied to be changed. */
export function elementsOf(file: DicomFile): ElementMap {
  const strip = (map: ElementMap): ElementMap =>
    Object.fromEntries(
      Object.entries(map).map(([tag, { vr, Value }]) => [
        tag,
        { vr, Value: vr === 'SQ' ? (Value as ElementMap[]).map((item) => strip({ ...item })) : [...Value] },
      ]),
    );
  return strip(readPart10(file.bytes));
}

export type Edits = Readonly<Record<string, Element | undefined>>;

/** The file with elements replaced, added or (undefined) removed, encoded by the tests' own encoder. */
export function edited(file: DicomFile, edits: Edits, options: FileOptions = {}): DicomFile {
  const elements = elementsOf(file);
  for (const [tag, element] of Object.entries(edits)) {
    if (element === undefined) delete elements[tag];
    else elements[tag] = element;
  }
  return { ...file, bytes: encodeFile(elements, options) };
}

/** A decimal-string element. */
export const ds = (...values: readonly (number | string)[]): Element => ({ vr: 'DS', Value: values.map(String) });
/** Any element. */
export const el = (vr: string, ...values: readonly unknown[]): Element => ({ vr, Value: [...values] });

/** The file under another name. */
export const named = (file: DicomFile, name: string): DicomFile => ({ ...file, name });
