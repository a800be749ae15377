import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clinicalFeatures, readClinicalTable } from '../../src/domain/clinical/index.js';
import { csvText } from '../../src/domain/csv/index.js';
import { sharedData } from '../support/shared-data.js';

const path = sharedData('clinical/NSCLCR01Radiogenomic_DATA_LABELS_2018-05-22_1500-shifted.csv');
const expected = sharedData('clinical/expected-notebook-features.csv');

describe.skipIf(path === undefined || expected === undefined)('the NSCLC Radiogenomics table', () => {
  const table = readClinicalTable(path === undefined ? 'case_id\nA\n' : readFileSync(path));

  it('gives what the published notebook gave, byte for byte', () => {
    const { features, dropped, spec } = clinicalFeatures(table, 'nsclc-radiogenomics-notebook');
    expect(spec).toBe('nsclc-radiogenomics-notebook');
    expect(features.columns).toHaveLength(89);
    expect(features.rows).toHaveLength(147);
    expect(csvText(features.columns, features.rows)).toBe(readFileSync(expected as string, 'utf8'));
    expect(dropped).toHaveLength(211 - 147);
    expect(dropped.filter(({ caseId }) => caseId.startsWith('AMC'))).toHaveLength(49);
    expect(new Set(dropped.map(({ reason }) => reason))).toEqual(
      new Set(['the case is of the AMC group', 'Weight (lbs) is "Not Collected"', 'Pack Years is "Not Collected"']),
    );
  });

  it('finds the notebook’s leak: the time to death tells who died', () => {
    const { leakage } = clinicalFeatures(table, 'nsclc-radiogenomics-notebook');
    const leak = leakage.columns.find(({ column }) => column === 'Time to Death (days)');
    expect(leak).toMatchObject({ inFeatures: true, verdict: 'leak' });
    expect(leak?.missingnessScore).toBeGreaterThan(0.99);
    expect(leakage.leaking).toContain('Time to Death (days)');
  });

  it('takes the specification without leaks by itself, and no leak is left', () => {
    const { spec, features, leakage, encoding } = clinicalFeatures(table);
    expect(spec).toBe('nsclc-radiogenomics');
    expect(leakage.leaking).toEqual([]);
    expect(features.rows).toHaveLength(147);
    expect(features.columns.filter((name) => /death|recurrence|date|quit/i.test(name))).toEqual([]);
    // One "not known" for all its spellings, so none of them is a category.
    expect(features.columns.filter((name) => /unknown_|_unknown|not(collected|assessed|recorded)/i.test(name))).toEqual(
      ['TumorLocationchoiceUnknown_Unchecked'],
    );
    expect(features.columns.at(-1)).toBe('SurvivalStatus');
    expect(encoding.left.map(({ column }) => column)).toContain('Time to Death (days)');
  });
});
