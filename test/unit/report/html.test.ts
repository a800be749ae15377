import { describe, expect, it } from 'vitest';
import { reportHtml } from '../../../src/report/html.js';
import { histogramMarkup, tableMarkup } from '../../../src/report/markup.js';
import type { ReportModel, ReportSample } from '../../../src/report/model.js';
import { samplesMarkup } from '../../../src/report/samples.js';
import { runCosts } from '../../../src/domain/costs/index.js';
import { NO_QUALITY, type SampleQuality } from '../../../src/domain/genomics/sample-quality.js';

const MODEL: ReportModel = {
  runId: 'run-1',
  state: 'finished',
  startedAt: '2026-01-01T00:00:00Z',
  joinedAt: '2026-01-01T00:01:05Z',
  counts: [{ modality: 'imaging', counts: { total: 2, done: 1, failed: 1, reused: 0, cancelled: 0 } }],
  failedCases: 1,
  failuresByCode: [{ code: 'SegNotFound', count: 1 }],
  failures: [
    {
      caseId: 'A<1>',
      modality: 'imaging',
      part: '',
      step: 'imaging.convert',
      outcome: 'failed',
      code: 'SegNotFound',
      why: '',
      attempts: 1,
      seconds: 1,
      message: '<script>alert(1)</script>',
      kind: { retryable: false, fault: 'data', reason: 'No segmentation.', remedy: 'Add it.' },
    },
  ],
  cases: [
    { caseId: 'A<1>', statuses: { imaging: { status: 'failed', reason: 'SegNotFound' } } },
    { caseId: 'B', statuses: { imaging: { status: 'done', reason: '' } }, picture: 'data:image/png;base64,AAAA' },
  ],
  casesLeftOut: 0,
  pictures: { shown: 1, total: 1 },
  distributions: [{ name: 'original_x', values: [1, 2, 3] }],
  samples: [],
  tables: [],
  versions: { cohortflow: '0.1.0' },
  parameters: { cohort: '/data/"x".csv' },
};

