import { describe, expect, it } from 'vitest';
import { libraryType, observedStrandedness } from '../../../../src/domain/genomics/library-type.js';

describe('libraryType', () => {
  it.each([
    ['auto', true, 'A'],
    ['auto', false, 'A'],
    ['forward', true, 'ISF'],
    ['forward', false, 'SF'],
    ['reverse', true, 'ISR'],
    ['reverse', false, 'SR'],
    ['unstranded', true, 'IU'],
    ['unstranded', false, 'U'],
  ] as const)('%s, paired %s is %s', (strandedness, paired, type) => {
    expect(libraryType(strandedness, paired)).toBe(type);
  });
});

describe('observedStrandedness', () => {
  it.each([
    [{ ISF: 990, ISR: 10 }, 'forward'],
    [{ ISF: 10, ISR: 990 }, 'reverse'],
    [{ SR: 500 }, 'reverse'],
    [{ ISF: 510, ISR: 490 }, 'unstranded'],
    [{ ISF: 700, ISR: 300 }, undefined],
    [{ ISF: 20, ISR: 0 }, undefined],
    [{}, undefined],
  ])('of %j is %s', (counts, found) => {
    expect(observedStrandedness(counts)).toBe(found);
  });
});
