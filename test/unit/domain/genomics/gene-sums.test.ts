import { describe, expect, it } from 'vitest';
import { sumByGene, withoutVersion } from '../../../../src/domain/genomics/gene-sums.js';
import type { QuantRow } from '../../../../src/domain/genomics/quant-table.js';

const row = (name: string, tpm: number, reads: number, length = 1000): QuantRow => ({
  name,
  length,
  effectiveLength: length - 200,
  tpm,
  reads,
});
const annotation = (pairs: Record<string, string>): { genes: Map<string, string> } => ({
  genes: new Map(Object.entries(pairs)),
});

describe('sumByGene', () => {
  it('adds TPM and reads and weighs lengths by TPM', () => {
    const { genes } = sumByGene([row('T1', 30, 3, 1000), row('T2', 10, 1, 2000)], annotation({ T1: 'G', T2: 'G' }));
    expect(genes).toEqual([{ name: 'G', tpm: 40, reads: 4, length: 1250, effectiveLength: 1050 }]);
  });

  it('gives plain mean lengths where nothing is expressed', () => {
    const { genes } = sumByGene([row('T1', 0, 0, 1000), row('T2', 0, 0, 2000)], annotation({ T1: 'G', T2: 'G' }));
    expect(genes[0]).toMatchObject({ length: 1500, effectiveLength: 1300 });
  });

  it('matches ids as written before it takes versions off', () => {
    const pairs = annotation({ 'T1.1': 'old', 'T1.2': 'new' });
    expect(sumByGene([row('T1.2', 1, 1)], pairs).genes.map(({ name }) => name)).toEqual(['new']);
  });

  it('takes versions off both sides where that is unambiguous, and says how often', () => {
    const sums = sumByGene([row('T1.7', 1, 1), row('T2', 1, 1)], annotation({ 'T1.1': 'A', 'T2.3': 'B' }));
    expect(sums.genes.map(({ name }) => name)).toEqual(['A', 'B']);
    expect(sums.matchedWithoutVersion).toBe(2);
  });

  it('lets a transcript stand for itself when its versions belong to different genes', () => {
    const sums = sumByGene([row('T1.9', 1, 1), row('T2', 1, 1)], annotation({ 'T1.1': 'A', 'T1.2': 'B', T2: 'C' }));
    expect(sums.genes.map(({ name }) => name).sort()).toEqual(['C', 'T1.9']);
    expect(sums.withoutGene).toBe(1);
  });

  it('keeps the pseudo-autosomal copies of a gene apart', () => {
    expect(withoutVersion('ENST1.5_PAR_Y')).toBe('ENST1_PAR_Y');
    const pairs = annotation({ 'T1.1': 'G1.1', 'T1.1_PAR_Y': 'G1.1_PAR_Y' });
    expect(sumByGene([row('T1.2', 1, 1), row('T1.2_PAR_Y', 2, 2)], pairs).genes).toHaveLength(2);
  });

  it('reads the transcript from headers of many fields', () => {
    const { genes } = sumByGene([row('T1.1|G1.1|x|y|', 1, 1)], annotation({ 'T1.1': 'G1.1' }));
    expect(genes[0]?.name).toBe('G1.1');
  });

  it('refuses an annotation of something else', () => {
    expect(() => sumByGene([row('T1', 1, 1)], annotation({ X: 'Y' }))).toThrow(/none of the 1 quantified/);
  });
});
