import { describe, expect, it } from 'vitest';
import { dragenMetrics, type DragenMetrics } from '../../../../../src/domain/genomics/dragen/index.js';

/** As version 4 writes it for an RNA run of pairs, a read group below the sample; values of a real size. */
const MAPPING = `MAPPING/ALIGNING SUMMARY,,Total input reads,63491568,100.00
MAPPING/ALIGNING SUMMARY,,Number of duplicate marked reads,22095066,34.80
MAPPING/ALIGNING SUMMARY,,Number of duplicate marked and mate reads removed,NA
MAPPING/ALIGNING SUMMARY,,Number of unique reads (excl. duplicate marked reads),41396502,65.20
MAPPING/ALIGNING SUMMARY,,Reads with mate sequenced,63491568,100.00
MAPPING/ALIGNING SUMMARY,,Reads without mate sequenced,0,0.00
MAPPING/ALIGNING SUMMARY,,QC-failed reads,0,0.00
MAPPING/ALIGNING SUMMARY,,Mapped reads,60253498,94.90
MAPPING/ALIGNING SUMMARY,,Mapped reads adjusted for filtered mapping,60253498,94.90
MAPPING/ALIGNING SUMMARY,,Mapped reads R1,30205118,95.15
MAPPING/ALIGNING SUMMARY,,Mapped reads R2,30048380,94.65
MAPPING/ALIGNING SUMMARY,,Unmapped reads,3238070,5.10
MAPPING/ALIGNING SUMMARY,,Singleton reads (itself mapped; mate unmapped),253966,0.40
MAPPING/ALIGNING SUMMARY,,Paired reads (itself & mate mapped),59999532,94.50
MAPPING/ALIGNING SUMMARY,,Properly paired reads,57142411,90.00
MAPPING/ALIGNING SUMMARY,,Not properly paired reads (discordant),2857121,4.50
MAPPING/ALIGNING SUMMARY,,Reads with MAPQ [40:inf),52063085,82.00
MAPPING/ALIGNING SUMMARY,,Total bases,6349156800
MAPPING/ALIGNING SUMMARY,,Insert length: median,214.00
MAPPING/ALIGNING SUMMARY,,Estimated sample contamination,NA
MAPPING/ALIGNING SUMMARY,,DRAGEN mapping rate [mil. reads/second],0.87
MAPPING/ALIGNING PER RG,R01-001,Total reads in RG,63491568,100.00
MAPPING/ALIGNING PER RG,R01-001,Number of duplicate marked reads,1,1.00
MAPPING/ALIGNING PER RG,R01-001,Mapped reads,1,1.00
MAPPING/ALIGNING PER RG,R01-001,Properly paired reads,1,1.00
`;
const QUANT = `RNA QUANTIFICATION STATISTICS,,Library orientation,ISR
RNA QUANTIFICATION STATISTICS,,Total Genes,58735
RNA QUANTIFICATION STATISTICS,,Total Transcripts,206601
RNA QUANTIFICATION STATISTICS,,Coding Genes,28815
RNA QUANTIFICATION STATISTICS,,Median transcript CV coverage,0.61
RNA QUANTIFICATION STATISTICS,,Median 5' coverage bias,0.1868
RNA QUANTIFICATION STATISTICS,,Number of genes with coverage > 1x,14014,23.86
RNA QUANTIFICATION STATISTICS,,Forward transcript fragments,12,0.00
RNA QUANTIFICATION STATISTICS,,Reverse transcript fragments,27628845,87.03
RNA QUANTIFICATION STATISTICS,,Strand mismatched fragments,908889,2.86
RNA QUANTIFICATION STATISTICS,,Intron fragments,550923,1.74
RNA QUANTIFICATION STATISTICS,,Fold coverage of all exons,89.60
`;
const TRIMMER = `TRIMMER STATISTICS,,Total input reads,63491568
TRIMMER STATISTICS,,Total input bases,6349156800
TRIMMER STATISTICS,,Average input read length,100
TRIMMER STATISTICS,,Total trimmed reads,634916,1.00
`;
const TIME = `RUN TIME,,Time loading reference,00:01:02.310,62.31
RUN TIME,,Time aligning reads,00:03:29.713,209.71
RUN TIME,,Total runtime,00:09:28.426,568.43
`;
const SUMMARY = JSON.stringify({
  metadata: {
    dragenVersion: '4.4.6',
    licenseInfo: [{ license: 'Genome', licenseUsage: 0 }],
    runInfo: { mode: ['RNA', 'FPGA mode'], reference: 'hg38' },
  },
  modules: { mapAlign: {} },
});

const NOTHING: DragenMetrics = {
  ...{ reads: null, fragments: null, mappedPercent: null, duplicatePercent: null, properlyPairedPercent: null },
  ...{ trimmedPercent: null, quantifiedFragments: null, libraryType: null, version: null, programSeconds: null },
};
const files = (texts: Readonly<Record<string, string>>): { name: string; text: string }[] =>
  Object.entries(texts).map(([name, text]) => ({ name: `R01-001.${name}`, text }));
const found = (texts: Readonly<Record<string, string>>): DragenMetrics => dragenMetrics(files(texts)).metrics;
const both = (text: string) => dragenMetrics(files({ 'mapping_metrics.csv': text, 'quant_metrics.csv': text }));

