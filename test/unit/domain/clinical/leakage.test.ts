import { describe, expect, it } from 'vitest';
import { clinicalFeatures, readClinicalTable } from '../../../../src/domain/clinical/index.js';
import {
  aucHalfWidth,
  crossValidatedAuc,
  crossValidatedR2,
  rankBins,
  rocAuc,
  stratifiedFolds,
} from '../../../../src/domain/clinical/predictive-power.js';

describe('rocAuc', () => {
  it('counts pairs in order, ties half', () => {
    expect(rocAuc([1, 2, 3, 4], [false, false, true, true])).toBe(1);
    expect(rocAuc([4, 3, 2, 1], [false, false, true, true])).toBe(0);
    expect(rocAuc([1, 1, 1, 1], [false, true, false, true])).toBe(0.5);
    // pairs (pos 2, 4 against neg 1, 3): 2>1, 2<3, 4>1, 4>3
    expect(rocAuc([1, 2, 3, 4], [false, true, false, true])).toBe(0.75);
    expect(rocAuc([1, 2], [true, true])).toBeUndefined();
  });
});

describe('predictions across folds', () => {
  const half = Array.from({ length: 100 }, (_, row) => row % 2 === 0);

  it('give a column without information one half, exactly', () => {
    expect(
      crossValidatedAuc(
        half.map(() => 'same'),
        half,
      ),
    ).toBe(0.5);
  });

  it('give a column of one value per row one half: a row’s own target is never used', () => {
    expect(
      crossValidatedAuc(
        half.map((_, row) => `id-${row}`),
        half,
      ),
    ).toBe(0.5);
  });

  it('give the target itself 1', () => {
    expect(crossValidatedAuc(half.map(String), half)).toBe(1);
    expect(crossValidatedR2(half.map(String), half.map(Number))).toBeGreaterThan(0.95);
  });

  it('hold each class in equal parts', () => {
    const folds = stratifiedFolds([...'aaaaaaaaaabbbbb']);
    for (let fold = 0; fold < 5; fold += 1) {
      expect(folds.slice(0, 10).filter((own) => own === fold)).toHaveLength(2);
      expect(folds.slice(10).filter((own) => own === fold)).toHaveLength(1);
    }
  });
});

describe('rankBins', () => {
  it('cuts by rank, keeps equal values together and missing ones apart', () => {
    const bins = rankBins([...Array.from({ length: 100 }, (_, n) => n), undefined]);
    expect(new Set(bins).size).toBe(11);
    expect(bins.filter((bin) => bin === bins[0])).toHaveLength(10);
    expect(new Set(rankBins([5, 5, 5, 5])).size).toBe(1);
  });
});

describe('aucHalfWidth', () => {
  it('follows Hanley and McNeil, worked by hand for .75 of 50 and 50', () => {
    // (.1875 + 49·(.6 − .5625) + 49·(.642857 − .5625)) / 2500 = .002385
    expect(aucHalfWidth(0.75, 50, 50)).toBeCloseTo(1.96 * Math.sqrt(0.002385), 6);
  });
});

describe('the leakage report of a table', () => {
  const rows = Array.from({ length: 120 }, (_, n) => {
    const dead = n % 3 === 0;
    return [`C${n}`, n % 7, dead ? 100 + n : '', dead ? 'stopped' : 'ongoing', (n * 37) % 50, dead ? 'Dead' : 'Alive'];
  });
  const header = 'case_id,noise,days to death,treatment,age,status';
  const table = readClinicalTable(`${[header, ...rows.map((row) => row.join(','))].join('\n')}\n`);
  const target = { column: 'status', codes: { Dead: 1, Alive: 0 } };

  it('finds a column that is only filled in after the outcome, though every value is a number', () => {
    const { leakage, warnings } = clinicalFeatures(table, { target, numeric: ['noise', 'days to death', 'age'] });
    const leak = leakage.columns.find(({ column }) => column === 'days to death');
    expect(leak).toMatchObject({ verdict: 'leak', inFeatures: true, score: 1, missingnessScore: 1 });
    expect(leakage.leaking).toEqual(['days to death']);
    expect(warnings.join()).toContain('leak the target: days to death');
  });

  it('scores columns that make no feature too, and calls noise uninformative', () => {
    const { leakage } = clinicalFeatures(table, { target, numeric: ['noise', 'age'] });
    expect(leakage.leaking).toEqual([]);
    const verdicts = Object.fromEntries(leakage.columns.map(({ column, verdict }) => [column, verdict]));
    expect(verdicts).toEqual({
      'days to death': 'leak',
      treatment: 'leak',
      noise: 'uninformative',
      age: 'uninformative',
    });
    expect(leakage.columns.map(({ rank }) => rank)).toEqual([1, 2, 3, 4]);
  });

  it('scores a numeric target by R²', () => {
    const { leakage } = clinicalFeatures(table, { target: 'age', numeric: ['noise'] });
    expect(leakage.measure).toBe('cross-validated R2');
    expect(leakage.columns.find(({ column }) => column === 'noise')?.score).toBeLessThan(0.3);
  });

  it('knows a numeric target again in a column derived from it, though a few of its values are far from the others', () => {
    const rows = Array.from({ length: 120 }, (_, n) => {
      const days = Math.round(Math.exp(2 + ((n * 71) % 120) / 10));
      return `P${n},${days},${(days / 30.4).toFixed(3)},${(n * 37) % 101}`;
    });
    const skewed = readClinicalTable(`id,days,months,noise\n${rows.join('\n')}\n`);
    const { leakage } = clinicalFeatures(skewed, { target: 'days', otherColumns: 'infer' });
    expect(leakage.leaking).toEqual(['months']);
    expect(leakage.columns.find(({ column }) => column === 'noise')?.score).toBeLessThan(0.3);
  });

  it('has nothing to rank without a target', () => {
    const { leakage } = clinicalFeatures(table);
    expect(leakage).toMatchObject({ target: null, columns: [], leaking: [] });
  });
});
