import { describe, expect, it } from 'vitest';
import { reportHtml } from '../../../src/report/html.js';
import { histogramMarkup } from '../../../src/report/markup.js';
import type { ReportModel } from '../../../src/report/model.js';

const MODEL: ReportModel = {
  runId: 'run-1',
  state: 'finished',
  startedAt: '2026-01-01T00:00:00Z',
  endedAt: '2026-01-01T00:01:05Z',
  counts: [{ modality: 'imaging', counts: { total: 2, done: 1, failed: 1, reused: 0, cancelled: 0 } }],
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

  it('gives every picture a text', () => {
    expect(html.match(/<img /g)).toHaveLength(1);
    expect(html).toContain('alt="Tumour of case B in three planes"');
  });

  it('says so when nothing failed', () => {
    expect(reportHtml({ ...MODEL, failures: [] })).toContain('All 2 cases came out.');
  });
});

describe('histogramMarkup', () => {
  it('draws equal values without dividing by nothing', () => {
    expect(histogramMarkup('x', [2, 2, 2])).not.toContain('NaN');
  });
});
