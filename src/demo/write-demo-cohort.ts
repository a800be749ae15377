import { csvText } from '../domain/csv/index.js';
import type { Files } from '../ports/files.js';
import { DEMO_CASES, tumourVolumeMm3, type DemoCase, type SegmentationForm } from './cases.js';
import { clinicalTable } from './clinical.js';
import { demoStudy } from './imaging.js';
import { idealQuant, simulateReads, type SimulatedReads } from './reads.js';
import { annotationGtf, demoTranscriptome, transcriptsFasta, type Transcript } from './transcriptome.js';

/** Read pairs of a sample: few, since the transcriptome is small. */
const PAIRS = 6_000;

/** What is known about a case before anything is measured. */
export interface DemoTruth {
  readonly caseId: string;
  readonly segmentation: SegmentationForm;
  /** Volume of the tumour as it was drawn (an ellipsoid), mm³. */
  readonly tumourVolumeMm3: number;
  /** Voxels whose centres lie in it. */
  readonly tumourVoxels: number;
  /** Fragments drawn from each gene; absent for the case without reads. */
  readonly geneFragments?: Readonly<Record<string, number>>;
  /** The failure that this case must end with; absent for cases that must succeed. */
  readonly expectedFailure?: 'SegNotFound';
}

/** Where the cohort was written (absolute paths) and its truth, case by case in the sheet's order. */
export interface DemoCohort {
  readonly cohort: string;
  readonly clinical: string;
  readonly transcripts: string;
  readonly annotation: string;
  readonly truth: readonly DemoTruth[];
}

/** How the cohort's reads are given: as they come from a sequencer, or quantified already (where Salmon is missing). */
export type DemoReads = 'fastq' | 'quant';

const COLUMNS = ['case_id', 'imaging', 'fastq_1', 'fastq_2', 'strandedness', 'quant'] as const;
type SheetRow = Partial<Record<(typeof COLUMNS)[number], string>>;

function linesOf(fastq: string, lane: number, lanes: number): Uint8Array {
  const lines = fastq.split('\n');
  const records = Math.floor(lines.length / 4);
  const [from, to] = [Math.floor((records * lane) / lanes), Math.floor((records * (lane + 1)) / lanes)];
  return new TextEncoder().encode(`${lines.slice(4 * from, 4 * to).join('\n')}\n`);
}

function geneFragments(transcripts: readonly Transcript[], { fragments }: SimulatedReads): Record<string, number> {
  const sums: Record<string, number> = {};
  transcripts.forEach(({ geneId }, index) => (sums[geneId] = (sums[geneId] ?? 0) + (fragments[index] ?? 0)));
  return sums;
}

/** Writes the reads of a case and returns what its rows of the sheet say about them: one row per lane. */
async function writeReads(
  folder: string,
  files: Files,
  demo: DemoCase,
  transcripts: readonly Transcript[],
  simulated: SimulatedReads,
  reads: DemoReads,
): Promise<SheetRow[]> {
  if (reads === 'quant') {
    const quant = `quant/${demo.caseId}/quant.sf`;
    await files.write(`${folder}/${quant}`, idealQuant(transcripts, simulated.fragments));
    return [{ quant }];
  }
  const lanes = Array.from({ length: demo.lanes }, async (_, lane): Promise<SheetRow> => {
    const name = demo.lanes === 1 ? demo.caseId : `${demo.caseId}_L00${lane + 1}`;
    const [fastq_1, fastq_2] = [`reads/${name}_1.fastq.gz`, `reads/${name}_2.fastq.gz`];
    await files.writeGzip(`${folder}/${fastq_1}`, linesOf(simulated.fastq1, lane, demo.lanes));
    await files.writeGzip(`${folder}/${fastq_2}`, linesOf(simulated.fastq2, lane, demo.lanes));
    return { fastq_1, fastq_2, strandedness: 'auto' };
  });
  return Promise.all(lanes);
}

async function writeCase(
  folder: string,
  files: Files,
  demo: DemoCase,
  transcripts: readonly Transcript[],
  reads: DemoReads,
): Promise<{ readonly rows: readonly SheetRow[]; readonly truth: DemoTruth }> {
  const { caseId, form } = demo;
  const study = demoStudy(demo);
  const imaging = `dicom/${caseId}`;
  for (const { path, bytes } of study.files) await files.write(`${folder}/${imaging}/${path}`, bytes);
  const simulated = demo.lanes === 0 ? undefined : simulateReads(transcripts, caseId, demo.seed, PAIRS);
  const lanes = simulated === undefined ? [{}] : await writeReads(folder, files, demo, transcripts, simulated, reads);
  return {
    rows: lanes.map((lane, index) => ({ case_id: caseId, ...(index === 0 ? { imaging } : {}), ...lane })),
    truth: {
      ...{ caseId, segmentation: form, tumourVolumeMm3: tumourVolumeMm3(demo), tumourVoxels: study.tumourVoxels },
      ...(simulated === undefined ? {} : { geneFragments: geneFragments(transcripts, simulated) }),
      ...(form === 'none' ? { expectedFailure: 'SegNotFound' as const } : {}),
    },
  };
}

/**
 * Writes the demo cohort: twelve phantoms as DICOM, reads, a transcriptome, a clinical table and the sheet. The same
 * bytes each time, so a second run of the demo finds its inputs unchanged.
 *
 * @param folder absolute; files of an earlier time are overwritten
 */
export async function writeDemoCohort(folder: string, files: Files, reads: DemoReads = 'fastq'): Promise<DemoCohort> {
  const transcripts = demoTranscriptome();
  const paths = {
    cohort: `${folder}/cohort.csv`,
    clinical: `${folder}/clinical.csv`,
    transcripts: `${folder}/transcripts.fa`,
    annotation: `${folder}/annotation.gtf`,
  };
  await files.write(paths.transcripts, transcriptsFasta(transcripts));
  await files.write(paths.annotation, annotationGtf(transcripts));
  await files.write(paths.clinical, clinicalTable(DEMO_CASES));
  const made: Awaited<ReturnType<typeof writeCase>>[] = [];
  for (const demo of DEMO_CASES) made.push(await writeCase(folder, files, demo, transcripts, reads));
  const rows = made.flatMap((one) => one.rows);
  const columns = COLUMNS.filter((name) => rows.some((row) => row[name] !== undefined));
  const sheet = csvText(
    columns,
    rows.map((row) => columns.map((name) => row[name] ?? '')),
  );
  // Last: a sheet that exists names files that exist.
  await files.write(paths.cohort, sheet);
  return { ...paths, truth: made.map(({ truth }) => truth) };
}