describe('dragenMetrics', () => {
  it.each([
    ['\n', 'Unix'],
    ['\r\n', 'Windows'],
  ])('reads what stands for the whole sample, never a read group (lines end in %j, as on %s)', (end) => {
    const texts = { 'mapping_metrics.csv': MAPPING, 'quant_metrics.csv': QUANT, 'trimmer_metrics.csv': TRIMMER };
    const ended = Object.entries({ ...texts, 'time_metrics.csv': TIME, 'metrics.json': SUMMARY }).map(
      ([name, text]) => [name, text.replaceAll('\n', end)] as const,
    );
    expect(dragenMetrics(files(Object.fromEntries(ended)))).toEqual({
      metrics: {
        reads: 63_491_568,
        fragments: 31_745_784,
        mappedPercent: 94.9,
        duplicatePercent: 34.8,
        properlyPairedPercent: 90,
        trimmedPercent: 1,
        quantifiedFragments: 27_628_857,
        libraryType: 'ISR',
        version: '4.4.6',
        programSeconds: 568.43,
      },
      unreadable: [],
      missing: [],
    });
  });

  it('reads the one number of fragments and the file name of other versions', () => {
    const quant = 'RNA QUANTIFICATION STATISTICS,,Transcript fragments,17011204,84.63\n';
    expect(found({ 'quant.metrics.csv': quant })).toEqual({ ...NOTHING, quantifiedFragments: 17_011_204 });
  });

  it('counts reads without a mate as fragments', () => {
    const mapping = MAPPING.replace('Reads with mate sequenced,63491568', 'Reads with mate sequenced,0');
    const single = mapping.replace('Reads without mate sequenced,0', 'Reads without mate sequenced,63491568');
    expect(found({ 'mapping_metrics.csv': single }).fragments).toBe(63_491_568);
  });

  it('has no duplicates where none were marked, which is not a share of 0', () => {
    const unmarked = MAPPING.replace('marked reads,22095066,34.80', 'marked reads,NA');
    expect(found({ 'mapping_metrics.csv': unmarked })).toMatchObject({ duplicatePercent: null, mappedPercent: 94.9 });
  });

  it('passes over rows, columns and files that it does not know', () => {
    const more = MAPPING.replace('Mapped reads,60253498,94.90', 'Mapped reads,60253498,94.90,PASS,,7');
    const texts = { 'mapping_metrics.csv': `section,group,name,value\nTHERMALS,,Max,9\n${more}`, 'wgs.csv': 'x' };
    expect(dragenMetrics(files({ ...texts, 'quant_metrics.csv': QUANT }))).toMatchObject({
      metrics: { reads: 63_491_568, mappedPercent: 94.9 },
      unreadable: [],
    });
  });

  it('works out a share that only has its two numbers', () => {
    const bare = MAPPING.replaceAll(/,\d+\.\d\d$/gm, '');
    expect(found({ 'mapping_metrics.csv': bare })).toMatchObject({ mappedPercent: 94.9, properlyPairedPercent: 90 });
    expect(found({ 'mapping_metrics.csv': 'MAPPING/ALIGNING SUMMARY,,Mapped reads,7' }).mappedPercent).toBeNull();
  });

  it('names the files that every run leaves where they are not there', () => {
    const nothing = { metrics: NOTHING, unreadable: [], missing: ['mapping_metrics.csv', 'quant_metrics.csv'] };
    expect(dragenMetrics([])).toEqual(nothing);
    expect(dragenMetrics(files({ 'mapping_metrics.csv': MAPPING }))).toMatchObject({ missing: ['quant_metrics.csv'] });
  });

  it.each([
    ['that are empty', ''],
    ['of another kind', '{"dragenVersion":"4.6"}'],
    ['of bytes', '\u0000\u0001BAM\u0001,\u0000,,,\n,,,,'],
    ['cut off in a line', 'MAPPING/ALIGNING SUMMARY,,Total inp'],
    ['cut off before the value', 'MAPPING/ALIGNING SUMMARY,,Total input reads'],
    ['of another section', 'TRIMMER STATISTICS,,Total input reads,10\nTRIMMER STATISTICS,,Mapped reads,9,90'],
  ])('guesses nothing from files %s, and names them', (_what, text) => {
    const unreadable = ['R01-001.mapping_metrics.csv', 'R01-001.quant_metrics.csv'];
    expect(both(text)).toEqual({ metrics: NOTHING, unreadable, missing: [] });
  });

  it.each(['', 'null', '[1', '"4.6"'])('takes %j for a summary without a version', (text) => {
    expect(found({ 'metrics.json': text })).toEqual(NOTHING);
  });

  it.each(['4.6\n<b>', 'x'.repeat(41), ''])('takes no version that is none: %j', (version) => {
    expect(found({ 'metrics.json': JSON.stringify({ metadata: { dragenVersion: version } }) }).version).toBeNull();
  });

  it.each(['NA', '', ' ', 'n/a', 'inf', 'Infinity', '1e999', '12 345', '1.2.3', '-4'])(
    'takes %j for no number',
    (value) => {
      const mapping = `MAPPING/ALIGNING SUMMARY,,Total input reads,${value}\nMAPPING/ALIGNING SUMMARY,,Mapped reads,7,${value}`;
      const quant = `RNA QUANTIFICATION STATISTICS,,Transcript fragments,${value}`;
      expect(found({ 'mapping_metrics.csv': mapping, 'quant_metrics.csv': quant })).toEqual(NOTHING);
    },
  );

  it('takes no share beyond the whole', () => {
    expect(
      found({ 'mapping_metrics.csv': MAPPING.replace('60253498,94.90', '60253498,940.9') }).mappedPercent,
    ).toBeNull();
  });
});
