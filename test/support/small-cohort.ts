import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { named, smallStudy } from './dicom/studies.js';

/** Name of the segmentation in each study's folder. */
export const SEGMENTATION = 'segmentation.dcm';

/** A cohort that is measured in seconds, on disk. */
export interface SmallCohort {
  readonly sheet: string;
  readonly clinical: string;
  readonly cases: readonly string[];
  /** The cases without a segmentation. */
  readonly without: readonly string[];
}

/** Writes small CT studies with a segmentation each (but for the cases in `without`), their sheet and a clinical table. */
export function writeSmallCohort(folder: string, count: number, without: readonly number[] = []): SmallCohort {
  const cases = Array.from({ length: count }, (_, index) => `C-${String(index + 1).padStart(2, '0')}`);
  cases.forEach((id, index) => {
    const study = join(folder, 'dicom', id);
    mkdirSync(study, { recursive: true });
    const small = smallStudy(id);
    const files = without.includes(index)
      ? small.ct.files
      : [...small.ct.files, named(small.segmentation(), SEGMENTATION)];
    for (const { name, bytes } of files) writeFileSync(join(study, name), bytes);
  });
  const sheet = join(folder, 'cohort.csv');
  writeFileSync(sheet, ['case_id,imaging', ...cases.map((id) => `${id},dicom/${id}`), ''].join('\n'));
  const clinical = join(folder, 'clinical.csv');
  const rows = cases.map((id, index) => `${id},${50 + index},${index % 2 === 0 ? 'never' : 'former'}`);
  writeFileSync(clinical, ['case_id,age,smoking', ...rows, ''].join('\n'));
  return { sheet, clinical, cases, without: without.map((index) => cases[index]!) };
}
