import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Quantified, versionsAtStart, versionsText } from '../../../src/activities/run-versions.js';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import { layout } from '../../../src/contracts/layout.js';
import type { GenomicsUnit } from '../../../src/domain/cohort/manifest.js';
import { temporaryFolder } from '../../support/run-step.js';

const HERE = { cohortflow: '1.2.3', node: 'v20', salmon: '1.10.2' };
const { salmon: _salmon, ...OTHERS } = HERE;
const reads: GenomicsUnit = {
  ...{ modality: 'genomics', caseId: 'A' },
  source: { kind: 'sra', runs: ['SRR1'], strandedness: 'auto' },
};
const table: GenomicsUnit = { modality: 'genomics', caseId: 'B', source: { kind: 'quant', path: '/b/quant.sf' } };

describe('the versions at the start of a run', () => {
  it('name what will quantify its reads', () => {
    expect(versionsAtStart(HERE, [table, reads])).toEqual(HERE);
    expect(versionsAtStart(HERE, [table, reads], 'dragen')).toEqual({ ...OTHERS, dragen: 'not known' });
    expect(versionsAtStart(OTHERS, [reads])).toEqual(OTHERS);
  });

  it('name nothing for finished tables, and for none', () => {
    expect(versionsAtStart(HERE, [table], 'dragen')).toEqual(OTHERS);
    expect(versionsAtStart(HERE, [])).toEqual(OTHERS);
  });
});

describe('the versions of what quantified', () => {
  const files = new LocalFiles();
  let output: string;
  const written = (): unknown => JSON.parse(readFileSync(layout.versions(output), 'utf8'));
  const found = async (...summaries: readonly Record<string, string | null>[]): Promise<unknown> => {
    const quantified = new Quantified();
    for (const summary of summaries) quantified.add(summary);
    await quantified.write(files, output);
    return written();
  };

  beforeEach(async () => {
    output = temporaryFolder('versions');
    await files.write(join(output, 'run/versions.json'), versionsText(HERE));
  });

  it('are those that the machines said, in place of this one', async () => {
    const dragen = { program: 'DRAGEN', version: '05.021.4.3.6' };
    expect(await found(dragen, dragen)).toEqual({ ...OTHERS, dragen: '05.021.4.3.6' });
    // As often as it is asked.
    expect(await found(dragen)).toEqual({ ...OTHERS, dragen: '05.021.4.3.6' });
  });

  it('are all that there were', async () => {
    const of = (program: string, version: string | null) => ({ program, version });
    const all = [of('Salmon', '1.10.3'), of('DRAGEN', null), of('Salmon', '1.10.2'), of('Salmon', null)];
    expect(await found(...all)).toEqual({ ...OTHERS, salmon: '1.10.2, 1.10.3', dragen: 'not known' });
  });

  it('stay what they were where no sample says', async () => {
    expect(await found({}, { program: null, version: null }, { program: 'kallisto', version: '1' })).toEqual(HERE);
  });

  it('do not fail for a file that someone damaged', async () => {
    writeFileSync(layout.versions(output), '{"coh');
    expect(await found({ program: 'Salmon', version: '1.10.2' })).toEqual({ salmon: '1.10.2' });
  });
});
