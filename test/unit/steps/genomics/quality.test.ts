import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { matrixStep } from '../../../../src/steps/genomics/matrix.js';
import { quantifyStep } from '../../../../src/steps/genomics/quantify.js';
import { readCsv } from '../../../support/csv.js';
import { runStep, temporaryFolder, type StepRun } from '../../../support/run-step.js';

const QUANT = 'Name\tLength\tEffectiveLength\tTPM\tNumReads\nT1\t100\t50\t1000000\t7\nT2\t100\t50\t0\t0\n';
const MAPPING = [
  ...['Total input reads,20,100.00', 'Number of duplicate marked reads,5,25.00', 'Mapped reads,18,90.00'],
  ...['Reads with mate sequenced,20,100.00', 'Reads without mate sequenced,0,0.00', 'Properly paired reads,16,80.00'],
].map((row) => `MAPPING/ALIGNING SUMMARY,,${row}\n`);
const STATISTICS = [
  'Library orientation,ISR',
  'Forward transcript fragments,0',
  'Reverse transcript fragments,7,70.00',
].map((row) => `RNA QUANTIFICATION STATISTICS,,${row}\n`);
const MACHINE = {
  ...{ profile: '4.3', version: '4.3.13', reference: 'hg38.fa', hashTable: '4.3-0123456789abcdef' },
  ...{ instanceType: 'f2.6xlarge', spot: true, seconds: 812 },
};
const ALL = {
  'S.mapping_metrics.csv': MAPPING.join(''),
  'S.quant_metrics.csv': STATISTICS.join(''),
  'machine.json': JSON.stringify(MACHINE),
};

type Account = Readonly<Record<string, unknown>>;

/** Takes up a table of two transcripts of one gene, with such files beside it. */
async function takeUp(files: Readonly<Record<string, string>>): Promise<{ run: StepRun<unknown>; account: Account }> {
  const folder = temporaryFolder('quality');
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const inputs = {
    quant: [file('S.quant.sf', QUANT)],
    annotation: [file('tx2gene.tsv', 'T1\tG1\nT2\tG1\n')],
    metrics: Object.entries(files).map(([name, text]) => file(name, text)),
  };
  const run = await runStep(quantifyStep, {}, inputs);
  return { run, account: JSON.parse(readFileSync(join(run.folder, 'quant.json'), 'utf8')) as Account };
}

describe('what DRAGEN says of a sample', () => {
  it('stands in quant.json beside what it ran on, and its files stay', async () => {
    const { run, account } = await takeUp(ALL);
    expect(account).toMatchObject({
      ...{ source: 'dragen', reads: 20, fragments: 10, mappedPercent: 90, duplicatePercent: 25 },
      ...{
        properlyPairedPercent: 80,
        trimmedPercent: null,
        quantifiedFragments: 7,
        quantifiedTranscripts: 1,
        genes: 1,
      },
      ...{ libraryType: 'ISR', program: 'DRAGEN', version: '4.3.13', profile: '4.3', reference: 'hg38.fa' },
      ...{ index: '4.3-0123456789abcdef', instanceType: 'f2.6xlarge', spot: true, seconds: 812, warnings: [] },
    });
    expect(run.outputs).toEqual(expect.arrayContaining(Object.keys(ALL).map((name) => `dragen/${name}`)));
  });

  it.each([
    ['empty', ''],
    ['cut off', 'MAPPING/ALIGNING SUMM'],
    ['of another kind', '\u0000\u0001\ufffd'],
  ])('is missing, with a warning, where a file is %s: the sample is done all the same', async (_what, text) => {
    const { run, account } = await takeUp({ ...ALL, 'S.mapping_metrics.csv': text, 'machine.json': text });
    expect(run.summary).toMatchObject({ warnings: ['MetricsUnreadable'], mappedPercent: null, libraryType: 'ISR' });
    expect(account).toMatchObject({ metricsUnreadable: ['S.mapping_metrics.csv', 'machine.json'], instanceType: null });
    expect(account).toMatchObject({ reads: null, quantifiedFragments: 7 });
  });

  it('is missing, with a warning, where a file that every run leaves is not there', async () => {
    const { account } = await takeUp({ 'S.quant_metrics.csv': STATISTICS.join('') });
    expect(account).toMatchObject({
      warnings: ['MetricsMissing'],
      metricsMissing: ['mapping_metrics.csv'],
      reads: null,
    });
  });

  it('is nothing for a table from elsewhere', async () => {
    const { account } = await takeUp({});
    expect(account).toMatchObject({
      source: 'table',
      program: null,
      reads: null,
      quantifiedTranscripts: 1,
      warnings: [],
    });
  });

  it('ends the sample where no read mapped', async () => {
    const none = 'MAPPING/ALIGNING SUMMARY,,Mapped reads,0,0.00\n';
    await expect(takeUp({ ...ALL, 'S.mapping_metrics.csv': none })).rejects.toMatchObject({ code: 'NoReadsMapped' });
  });
});

describe('genomics/quality.csv', () => {
  it('has a row for each sample; what nobody knows is empty', async () => {
    const dragen = await takeUp({ ...ALL, 'S.quant_metrics.csv': '' });
    const given = await takeUp({});
    const list = join(temporaryFolder('list'), 'finished.jsonl');
    const line = (caseId: string, { folder, outputs }: StepRun<unknown>): string =>
      JSON.stringify({ caseId, part: '', outputs: outputs.map((path) => ({ path: join(folder, path) })) });
    writeFileSync(list, `${line('A', dragen.run)}\n${line('B', given.run)}\n`);
    const { folder } = await runStep(matrixStep, {}, { samples: [list] });
    expect(readCsv(join(folder, 'quality.csv'))).toEqual([
      {
        ...{ case_id: 'A', sample_id: '', reads: '20', fragments: '10', mapped_percent: '90', duplicate_percent: '25' },
        ...{
          properly_paired_percent: '80',
          trimmed_percent: '',
          quantified_fragments: '',
          quantified_transcripts: '1',
        },
        ...{ genes: '1', library_type: '', program: 'DRAGEN', version: '4.3.13', profile: '4.3', reference: 'hg38.fa' },
        ...{ index: '4.3-0123456789abcdef', instance_type: 'f2.6xlarge', spot: 'true', machine_seconds: '812' },
        warnings: 'MetricsUnreadable',
      },
      expect.objectContaining({ case_id: 'B', reads: '', program: '', spot: '', genes: '1', warnings: '' }),
    ]);
  });
});
