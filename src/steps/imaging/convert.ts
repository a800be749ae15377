import { CohortflowError } from '../../domain/errors.js';
import type { Step } from '../step.js';
import { convertDicom } from './convert-dicom.js';
import { convertNifti } from './convert-nifti.js';

/** Parameters of `imaging.convert`. */
export type ConvertParams = {
  /**
   * Segment label or region name: exact ignoring case, else a glob (`GTV*`), else a regular expression. Of a NIfTI mask:
   * a label, or the name `label-<number>`.
   */
  readonly roi?: string;
  /** Series by UID, number or description: of the images, or of the segmentation to use. */
  readonly series?: string;
  /** Label of a NIfTI mask. */
  readonly label?: number;
  /** Brings a NIfTI mask on another grid to that of its image, as pyradiomics' setting of this name does. */
  readonly correctMask?: boolean;
};

/** What `imaging.convert` reports. */
export type ConvertSummary = {
  /** Voxels of the volume and of the region of interest. */
  readonly voxels: number;
  readonly roiVoxels: number;
  readonly segments: number;
  /** Codes of the warnings in conversion.json. */
  readonly warnings: readonly string[];
};

function text(value: unknown, name: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw new CohortflowError('InvalidInput', `${name} has to be a text that is not empty.`);
}

/**
 * Turns one imaging study into NIfTI: `ct.nii.gz` (HU), `seg.nii.gz` (0/1), `segments/<name>.nii.gz` when there are
 * several, and `conversion.json` (what was chosen and why, slices used and dropped, gaps, rescale, voxels per segment,
 * warnings).
 *
 * Inputs: `study`: a DICOM folder (or several folders and files of one study), any nesting, other objects among them; or
 * `image` and `mask`: NIfTI files. Equal input gives equal bytes.
 *
 * Throws the imaging failures of the catalogue; a series that is not a regular volume is refused, never interpolated.
 */
export const convertStep: Step<ConvertParams, ConvertSummary> = {
  name: 'imaging.convert',
  version: 2,
  async run(call) {
    const { params, inputs, io } = call;
    const roi = text(params.roi, 'roi');
    const series = text(params.series, 'series');
    const { label, correctMask = false } = params;
    if (label !== undefined && !(Number.isInteger(label) && label > 0)) {
      throw new CohortflowError('InvalidInput', `label is ${String(label)}; it has to be a whole number above 0.`);
    }
    const isDicom = (inputs['study'] ?? []).length > 0;
    const isNifti = (inputs['image'] ?? []).length > 0 || (inputs['mask'] ?? []).length > 0;
    if (isDicom === isNifti) {
      throw new CohortflowError('InvalidInput', 'a study is either a DICOM folder or an image and a mask in NIfTI.');
    }
    if (isDicom && label !== undefined)
      throw new CohortflowError('InvalidInput', 'label is for NIfTI masks; use roi for a DICOM study.');
    if (isNifti && series !== undefined) throw new CohortflowError('InvalidInput', 'series is for DICOM studies.');
    if (label !== undefined && roi !== undefined)
      throw new CohortflowError('InvalidInput', 'give label or roi, not both.');
    const { document, summary } = isDicom
      ? await convertDicom(call, { roi, series })
      : await convertNifti(call, { label, roi, correctMask });
    await io.files.write(`${io.outputFolder}/conversion.json`, `${JSON.stringify(document, null, 2)}\n`);
    return summary;
  },
};
