import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import { DEMO_CASES, tumourVolumeMm3 } from '../../../src/demo/cases.js';
import { clinicalTable } from '../../../src/demo/clinical.js';
import { demoStudy } from '../../../src/demo/imaging.js';
import { idealQuant, simulateReads } from '../../../src/demo/reads.js';
import { annotationGtf, demoTranscriptome, transcriptsFasta } from '../../../src/demo/transcriptome.js';
import { writeDemoCohort, type DemoCohort } from '../../../src/demo/write-demo-cohort.js';
import { readNifti } from '../../../src/domain/nifti/read.js';
import { convertStep } from '../../../src/steps/imaging/convert.js';
import { readCsv } from '../../support/csv.js';
import { runStep, temporaryFolder } from '../../support/run-step.js';

const byForm = (form: string) => DEMO_CASES.find((demo) => demo.form === form)!;

function writeStudy(form: string): string {
  const folder = temporaryFolder(`demo-${form}`);
  for (const { path, bytes } of demoStudy(byForm(form)).files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return folder;
}

describe('a study of the demo cohort', () => {
  it.each(['whole', 'sparse', 'cropped', 'two-segments'])(
    'with a %s segmentation is read back voxel for voxel as it was drawn',
    async (form) => {
      const { folder, summary } = await runStep(convertStep, {}, { study: [writeStudy(form)] });
      expect(summary.roiVoxels).toBe(demoStudy(byForm(form)).tumourVoxels);
      const mask = readNifti(gunzipSync(readFileSync(join(folder, 'seg.nii.gz'))), 'seg.nii.gz');
      const [dx, dy, dz] = mask.geometry.spacing;
      expect(Math.abs((summary.roiVoxels * dx * dy * dz) / tumourVolumeMm3(byForm(form)) - 1)).toBeLessThan(0.03);
    },
  );

  it('with contours is read back to within a few percent of the sphere', async () => {
    const { summary } = await runStep(convertStep, {}, { study: [writeStudy('contours')] });
    expect(Math.abs(summary.roiVoxels / demoStudy(byForm('contours')).tumourVoxels - 1)).toBeLessThan(0.03);
  });

  it('without a segmentation fails with SegNotFound, the demo’s one known failure', async () => {
    await expect(runStep(convertStep, {}, { study: [writeStudy('none')] })).rejects.toMatchObject({
      code: 'SegNotFound',
    });
  });

  it('is the same bytes each time', () => {
    const [first, second] = [demoStudy(DEMO_CASES[0]!), demoStudy(DEMO_CASES[0]!)];
    expect(first.files.length).toBe(31);
    first.files.forEach(({ bytes }, index) => expect(Buffer.compare(bytes, second.files[index]!.bytes)).toBe(0));
  });
});

describe('the reads of the demo cohort', () => {
  const transcripts = demoTranscriptome();
  const simulated = simulateReads(transcripts, 'S', 5, 500);

  it('come from the transcripts, either strand, with few errors', () => {
    const complement: Record<string, string> = { A: 'T', C: 'G', G: 'C', T: 'A' };
    const strands = new Set(
      transcripts.flatMap(({ sequence }) => [
        sequence,
        [...sequence]
          .reverse()
          .map((base) => complement[base])
          .join(''),
      ]),
    );
    const reads = simulated.fastq1.split('\n').filter((_, line) => line % 4 === 1);
    expect(reads.length).toBe(500);
    const exact = reads.filter((read) => [...strands].some((strand) => strand.includes(read)));
    expect(exact.length / reads.length).toBeGreaterThan(0.75);
    expect(exact.length).toBeLessThan(reads.length);
  });

  it('are counted: the fragments drawn are the pairs written', () => {
    expect(simulated.fragments.reduce((sum, count) => sum + count, 0)).toBe(500);
    expect(simulated.fastq2.trimEnd().split('\n').length).toBe(4 * 500);
  });

  it('have an ideal quantification whose TPM sum to a million', () => {
    const rows = idealQuant(transcripts, simulated.fragments).trimEnd().split('\n').slice(1);
    const tpm = rows.map((row) => Number(row.split('\t')[3]));
    expect(tpm.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1e6, 0);
  });

  it('have a transcriptome whose annotation names the gene of every transcript', () => {
    const ids = [...transcriptsFasta(transcripts).matchAll(/^>(\S+)$/gm)].map((match) => match[1]);
    const annotated = [...annotationGtf(transcripts).matchAll(/\ttranscript\t.*transcript_id "([^"]+)"/g)];
    expect(ids).toEqual(transcripts.map(({ id }) => id));
    expect(annotated.map((match) => match[1])).toEqual(ids);
  });
});

describe('the clinical table of the demo cohort', () => {
  it('has a row for every case and one that the rules will drop', () => {
    const lines = clinicalTable(DEMO_CASES).trimEnd().split('\n');
    expect(lines.length).toBe(1 + DEMO_CASES.length);
    expect(lines.filter((line) => line.split(',')[3] === 'Not Collected').length).toBe(1);
  });
});

describe('the demo cohort on disk', () => {
  let folder: string;
  let written: DemoCohort;
  beforeAll(async () => {
    folder = temporaryFolder('demo-cohort');
    written = await writeDemoCohort(folder, new LocalFiles());
  });

  it('has twelve cases, exactly one of which must fail', () => {
    expect(written.truth.length).toBe(12);
    expect(written.truth.filter((one) => one.expectedFailure !== undefined).map((one) => one.caseId)).toEqual([
      'DEMO-12',
    ]);
  });

  it('names files that exist, and has the lanes of one sample on two rows', async () => {
    const rows = readCsv(written.cohort);
    expect(new Set(rows.map((row) => row['case_id'])).size).toBe(12);
    expect(rows.length).toBe(13);
    const files = new LocalFiles();
    for (const name of rows.flatMap((row) => [row['imaging'], row['fastq_1'], row['fastq_2']])) {
      if (name !== '') expect(await files.stat(join(folder, name!)), name).toBeDefined();
    }
  });

  it('has its reads quantified already where that is asked for', async () => {
    const quantified = await writeDemoCohort(temporaryFolder('demo-quant'), new LocalFiles(), 'quant');
    const rows = readCsv(quantified.cohort);
    expect(Object.keys(rows[0]!)).toEqual(['case_id', 'imaging', 'quant']);
    expect(rows.filter((row) => row['quant'] !== '').length).toBe(11);
  });
});
