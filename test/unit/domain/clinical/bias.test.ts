import { describe, expect, it } from 'vitest';
import { biasMeasures, conditionalDisparity } from '../../../../src/domain/clinical/bias-measures.js';
import { clinicalFeatures, readClinicalTable } from '../../../../src/domain/clinical/index.js';

const counts = (entries: Record<string, number>): Map<string, number> => new Map(Object.entries(entries));
const positive = (label: string): boolean => label === 'yes';

describe('biasMeasures', () => {
  it('gives what smclarify 0.5 gives for 8 of 20 against 7 of 10 positives', () => {
    const measures = biasMeasures(counts({ yes: 8, no: 12 }), counts({ yes: 7, no: 3 }), positive);
    expect(measures.CI).toBeCloseTo(1 / 3, 6);
    expect(measures.DPL).toBeCloseTo(-0.3, 6);
    expect(measures.KL).toBeCloseTo(0.192042, 6);
    expect(measures.JS).toBeCloseTo(0.046201, 6);
    expect(measures.LP).toBeCloseTo(0.424264, 6);
    expect(measures.TVD).toBeCloseTo(0.3, 6);
    expect(measures.KS).toBeCloseTo(0.3, 6);
  });

  it('follows the documented definitions where a group lacks a label: KL infinite, TVD .6', () => {
    const measures = biasMeasures(counts({ yes: 8, no: 12 }), counts({ yes: 10 }), positive);
    expect(measures.DPL).toBeCloseTo(-0.6, 12);
    expect(measures.KL).toBeNull();
    // ½[.4 ln(.4/.7) + .6 ln(.6/.3)] + ½[1 ln(1/.7)], worked by hand
    expect(measures.JS).toBeCloseTo(0.5 * (0.4 * Math.log(4 / 7) + 0.6 * Math.log(2)) + 0.5 * Math.log(10 / 7), 12);
    expect(measures.TVD).toBeCloseTo(0.6, 12);
    expect(measures.LP).toBeCloseTo(Math.SQRT2 * 0.6, 12);
  });

  it('is 0 for equal groups and at its ends for opposite ones', () => {
    const equal = biasMeasures(counts({ yes: 3, no: 1 }), counts({ yes: 6, no: 2 }), positive);
    expect([equal.DPL, equal.KL, equal.JS, equal.LP, equal.TVD, equal.KS]).toEqual([0, 0, 0, 0, 0, 0]);
    const opposite = biasMeasures(counts({ yes: 5 }), counts({ no: 5 }), positive);
    expect(opposite.JS).toBeCloseTo(Math.LN2, 12);
    expect([opposite.CI, opposite.DPL, opposite.TVD, opposite.KS]).toEqual([0, 1, 1, 1]);
  });

  it('counts three labels by hand', () => {
    const measures = biasMeasures(counts({ a: 2, b: 1, c: 1 }), counts({ a: 1, b: 1, c: 2 }), undefined);
    expect(measures.DPL).toBeNull();
    expect(measures.TVD).toBeCloseTo(0.25, 12);
    expect(measures.LP).toBeCloseTo(Math.sqrt(0.125), 12);
    expect(measures.KL).toBeCloseTo(0.5 * Math.log(2) + 0.25 * Math.log(0.5), 12);
  });
});

describe('conditionalDisparity', () => {
  it('gives what smclarify gives for a single group', () => {
    expect(conditionalDisparity([{ positive: 15, negative: 15, positiveD: 7, negativeD: 3 }])).toBeCloseTo(
      -0.266667,
      6,
    );
  });

  it('weights groups by size: the difference between groups is not held against d', () => {
    const north = { positive: 8, negative: 2, positiveD: 4, negativeD: 1 };
    const south = { positive: 2, negative: 8, positiveD: 1, negativeD: 4 };
    expect(conditionalDisparity([north, south])).toBeCloseTo(0, 12);
    expect(conditionalDisparity([north, { ...south, negativeD: 8, positiveD: 0 }])).toBeCloseTo(
      (10 * 0 + 10 * 1) / 20,
      12,
    );
  });
});

describe('the bias report of a table', () => {
  const lines = ['case_id,sex,site,outcome'];
  const add = (sex: string, site: string, outcome: string, times: number): void => {
    for (let n = 0; n < times; n += 1) lines.push(`C${lines.length},${sex},${site},${outcome}`);
  };
  add('f', 'x', 'dead', 7);
  add('f', 'x', 'alive', 3);
  add('m', 'x', 'dead', 8);
  add('m', 'y', 'alive', 12);
  add('', 'y', 'alive', 5);
  add('m', 'y', '', 1);
  const table = readClinicalTable(`${lines.join('\n')}\n`);
  const target = { column: 'outcome', codes: { dead: 1, alive: 0 } };
  const { bias } = clinicalFeatures(table, { target, oneHot: ['sex'], bias: { facets: ['sex'], groupBy: 'site' } });

  it('compares every group with the others, rows without the facet left out', () => {
    expect(bias.target).toEqual({
      column: 'outcome',
      positive: ['dead'],
      labels: [
        { value: 'alive', rows: 20 },
        { value: 'dead', rows: 15 },
      ],
    });
    const [facet] = bias.facets;
    expect(facet).toMatchObject({ column: 'sex', missing: 5 });
    const [female, male] = facet?.groups ?? [];
    expect(female).toMatchObject({ value: 'f', rows: 10, positiveShare: 0.7 });
    expect(female?.measures?.CI).toBeCloseTo(1 / 3, 12);
    expect(female?.measures?.DPL).toBeCloseTo(-0.3, 12);
    expect(male?.measures?.DPL).toBeCloseTo(0.3, 12);
  });

  it('conditions on the column that the specification names', () => {
    // Site x: 15 dead (7 f), 3 alive (3 f); site y: 12 alive (0 f). (18·(3/3 − 7/15) + 12·0)/30
    expect(bias.facets[0]?.groups[0]?.measures?.CDDL).toBeCloseTo((18 * (1 - 7 / 15)) / 30, 12);
  });

  it('says when there is no target', () => {
    const report = clinicalFeatures(table).bias;
    expect(report.target).toBeNull();
    expect(report.notes.join()).toContain('no target');
    expect(report.facets[0]?.groups[0]?.measures).toEqual({ CI: expect.closeTo(11 / 31, 6) as number });
  });
});
