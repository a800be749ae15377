import { describe, expect, it } from 'vitest';
import { formatQuant, parseQuant } from '../../../../src/domain/genomics/quant-table.js';

const HEADER = 'Name\tLength\tEffectiveLength\tTPM\tNumReads';

describe('parseQuant', () => {
  it('finds columns by name, whatever their order', () => {
    const text = 'TPM\tName\tNumReads\tLength\tEffectiveLength\n1.5\tT1\t3\t900\t700.25\n';
    expect(parseQuant(text, 'q')).toEqual([{ name: 'T1', length: 900, effectiveLength: 700.25, tpm: 1.5, reads: 3 }]);
  });

  it('reads back what it writes', () => {
    const rows = [{ name: 'T', length: 1, effectiveLength: 0.1, tpm: 1 / 3, reads: 1e-7 }];
    expect(parseQuant(formatQuant(rows), 'q')).toEqual(rows);
  });

  it.each([
    ['Name\tLength\n', /no EffectiveLength, TPM, NumReads/],
    [`${HEADER}\n`, /no row/],
    [`${HEADER}\nT1\t1\t1\tx\t1\n`, /line 2/],
    [`${HEADER}\nT1\t1\t1\t1\t1\nT2\t1\n`, /line 3/],
    [`${HEADER}\nT1\t1\t1\t-1\t1\n`, /line 2/],
    [`${HEADER}\nT1\t1\t1\t\t1\n`, /line 2/],
    [`${HEADER}\nT1\t1\t1\t1\t \n`, /line 2/],
    [`${HEADER}\nT1\t1\t1\t1\t1\nT2\t1\t1\t1\t1\nT1\t1\t1\t1\t1\n`, /line 4: a name that occurs twice/],
    ['', /header/],
  ])('refuses %j', (text, message) => {
    expect(() => parseQuant(text, 'quant.sf')).toThrow(message);
  });
});
