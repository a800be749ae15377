import { describe, expect, it } from 'vitest';
import { storeName, storeNames } from '../../../../src/domain/feature-table/feature-names.js';
import { Spread, genePanel } from '../../../../src/domain/feature-table/gene-panel.js';

const SERVICE_RULE = /^[a-zA-Z0-9]([_-]*[a-zA-Z0-9_-]){0,63}$/;

describe('storeNames', () => {
  it.each(['ENSG00000900000.1', '_x', 'log-sigma-1-0-mm-3D_glcm_Idmn', 'Ä', '', 'x'.repeat(90), '10Percentile'])(
    'makes %j fit for the store',
    (name) => {
      expect(storeName(name)).toMatch(SERVICE_RULE);
      expect(storeName(name).length).toBeLessThanOrEqual(64);
    },
  );

  it('refuses two names that become one, upper and lower case taken as equal', () => {
    expect(() => storeNames(['a.b', 'A_B'])).toThrow(/a\.b and A_B/);
  });
});

describe('genePanel', () => {
  const spread = (...values: number[]): Spread => {
    const one = new Spread();
    for (const value of values) one.add(value);
    return one;
  };
  const ids = ['g1', 'g2', 'g3'];
  const spreads = [spread(1, 1, 1), spread(0, 5, 10), spread(2, 3, 2)];

  it('takes all genes when they are few enough', () => {
    expect(genePanel(ids, spreads)).toEqual([0, 1, 2]);
  });

  it('takes those that vary most, in the order of the matrix', () => {
    expect(genePanel(ids, spreads, 2)).toEqual([1, 2]);
  });

  it('takes the genes that are named, in their order, and refuses unknown ones', () => {
    expect(genePanel(ids, spreads, ['g3', 'g1'])).toEqual([2, 0]);
    expect(() => genePanel(ids, spreads, ['g9'])).toThrow(/1 genes are not in the matrix: g9/);
  });

  it('has the sample variance', () => {
    expect(spread(1, 2, 3, 4).variance).toBeCloseTo(5 / 3, 12);
  });
});