describe('reportHtml', () => {
  const html = reportHtml(MODEL);

  it('escapes everything that came from data', () => {
    expect(html).not.toContain('<script>');
    expect(html).not.toContain('A<1>');
    expect(html).toContain('&#60;script&#62;');
  });

  it('loads nothing from anywhere', () => {
    expect(html).not.toMatch(/(?:src|href)="(?!data:)/);
    expect(html).not.toContain('@import');
  });

  it('shows failures before cases, with what to do', () => {
    expect(html.indexOf('>Failures<')).toBeLessThan(html.indexOf('>Cases<'));
    expect(html).toContain('No segmentation. Add it.');
    expect(html).toContain('1 of 2 cases failed');
  });

  it('counts many failures by code, and says how many it does not list', () => {
    expect(html).not.toContain('<td>SegNotFound</td>');
    const failuresByCode = [
      { code: 'SegNotFound', count: 2_400 },
      { code: 'StepTimeout', count: 100 },
    ];
    const many = reportHtml({ ...MODEL, casesLeftOut: 2_998, failedCases: 2_500, failuresByCode });
    expect(many).toContain('2500 of 3000 cases failed in a step');
    expect(many.indexOf('SegNotFound</td>')).toBeLessThan(many.indexOf('StepTimeout</td>'));
    expect(many).toContain('And 2499 more');
  });

  it('is dark on screens only: on paper the ink is', () => {
    expect(html).toContain('@media screen and (prefers-color-scheme: dark)');
    expect(html).not.toContain('@media (prefers-color-scheme');
  });

  it('names in its methods what quantified the reads', () => {
    const sample = (program: string): ReportSample => ({
      ...{ caseId: 'A', part: '', quality: { ...NO_QUALITY, program }, warnings: [], stepSeconds: null },
    });
    const said = (...programs: string[]): string => reportHtml({ ...MODEL, samples: programs.map(sample) });
    expect(said()).toContain('quantified with Salmon (Patro et al., Nature Methods 2017) and');
    expect(said('DRAGEN')).toContain('quantified with DRAGEN (Illumina) and');
    expect(said('DRAGEN', 'Salmon')).toContain('Nature Methods 2017) or DRAGEN (Illumina) and');
  });

  it('lets long names be broken, and nothing else', () => {
    const table = tableMarkup(
      ['name', 'n'],
      [
        ['a_very_long_name_of_a_file_<b>.fa', '$1.50'],
        ['a_b', '–'],
      ],
    );
    expect(table).toContain('a_<wbr>very_<wbr>long_<wbr>name_<wbr>of_<wbr>a_<wbr>file_<wbr>&#60;b&#62;.fa');
    expect(table).toContain('<td>a_b</td><td class="number">–</td>');
    expect(table).toContain('<th scope="col">name</th><th scope="col" class="number">n</th>');
  });

  it('gives every picture a text', () => {
    expect(html.match(/<img /g)).toHaveLength(1);
    expect(html).toContain('alt="Tumour of case B in three planes"');
  });

  it('says what the run cost in machines, that it is computed, and what has no price', () => {
    const paid = { executor: 'dragen', seconds: 3600, spot: false, region: 'us-east-1' } as const;
    const costs = runCosts([
      { ...paid, instanceType: 'f2.6xlarge' },
      { ...paid, instanceType: 'f9.huge' },
    ])!;
    const shown = reportHtml({ ...MODEL, costs });
    expect(shown).toContain('>What it cost<');
    expect(shown).toMatch(/\$\d+\.\d\d, without f9\.huge in us-east-1<.*not what was billed/);
    expect(shown).toContain(`no price for f9.huge in table of ${costs.prices.date}`);
    const plannedAt = '2026-01-02T03:04:05Z';
    const planned = [{ plannedAt, executor: 'dragen', units: 12, dollars: 14.5 }];
    expect(reportHtml({ ...MODEL, costs, planned })).toContain('Planned: dragen $14.50 for 12 samples (2026-01-02).');
    expect(shown).not.toContain('Planned');
    expect(html).not.toContain('What it cost');
  });

  it('says so when nothing failed', () => {
    expect(reportHtml({ ...MODEL, failures: [], failedCases: 0, failuresByCode: [] })).toContain(
      'All 2 cases came out.',
    );
  });
});

describe('histogramMarkup', () => {
  it('draws equal values without dividing by nothing', () => {
    expect(histogramMarkup('x', [2, 2, 2])).not.toContain('NaN');
  });
});

describe('samplesMarkup', () => {
  const sample = (caseId: string, quality: Partial<SampleQuality>, warnings: readonly string[] = []): ReportSample => ({
    ...{ caseId, part: '', quality: { ...NO_QUALITY, ...quality }, warnings, stepSeconds: null },
  });
  const rowsOf = (html: string): string[][] =>
    [...html.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row = '']) =>
      [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, cell = '']) => cell),
    );
  const dragen = {
    ...{ reads: 63_491_568, mappedPercent: 94.94, duplicatePercent: 34.8, properlyPairedPercent: 90, genes: 58_735 },
    ...{ quantifiedFragments: 27_628_857, libraryType: 'ISR', program: 'DRAGEN', version: '4.3.13', profile: '4.3' },
    ...{ reference: 'hg38.fa', index: '4.3-0123', instanceType: 'f2.6xlarge', spot: true, seconds: 812 },
  };

  it('shows what came of the reads and what they were quantified with; missing values as missing', () => {
    const html = samplesMarkup([sample('A', dragen), sample('B', { reads: 10, program: 'DRAGEN', spot: false })]);
    expect(rowsOf(html)).toEqual([
      ['sample', 'reads', 'mapped', 'duplicates', 'proper pairs', 'quantified fragments', 'genes', 'library'],
      ['A', '63,491,568', '94.9%', '34.8%', '90.0%', '27,628,857', '58,735', 'ISR'],
      ['B', '10', '–', '–', '–', '–', '–', '–'],
      ['sample', 'program', 'profile', 'reference', 'index or hash table', 'machine', 'paid as', 'seconds'],
      ['A', 'DRAGEN 4.3.13', '4.3', 'hg38.fa', '4.3-0123', 'f2.6xlarge', 'spot', '812'],
      ['B', 'DRAGEN', '–', '–', '–', '–', 'on demand', '–'],
    ]);
    expect(html).toContain('Not known of any sample: trimmed, transcripts.');
  });

  it('shows the same of what was quantified here, with the seconds of the step', () => {
    const here = {
      reads: 60_000,
      mappedPercent: 97.1,
      quantifiedTranscripts: 1_804,
      program: 'Salmon',
      version: '1.10.2',
    };
    const html = samplesMarkup([{ ...sample('A', here), stepSeconds: 3.4 }]);
    expect(rowsOf(html)).toEqual([
      ['sample', 'reads', 'mapped', 'transcripts'],
      ['A', '60,000', '97.1%', '1,804'],
      ['sample', 'program', 'seconds'],
      ['A', 'Salmon 1.10.2', '3'],
    ]);
  });

  it('lists as not known only what could have been known', () => {
    const known = (program: string | null): string[] => {
      const html = samplesMarkup([sample('A', { genes: 10, program })]);
      return /Not known of any sample: ([^.]*)\./.exec(html)?.[1]?.split(', ') ?? [];
    };
    const counted = ['reads', 'mapped', 'quantified fragments', 'transcripts', 'library'];
    // Salmon counts no duplicates and was on no machine that is paid for.
    expect(known('Salmon')).toEqual([...counted, 'index or hash table', 'seconds']);
    // What a finished table is from, it does not say.
    expect(known(null)).toEqual(['transcripts', 'program', 'seconds']);
    const dragen = ['duplicates', 'proper pairs', 'trimmed', 'profile', 'reference', 'machine', 'paid as'];
    expect(known('DRAGEN').sort()).toEqual([...counted, ...dragen, 'index or hash table', 'seconds'].sort());
    // One sample of which it could have been known is enough.
    const both = samplesMarkup([sample('A', { program: 'Salmon' }), sample('B', { program: 'DRAGEN' })]);
    expect(both).toMatch(/Not known of any sample: .*duplicates.*paid as/);
  });

  it('names what deserves a look', () => {
    const html = samplesMarkup([sample('A', dragen), sample('B', dragen, ['MetricsMissing', 'LowMapping'])]);
    expect(html).toContain('Worth a look');
    expect(rowsOf(html)).toContainEqual(['B', 'MetricsMissing, LowMapping']);
  });

  it('is nothing without samples', () => {
    expect(samplesMarkup([])).toBe('');
  });
});
