import { DEFAULT_NAMES, NOTEBOOK_NAMES, STANDARD_MISSING, type ClinicalSpec } from './spec.js';

/*
 * The NSCLC Radiogenomics table (TCIA, Bakr et al. 2018, DOI 10.7937/K9/TCIA.2017.7hs46erv). The first specification
 * repeats the notebook published beside the AWS article on multimodal pipelines; the second is what the article describes.
 */

const ID = ['Case ID', 'Patient ID', 'case_id', 'patient_id', 'Case_ID', 'Patient_ID', 'CaseID', 'PatientID'];

const BASELINE = [
  'Patient affiliation',
  'Gender',
  'Ethnicity',
  'Smoking status',
  '%GG',
  'Tumor Location (choice=RUL)',
  'Tumor Location (choice=RML)',
  'Tumor Location (choice=RLL)',
  'Tumor Location (choice=LUL)',
  'Tumor Location (choice=LLL)',
  'Tumor Location (choice=L Lingula)',
  'Tumor Location (choice=Unknown)',
  'Histology ',
  'Pathological T stage',
  'Pathological N stage',
  'Pathological M stage',
  'Histopathological Grade',
  'Lymphovascular invasion',
  'Pleural invasion (elastic, visceral, or parietal)',
  'EGFR mutation status',
  'KRAS mutation status',
  'ALK translocation status',
  'Adjuvant Treatment',
  'Chemotherapy',
  'Radiation',
];
const COURSE = ['Recurrence', 'Recurrence Location'];
const CALENDAR = [
  'Quit Smoking Year',
  'Date of Recurrence',
  'Date of Last Known Alive',
  'Date of Death',
  'CT Date',
  'PET Date',
];
// These cases have neither stages nor segmentations nor reads.
const AMC = { column: '$id', contains: 'AMC', reason: 'the case is of the AMC group' };
const CODES = { Dead: 1, Alive: 0 };
const FACETS = { facets: ['Gender', 'Ethnicity', 'Patient affiliation', 'Smoking status'] };

const NOTEBOOK: ClinicalSpec = {
  name: 'nsclc-radiogenomics-notebook',
  id: ID,
  idName: 'Case_ID',
  missing: STANDARD_MISSING,
  ignoreCase: false,
  trim: false,
  keepRows: [],
  dropRows: [
    AMC,
    { column: 'Weight (lbs)', equals: 'Not Collected', afterEncoding: true },
    { column: 'Pack Years', equals: 'Not Collected', afterEncoding: true },
  ],
  dropColumns: CALENDAR,
  oneHot: [...BASELINE, ...COURSE],
  numeric: [
    'Age at Histological Diagnosis',
    'Weight (lbs)',
    'Pack Years',
    'Time to Death (days)',
    'Days between CT and surgery',
  ],
  target: { column: 'Survival Status', codes: CODES, missing: 'fill' },
  fill: 0,
  otherColumns: 'drop',
  names: NOTEBOOK_NAMES,
  bias: FACETS,
};

/**
 * What the notebook does without its leak. Left out because they are known only once the outcome is: the time to death and
 * the dates of death and of the last sign of life (their very presence tells who died), and recurrence with its place and
 * date. Treatment after surgery is kept: it is decided before the outcome, and leakage.json shows what it tells. The six
 * spellings of "not known" in this table are one.
 */
const WITHOUT_LEAKS: ClinicalSpec = {
  ...NOTEBOOK,
  name: 'nsclc-radiogenomics',
  missing: [
    ...STANDARD_MISSING,
    ...['Not Collected', 'Unknown', 'Not Assessed', 'Not Recorded In Database', 'Not Available', 'Not Applicable'],
  ],
  ignoreCase: true,
  trim: true,
  dropRows: [
    AMC,
    { column: 'Weight (lbs)', equals: 'Not Collected' },
    { column: 'Pack Years', equals: 'Not Collected' },
  ],
  dropColumns: [...CALENDAR, ...COURSE, 'Time to Death (days)'],
  oneHot: BASELINE,
  numeric: ['Age at Histological Diagnosis', 'Weight (lbs)', 'Pack Years', 'Days between CT and surgery'],
  target: { column: 'Survival Status', codes: CODES, missing: 'drop' },
  names: DEFAULT_NAMES,
};

/** The specifications that ship with the product, by name. */
export const BUILT_IN_SPECS: Readonly<Record<string, ClinicalSpec>> = {
  [WITHOUT_LEAKS.name]: WITHOUT_LEAKS,
  [NOTEBOOK.name]: NOTEBOOK,
};

/** The one that is taken by itself for a table that has its columns. */
export const DEFAULT_BUILT_IN: ClinicalSpec = WITHOUT_LEAKS;
