/**
 * Synthetic DICOM studies with known truth, for the demo cohort and for tests: a chest phantom, its CT series, and its
 * tumour as a segmentation object or as contours. Everything follows from the seed: equal input gives equal bytes.
 *
 * ```ts
 * const geometry = axialGeometry([96, 96, 24], [3, 3, 4]);
 * const { hu, tumour } = chestPhantom({ geometry, tumour: { centre: [55, -10, 0], radii: [18, 15, 20] }, seed: 7 });
 * const study = { seed: 'case-1', patientId: 'CASE-1' };
 * const ct = ctSeries({ study, geometry, hu });
 * const seg = segmentation({ of: ct.reference, geometry, segments: [{ label: 'Neoplasm', mask: tumour }], frames: 'cropped' });
 * const contours = sphereContours(geometry, [55, -10, 0], 15);
 * const rtstruct = structureSet({ of: ct.reference, rois: [{ name: 'GTV', contours }] });
 * // each file: { name, bytes }; write ct.files into one folder, seg or rtstruct into another folder of the study
 * ```
 */
export { axialGeometry, chestPhantom, type Phantom, type PhantomSpec, type PhantomTumour } from './phantom.js';
export { ctSeries, type CtSeries, type CtSeriesSpec } from './ct-series.js';
export { segmentation, type SegmentationSpec, type SegmentSpec } from './segmentation.js';
export {
  sphereContours,
  structureSet,
  type ContourSpec,
  type RoiSpec,
  type StructureSetSpec,
} from './structure-set.js';
export type { SeriesReference, SyntheticStudy } from './study.js';
export type { DicomFile } from './elements.js';
