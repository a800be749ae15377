import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseQuant } from '../../src/domain/genomics/index.js';
import { annotateStep } from '../../src/steps/genomics/annotate.js';
import { indexStep } from '../../src/steps/genomics/index-transcripts.js';
import { quantifyStep, type QuantifySummary } from '../../src/steps/genomics/quantify.js';
import { readCsv } from '../support/csv.js';
import { runStep, temporaryFolder, type StepRun } from '../support/run-step.js';
import { sharedData } from '../support/shared-data.js';
import { relativeError, spearman } from '../support/statistics.js';

const hasSalmon = spawnSync('salmon', ['--version']).status === 0;
if (!hasSalmon) console.warn('skipped: salmon is not installed');
const hasSra = spawnSync('fastq-dump', ['--version']).status === 0;
if (!hasSra) console.warn('skipped: fastq-dump is not installed');
const data = (name: string): string => sharedData(`genomics/${name}`)!;

describe.skipIf(!hasSalmon || sharedData('genomics/transcripts.fa') === undefined)('reads to genes with Salmon', () => {
  let index: string;
  let annotation: string;

  beforeAll(async () => {
    const built = await runStep(indexStep, {}, { transcripts: [data('transcripts.fa')] });
    expect(built.summary).toEqual({ transcripts: 2067, gencode: true });
    index = join(built.folder, 'salmon-index');
    const read = await runStep(annotateStep, {}, { annotation: [data('annotation.gtf')] });
    annotation = join(read.folder, 'tx2gene.tsv');
  });

  const quantify = (strandedness: string, ...lanes: string[]): Promise<StepRun<QuantifySummary>> =>
    runStep(
      quantifyStep,
      { strandedness },
      {
        index: [index],
        annotation: [annotation],
        fastq1: lanes.map((lane) => data(`${lane}_1.fastq.gz`)),
        fastq2: lanes.map((lane) => data(`${lane}_2.fastq.gz`)),
      },
    );

  it.each([
    ['R01-001', 'unstranded', 'IU', ['R01-001']],
    ['R01-002', 'forward', 'ISF', ['R01-002']],
    ['R01-003', 'auto', 'ISR', ['R01-003']],
    ['R01-006', 'auto', 'IU', ['R01-006_L001', 'R01-006_L002']],
  ])('quantifies %s (%s) close to the truth, as the sums of its transcripts', async (id, strandedness, type, lanes) => {
    const { folder, summary } = await quantify(strandedness, ...lanes);
    expect(summary.libraryType).toBe(type);
    expect(summary.mappedPercent).toBeGreaterThan(95);
    expect(summary.warnings).toEqual([]);
    const genes = new Map(
      parseQuant(readFileSync(join(folder, 'quant.genes.sf'), 'utf8'), 'genes').map((row) => [row.name, row]),
    );
    const geneOf = new Map(
      readFileSync(annotation, 'utf8')
        .split('\n')
        .map((line) => line.split('\t') as [string, string]),
    );
    const sums = new Map<string, number>();
    for (const row of parseQuant(readFileSync(join(folder, 'quant.sf'), 'utf8'), 'quant')) {
      const gene = geneOf.get(row.name)!;
      sums.set(gene, (sums.get(gene) ?? 0) + row.tpm);
    }
    expect(genes.size).toBe(600);
    for (const [gene, tpm] of sums) expect(relativeError(genes.get(gene)!.tpm, tpm, 1e-3)).toBeLessThan(1e-6);
    const truth = readCsv(data('truth.csv')).find((row) => row['case_id'] === id)!;
    const names = [...genes.keys()];
    expect(
      spearman(
        names.map((name) => genes.get(name)!.tpm),
        names.map((name) => Number(truth[name])),
      ),
    ).toBeGreaterThan(0.97);
  });

  it('gives the gene table that salmon quant -g gives for the same transcripts', async () => {
    const by = temporaryFolder('salmon-g');
    const args = ['quant', '-i', index, '-l', 'A', '-1', data('R01-008_1.fastq.gz'), '-2', data('R01-008_2.fastq.gz')];
    execFileSync('salmon', [...args, '-p', '1', '-g', data('annotation.gtf'), '-o', by], { stdio: 'ignore' });
    const { folder } = await runStep(quantifyStep, {}, { quant: [join(by, 'quant.sf')], annotation: [annotation] });
    const ours = parseQuant(readFileSync(join(folder, 'quant.genes.sf'), 'utf8'), 'ours');
    const theirs = parseQuant(readFileSync(join(by, 'quant.genes.sf'), 'utf8'), 'theirs');
    const byName = new Map(theirs.map((row) => [row.name, row]));
    expect(ours.map((row) => row.name).sort()).toEqual(theirs.map((row) => row.name).sort());
    for (const row of ours) {
      // Salmon prints six digits.
      for (const key of ['length', 'effectiveLength', 'tpm', 'reads'] as const) {
        expect(relativeError(row[key], byName.get(row.name)![key], 1e-3), `${row.name} ${key}`).toBeLessThan(1e-5);
      }
    }
  });

  it('says how it went as DRAGEN’s own metrics would', async () => {
    const { folder } = await quantify('unstranded', 'R01-001');
    const account = JSON.parse(readFileSync(join(folder, 'quant.json'), 'utf8')) as Record<string, unknown>;
    expect(account).toMatchObject({ source: 'reads', reads: 60_000, fragments: 30_000, program: 'Salmon' });
    expect(account).toMatchObject({ duplicatePercent: null, properlyPairedPercent: null, instanceType: null });
    expect(account['version']).toMatch(/^\d+\.\d+/);
    expect(account['index']).toMatch(/^[0-9a-f]{16}$/);
    expect(Number(account['quantifiedFragments']) / 30_000).toBeCloseTo(Number(account['mappedPercent']) / 100, 3);
    const found = parseQuant(readFileSync(join(folder, 'quant.sf'), 'utf8'), 'quant').filter(({ reads }) => reads > 0);
    expect(account['quantifiedTranscripts']).toBe(found.length);
  });

  it('says that the declared strandedness may be wrong when nothing maps under it', async () => {
    await expect(quantify('reverse', 'R01-002')).rejects.toMatchObject({
      code: 'NoReadsMapped',
      message: expect.stringContaining('declared reverse') as unknown,
    });
  });

  it('refuses mates of different number, naming both files', async () => {
    const short = join(temporaryFolder('short'), 'cut_2.fastq.gz');
    const text = gunzipSync(readFileSync(data('R01-001_2.fastq.gz'))).toString();
    writeFileSync(short, gzipSync(text.split('\n').slice(0, 4000).join('\n') + '\n'));
    const inputs = { index: [index], annotation: [annotation], fastq1: [data('R01-001_1.fastq.gz')], fastq2: [short] };
    await expect(runStep(quantifyStep, {}, inputs)).rejects.toMatchObject({
      code: 'UnpairedReads',
      message: 'R01-001_1.fastq.gz has 30000 reads, cut_2.fastq.gz has 1000',
    });
  });

  it('takes reads whatever their files are called, gzipped or not', async () => {
    const folder = temporaryFolder('names');
    writeFileSync(join(folder, 'first'), readFileSync(data('R01-001_1.fastq.gz')));
    writeFileSync(join(folder, 'second.txt'), gunzipSync(readFileSync(data('R01-001_2.fastq.gz'))));
    const inputs = { fastq1: [join(folder, 'first')], fastq2: [join(folder, 'second.txt')] };
    const { summary } = await runStep(quantifyStep, {}, { index: [index], annotation: [annotation], ...inputs });
    expect(summary.fragments).toBe(30_000);
    expect(summary.mappedPercent).toBeGreaterThan(95);
  });

  it('says what Salmon found wrong with an index, and that an annotation is wanted before anything is mapped', async () => {
    const reads = { fastq1: [data('R01-001_1.fastq.gz')], fastq2: [data('R01-001_2.fastq.gz')] };
    const noIndex = { index: [temporaryFolder('no-index')], annotation: [annotation], ...reads };
    await expect(runStep(quantifyStep, {}, noIndex)).rejects.toMatchObject({
      code: 'QuantificationFailed',
      message: expect.stringMatching(/versionInfo\.json doesn't seem to exist/) as unknown,
    });
    await expect(runStep(quantifyStep, {}, { index: ['/no/such/index'], ...reads })).rejects.toMatchObject({
      code: 'InvalidInput',
    });
  });

  it('refuses a gzip file that is cut off, which Salmon would take for the whole', async () => {
    const cut = join(temporaryFolder('cut'), 'cut_1.fastq.gz');
    const bytes = readFileSync(data('R01-001_1.fastq.gz'));
    writeFileSync(cut, bytes.subarray(0, bytes.length - 5000));
    const inputs = { index: [index], annotation: [annotation], fastq1: [cut], fastq2: [data('R01-001_2.fastq.gz')] };
    await expect(runStep(quantifyStep, {}, inputs)).rejects.toMatchObject({ code: 'DamagedReads' });
  });

  it.skipIf(!hasSra)(
    'fails with a code when no read of an SRA archive maps, whatever table Salmon leaves',
    async () => {
      const inputs = { index: [index], annotation: [annotation], sra: [data('SRR139146.sra')] };
      await expect(runStep(quantifyStep, {}, inputs)).rejects.toMatchObject({ code: 'NoReadsMapped' });
    },
  );
});
