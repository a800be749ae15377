import { csvText } from '../domain/csv/index.js';
import { seededRandom, type SeededRandom } from '../domain/seeded-random.js';
import { tumourVolumeMm3, type DemoCase } from './cases.js';

const LOBES = ['RUL', 'RML', 'RLL', 'LUL', 'LLL', 'L Lingula', 'Unknown'] as const;

/** A made-up row in the columns of the NSCLC Radiogenomics table (TCIA, DOI 10.7937/K9/TCIA.2017.7hs46erv), by column. */
function row(demo: DemoCase, random: SeededRandom): Readonly<Record<string, string>> {
  const smoker = random.uniform() < 0.7;
  const radius = Math.cbrt(tumourVolumeMm3(demo) / ((4 / 3) * Math.PI));
  // Larger tumours recur and kill more often here, so that the joined data set has something to find.
  const dead = random.uniform() < (radius - 8) / 20;
  const recurred = dead || random.uniform() < 0.2;
  const lobe = demo.centre[0] > 0 ? random.pick(['LUL', 'LLL', 'L Lingula']) : random.pick(['RUL', 'RML', 'RLL']);
  const status = (positive: string, share: number): string => (random.uniform() < share ? positive : 'Wildtype');
  const year = 2001 + random.below(8);
  return {
    'Patient ID': demo.caseId,
    'Patient affiliation': random.pick(['Stanford', 'VA']),
    'Age at Histological Diagnosis': `${50 + random.below(35)}`,
    'Weight (lbs)': `${110 + random.below(110)}`,
    Gender: random.pick(['Male', 'Female']),
    Ethnicity: random.pick(['Caucasian', 'Asian', 'African-American', 'Not Recorded In Database']),
    'Smoking status': smoker ? random.pick(['Former', 'Current']) : 'Nonsmoker',
    'Pack Years': smoker ? `${5 + random.below(60)}` : 'N/A',
    'Quit Smoking Year': smoker ? `${year - random.below(20)}` : 'N/A',
    '%GG': random.pick(['0%', '>0 - 25%', '25 - 50%', '50 - 75%', '75 - < 100%']),
    ...Object.fromEntries(
      LOBES.map((name) => [`Tumor Location (choice=${name})`, name === lobe ? 'Checked' : 'Unchecked']),
    ),
    // The blank at the end is the table's own.
    'Histology ': random.pick(['Adenocarcinoma', 'Adenocarcinoma', 'Squamous cell carcinoma']),
    'Pathological T stage': radius > 17 ? 'T2a' : random.pick(['T1a', 'T1b']),
    'Pathological N stage': random.pick(['N0', 'N0', 'N1', 'N2']),
    'Pathological M stage': 'M0',
    'Histopathological Grade': random.pick([
      'G1 Well differentiated',
      'G2 Moderately differentiated',
      'G3 Poorly differentiated',
    ]),
    'Lymphovascular invasion': random.pick(['Absent', 'Present']),
    'Pleural invasion (elastic, visceral, or parietal)': random.pick(['No', 'No', 'Yes']),
    'EGFR mutation status': status('Mutant', 0.3),
    'KRAS mutation status': status('Mutant', 0.25),
    'ALK translocation status': status('Translocated', 0.1),
    'Adjuvant Treatment': random.pick(['Yes', 'No']),
    Chemotherapy: random.pick(['Yes', 'No']),
    Radiation: random.pick(['Yes', 'No', 'No']),
    Recurrence: recurred ? 'yes' : 'no',
    'Recurrence Location': recurred ? random.pick(['local', 'regional', 'distant']) : 'N/A',
    'Date of Recurrence': recurred ? `6/15/${year + 1}` : 'N/A',
    'Date of Last Known Alive': `3/1/${year + 3}`,
    'Survival Status': dead ? 'Dead' : 'Alive',
    'Date of Death': dead ? `3/1/${year + 3}` : 'N/A',
    'Time to Death (days)': dead ? `${300 + random.below(1500)}` : 'N/A',
    'CT Date': `1/10/${year}`,
    'Days between CT and surgery': `${1 + random.below(60)}`,
    'PET Date': 'Not Collected',
  };
}

/** The clinical table: a row for every case. The weight of the third was not collected, so the rules drop that row. */
export function clinicalTable(cases: readonly DemoCase[]): string {
  const rows = cases.map((demo, index) => {
    const made = row(demo, seededRandom(demo.seed * 31));
    return index === 2 ? { ...made, 'Weight (lbs)': 'Not Collected' } : made;
  });
  const header = Object.keys(rows[0] ?? {});
  return csvText(
    header,
    rows.map((made) => header.map((name) => made[name] ?? '')),
  );
}
