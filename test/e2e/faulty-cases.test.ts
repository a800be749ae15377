import { cpSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CohortResult } from '../../src/contracts/results.js';
import { simulateReads } from '../../src/demo/reads.js';
import { annotationGtf, demoTranscriptome, transcriptsFasta } from '../../src/demo/transcriptome.js';
import { LocalToolRunner } from '../../src/adapters/local/tool-runner.js';
import { readCsv } from '../support/csv.js';
import { temporaryFolder } from '../support/run-step.js';
import { SEGMENTATION, writeSmallCohort } from '../support/small-cohort.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { TestWorker } from '../support/worker-process.js';

const cli = await temporalCli();
const salmon = await new LocalToolRunner().find('salmon');
if (salmon === undefined) console.warn('skipped: salmon is not installed');

describe.skipIf(cli === undefined || salmon === undefined)('a cohort in which nearly everything is wrong', () => {
  const root = temporaryFolder('faults');
  const transcriptome = demoTranscriptome();
  let env: TestWorkflowEnvironment;
  let worker: TestWorker;

  /** Writes the reads of a case, the second file damaged as asked; returns the sheet's cells. */
  function writeReads(id: string, damage: (fastq2: string) => string = (fastq2) => fastq2): string {
    const { fastq1, fastq2 } = simulateReads(transcriptome, id, 11, 3_000);
    writeFileSync(join(root, `${id}_1.fastq.gz`), gzipSync(fastq1));
    writeFileSync(join(root, `${id}_2.fastq.gz`), gzipSync(damage(fastq2)));
    return `${id}_1.fastq.gz,${id}_2.fastq.gz`;
  }

  beforeAll(async () => {
    const { cases } = writeSmallCohort(root, 5);
    const study = (id: string): string => join(root, 'dicom', id);
    const [good = '', noDicom = '', truncated = '', foreign = '', unsegmented = ''] = cases;

    for (const name of readdirSync(study(noDicom))) rmSync(join(study(noDicom), name));
    writeFileSync(join(study(noDicom), 'readme.txt'), 'moved elsewhere');

    const slice = readdirSync(study(truncated)).find((name) => name !== SEGMENTATION)!;
    truncateSync(join(study(truncated), slice), 900);

    cpSync(join(study(good), SEGMENTATION), join(study(foreign), SEGMENTATION));
    rmSync(join(study(unsegmented), SEGMENTATION));

    writeFileSync(join(root, 'transcripts.fa'), transcriptsFasta(transcriptome));
    writeFileSync(join(root, 'annotation.gtf'), annotationGtf(transcriptome));
    const rows = [
      `${good},dicom/${good},${writeReads(good)}`,
      `${noDicom},dicom/${noDicom},${writeReads(noDicom, (reads) => reads.split('\n').slice(4).join('\n'))}`,
      `${truncated},dicom/${truncated},${writeReads(truncated, (reads) => reads.slice(0, reads.length / 2))}`,
      `${foreign},dicom/${foreign},,`,
      `${unsegmented},dicom/${unsegmented},,`,
    ];
    writeFileSync(join(root, 'cohort.csv'), ['case_id,imaging,fastq_1,fastq_2', ...rows, ''].join('\n'));
    mkdirSync(join(root, 'tables'));
    writeFileSync(join(root, 'tables', 'no-id.csv'), 'age,smoking\n50,never\n60,former\n');

    env = await realTime(cli!);
    worker = await TestWorker.start(env.address, root);
  });

  afterAll(async () => {
    await worker?.end('SIGTERM');
    await env?.teardown();
    rmSync(root, { recursive: true, force: true });
  });

  async function run(type: string, input: Readonly<Record<string, unknown>>): Promise<CohortResult> {
    const workflowId = `faults-${type}-${Object.keys(input).length}`;
    return (await env.client.workflow.execute(type, {
      workflowId,
      taskQueue: 'cohortflow',
      args: [input],
    })) as CohortResult;
  }

  it('ends each case with its own code, hangs on nothing and does the rest', async () => {
    const output = join(root, 'out');
    const result = await run('multimodalCohort', {
      cohort: join(root, 'cohort.csv'),
      clinical: join(root, 'tables', 'no-id.csv'),
      transcripts: join(root, 'transcripts.fa'),
      annotation: join(root, 'annotation.gtf'),
      output,
    });
    expect(result.imaging).toEqual({ total: 5, done: 1, reused: 0, failed: 4, cancelled: 0 });
    expect(result.genomics).toEqual({ total: 3, done: 1, reused: 0, failed: 2, cancelled: 0 });
    expect(result.clinical).toMatchObject({ outcome: 'failed', code: 'ClinicalIdColumnMissing' });
    const failed = readCsv(join(output, 'run', 'outcomes.csv')).filter((row) => row['outcome'] === 'failed');
    const codes = failed.map((row) => `${row['case_id']} ${row['step']} ${row['code']}`);
    expect(codes.sort()).toEqual(
      [
        ' clinical.features ClinicalIdColumnMissing',
        'C-02 genomics.quantify UnpairedReads',
        'C-02 imaging.convert NoDicom',
        'C-03 genomics.quantify DamagedReads',
        'C-03 imaging.convert TruncatedPixelData',
        'C-04 imaging.convert SegReferencesOtherSeries',
        'C-05 imaging.convert SegNotFound',
      ].sort(),
    );
    for (const row of failed) {
      expect(row['message']!.length).toBeGreaterThan(20);
      expect(row['message']).not.toMatch(/\b\d+\.\d+\.\d+\.\d+\.\d+/);
    }
    const rows = readCsv(join(output, 'dataset.csv'));
    expect(rows.map((row) => row['case_id'])).toEqual(['C-01', 'C-02', 'C-03', 'C-04', 'C-05']);
  }, 180_000);

  it('refuses a sheet with faults before any work, all of them at once with their rows', async () => {
    writeFileSync(
      join(root, 'faulty.csv'),
      [
        'case_id,imaging,fastq_1,fastq_2',
        ',dicom/C-01,,',
        'A/B,dicom/C-01,,',
        'GONE,dicom/none,,',
        'MATE,,,C-01_2.fastq.gz',
        'C-01,dicom/C-01,,',
        'c-01,dicom/C-05,,',
        '',
      ].join('\n'),
    );
    const output = join(root, 'refused');
    const running = run('imagingCohort', { cohort: join(root, 'faulty.csv'), output });
    const error: { cause?: { type?: string; message: string } } = await running.then(
      () => ({}),
      (thrown: object) => thrown,
    );
    expect(error.cause?.type).toBe('InvalidSheet');
    for (const row of [2, 3, 4, 5]) expect(error.cause?.message).toContain(`row ${row}`);
    expect(() => readdirSync(output)).toThrow(/ENOENT/);
  });

  it('refuses a radiomics file with an unknown key, a missing table, a relative path', async () => {
    const cohort = join(root, 'cohort.csv');
    const output = join(root, 'refused');
    writeFileSync(join(root, 'radiomics.yaml'), 'setting:\n  binWidht: 25\n');
    const refused = (type: string, input: Readonly<Record<string, unknown>>) => expect(run(type, input)).rejects;
    await refused('imagingCohort', { cohort, output, radiomics: join(root, 'radiomics.yaml') }).toMatchObject({
      cause: { message: expect.stringContaining('binWidht') as string },
    });
    await refused('clinicalFeatures', { clinical: join(root, 'none.csv'), output }).toMatchObject({
      cause: { type: 'FileNotFound', message: expect.stringContaining('clinical') as string },
    });
    await refused('genomicsCohort', { cohort: 'cohort.csv', output }).toMatchObject({
      cause: { type: 'InvalidInput', message: expect.stringContaining('cohort must be an absolute path') as string },
    });
    await refused('genomicsCohort', { cohort, output, threads: 1 }).toMatchObject({
      cause: { type: 'InvalidInput', message: expect.stringContaining('transcripts or index is needed') as string },
    });
  });
});
