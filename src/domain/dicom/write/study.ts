import type { ElementMap } from '../dcmjs.js';
import { el } from './elements.js';
import { uidOf } from './uid.js';

/** A synthetic study: everything about it follows from the seed. */
export interface SyntheticStudy {
  /** Any text; equal seeds give equal UIDs and equal bytes. */
  readonly seed: string;
  /** Patient ID (0010,0020); a pseudonym such as the case id. */
  readonly patientId: string;
  /** Study date as YYYYMMDD; default 20000101. */
  readonly date?: string;
}

/** A series that segmentations can refer to. */
export interface SeriesReference {
  readonly study: SyntheticStudy;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly frameOfReferenceUid: string;
  readonly sopClassUid: string;
  /** SOP instance UIDs in order of slice index k. */
  readonly sopInstanceUids: readonly string[];
}

export function studyInstanceUid(study: SyntheticStudy): string {
  return uidOf(`${study.seed}/study`);
}

export function frameOfReferenceUid(study: SyntheticStudy): string {
  return uidOf(`${study.seed}/frame-of-reference`);
}

/** Patient, study and equipment modules. The patient is nobody: the name says so. */
export function studyElements(study: SyntheticStudy): ElementMap {
  const date = study.date ?? '20000101';
  return {
    '00080020': el('DA', date),
    '00080030': el('TM', '120000'),
    '00080050': el('SH', ''),
    '00080070': el('LO', 'cohortflow'),
    '00080090': el('PN', ''),
    '00081090': el('LO', 'phantom'),
    '00100010': el('PN', 'PHANTOM^SYNTHETIC'),
    '00100020': el('LO', study.patientId),
    '00100030': el('DA', ''),
    '00100040': el('CS', 'O'),
    '0020000D': el('UI', studyInstanceUid(study)),
    '00200010': el('SH', '1'),
  };
}
