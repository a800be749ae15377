import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { edited, el, smallStudy } from './dicom/studies.js';

/** A cohort that carries what a hospital's archive carries: everything here is invented. */
export interface IdentifiedCohort {
  readonly sheet: string;
  readonly clinical: string;
  readonly cases: readonly string[];
  /** What must appear nowhere outside the user's own files: names, numbers, dates and UIDs. */
  readonly identifiers: readonly string[];
  /** Parts of the folder names that the user gave in the sheet. */
  readonly pathIdentifiers: readonly string[];
}

interface Person {
  readonly caseId: string;
  readonly family: string;
  readonly given: string;
  readonly patientId: string;
  readonly accession: string;
  readonly born: string;
  readonly scanned: string;
  readonly fault?: 'no segmentation' | 'damaged' | 'missing slice' | 'lost file';
  /** Reads that are quantified already. */
  readonly reads?: 'whole' | 'damaged';
}

const PEOPLE: readonly Person[] = [
  {
    ...{ caseId: 'P-01', family: 'Zwiebelfisch', given: 'Quintessa', patientId: 'PID7740019', accession: 'ACC5550001' },
    ...{ born: '19511213', scanned: '20170309', reads: 'whole' },
  },
  {
    ...{ caseId: 'P-02', family: 'Oberkofler', given: 'Hedwiga', patientId: 'PID7740027', accession: 'ACC5550002' },
    ...{ born: '19480727', scanned: '20180421', fault: 'no segmentation', reads: 'damaged' },
  },
  {
    ...{ caseId: 'P-03', family: 'Yxkullson', given: 'Torvald', patientId: 'PID7740035', accession: 'ACC5550003' },
    ...{ born: '19620930', scanned: '20160518', fault: 'damaged' },
  },
  {
    ...{ caseId: 'P-04', family: 'Pfannenstiel', given: 'Ludmilla', patientId: 'PID7740043', accession: 'ACC5550004' },
    ...{ born: '19390614', scanned: '20151126', fault: 'missing slice' },
  },
  {
    ...{ caseId: 'P-05', family: 'Grubenhagen', given: 'Isidor', patientId: 'PID7740051', accession: 'ACC5550005' },
    ...{ born: '19570802', scanned: '20190112', fault: 'lost file' },
  },
];

/**
 * Writes studies whose headers, folder names and file names identify people, one whole and four with a fault each,
 * quantified reads of two of them, one table whole and one damaged, a sheet that names all of it, and a clinical table.
 */
export function writeIdentifiedCohort(root: string): IdentifiedCohort {
  const identifiers = new Set<string>();
  const pathIdentifiers = new Set<string>();
  const rows = PEOPLE.map(({ caseId, family, given, patientId, accession, born, scanned, fault, reads }) => {
    const folder = `${family}_${given}_${born}`;
    mkdirSync(join(root, 'archive', folder), { recursive: true });
    const { ct, segmentation } = smallStudy(`identified ${caseId}`);
    const { reference } = ct;
    const person = {
      '00080020': el('DA', scanned),
      '00080050': el('SH', accession),
      '00080090': el('PN', `Referring^${family}`),
      '00100010': el('PN', `${family}^${given}`),
      '00100020': el('LO', patientId),
      '00100030': el('DA', born),
    };
    const images = fault === 'missing slice' ? ct.files.filter((_, at) => at !== 4) : ct.files;
    images.forEach((file, at) => {
      const { bytes } = edited(file, person);
      // Archives name files by patient and by UID.
      const name = at % 2 === 0 ? `${family}.CT.${at}.dcm` : `${reference.sopInstanceUids[at] ?? at}.dcm`;
      writeFileSync(join(root, 'archive', folder, name), fault === 'damaged' ? bytes.subarray(0, 900) : bytes);
    });
    if (fault !== 'no segmentation') {
      const { bytes } = edited(segmentation(), person);
      writeFileSync(join(root, 'archive', folder, `${family}-SEG-${scanned}.dcm`), bytes);
    }
    if (fault === 'lost file') {
      // A link that leads to itself: the system refuses to read it, and says its whole path.
      const link = join(root, 'archive', folder, `${family}_${given}.CT.99.dcm`);
      symlinkSync(link, link);
    }
    for (const part of [family, given, born]) pathIdentifiers.add(part);
    for (const part of [patientId, accession, scanned]) identifiers.add(part);
    for (const uid of [
      ...[reference.studyInstanceUid, reference.seriesInstanceUid, reference.frameOfReferenceUid],
      ...reference.sopInstanceUids,
    ]) {
      identifiers.add(uid);
    }
    const table = reads === undefined ? '' : `archive/${folder}.genes.sf`;
    if (reads !== undefined) {
      const rows = ['Name\tLength\tEffectiveLength\tTPM\tNumReads', 'G1\t900\t700.5\t1000000\t12'];
      if (reads === 'damaged') rows.push(`${family} ${patientId}`);
      writeFileSync(join(root, table), `${rows.join('\n')}\n`);
    }
    return `${caseId},archive/${folder},${table}`;
  });
  const sheet = join(root, 'cohort.csv');
  writeFileSync(sheet, ['case_id,imaging,quant', ...rows, ''].join('\n'));
  const clinical = join(root, 'clinical.csv');
  const values = PEOPLE.map(({ caseId }, at) => `${caseId},${61 + at},${at % 2 === 0 ? 'never' : 'former'}`);
  writeFileSync(clinical, ['case_id,age,smoking', ...values, ''].join('\n'));
  return {
    ...{ sheet, clinical, cases: PEOPLE.map(({ caseId }) => caseId) },
    ...{ identifiers: [...identifiers], pathIdentifiers: [...pathIdentifiers] },
  };
}
