import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNifti } from '../../src/domain/nifti/read.js';
import { cliJson, type CliResult } from '../support/cli.js';
import { readCsv } from '../support/csv.js';
import { sharedData } from '../support/shared-data.js';
import { relativeError, spearman } from '../support/statistics.js';

const CLINICAL = 'clinical/NSCLCR01Radiogenomic_DATA_LABELS_2018-05-22_1500-shifted.csv';
const STUDIES: Readonly<Record<string, string>> = {
  'R01-001': 'STS_002',
  'R01-002': 'STS_003',
  'R01-003': 'STS_008',
  'R01-004': 'STS_012',
  'R01-005': 'STS_019',
  'R01-006': 'STS_025',
  'R01-007': 'STS_042',
};
const SEQUENCED = ['R01-001', 'R01-002', 'R01-003', 'R01-006', 'R01-008', 'R01-009'];
const CASES = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `R01-00${n}`);

const sheet = sharedData('cohort.csv');

function json(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

function volume(path: string): ReturnType<typeof readNifti> {
  return readNifti(gunzipSync(readFileSync(path)), path);
}

function data(relative: string): string {
  const path = sharedData(relative);
  if (path === undefined) throw new Error(`the shared data has no ${relative}`);
  return path;
}

describe.skipIf(sheet === undefined)('the real cohort, from the command line to the report', () => {
  const root = mkdtempSync(join(tmpdir(), 'cohortflow-real-'));
  const output = join(root, 'out');
  const run = (): Promise<CliResult & { document: Record<string, unknown> }> =>
    cliJson(
      [
        'run',
        ...['--cohort', data('cohort.csv'), '--clinical', data(CLINICAL)],
        ...['--clinical-spec', 'nsclc-radiogenomics-notebook'],
        ...['--transcripts', data('genomics/transcripts.fa'), '--annotation', data('genomics/annotation.gtf')],
        ...['--output', output],
      ],
      { COHORTFLOW_STATE: join(root, 'state') },
    );
  let first: Awaited<ReturnType<typeof run>>;

  beforeAll(async () => {
    first = await run();
  }, 600_000);

  afterAll(() => {
    execFileSync(process.execPath, ['bin/cohortflow.js', 'server', 'stop'], {
      env: { ...process.env, COHORTFLOW_STATE: join(root, 'state') },
    });
    rmSync(root, { recursive: true, force: true });
  });

  it('ends with exit code 0 and says where everything is', () => {
    expect(first.stderr).not.toMatch(/\b1\.\d+\.\d+\.\d+\.\d+/);
    expect(first.exitCode).toBe(0);
  });

  it.each(Object.entries(STUDIES))(
    'case %s: volume, mask and the 107 features agree with the references of %s',
    (id, subject) => {
      const folder = join(output, 'imaging', id);
      const geometry = json(join(folder, 'geometry.json'));
      const expected = json(data(`reference/${subject}.geometry.json`));
      const volumeOfCase = volume(join(folder, 'ct.nii.gz'));
      expect([...volumeOfCase.geometry.size]).toEqual(expected['shape_xyz']);
      for (const key of ['hu_min', 'hu_max', 'hu_sum', 'mask_voxels', 'hu_sum_in_mask']) {
        expect(geometry[key], key).toBe(expected[key]);
      }
      const centroid = geometry['mask_centroid_ras_mm'] as number[];
      (expected['mask_centroid_ras_mm'] as number[]).forEach((value, axis) =>
        expect(centroid[axis]).toBeCloseTo(value, 2),
      );

      const mask = volume(join(folder, 'seg.nii.gz'));
      const truth = volume(data(`reference/${subject}.mask.nii.gz`));
      expect(differingVoxels(mask, truth)).toBe(0);

      const features = json(join(folder, 'features.json'));
      const reference = json(data(`reference/${subject}.radiomics.json`))['features'] as Record<string, number>;
      expect(Object.keys(features).sort()).toEqual(Object.keys(reference).sort());
      for (const [name, value] of Object.entries(reference)) {
        expect(relativeError(features[name] as number, value), name).toBeLessThan(1e-6);
      }
      for (const picture of ['overlay-ortho.png', 'overlay-z.png'])
        expect(existsSync(join(folder, picture))).toBe(true);
    },
  );

  it('sums Salmon’s transcripts by gene, close to the truth the reads were simulated from', () => {
    const measured = readCsv(join(output, 'genomics', 'expression-tpm.csv'));
    const truth = new Map(readCsv(data('genomics/truth.csv')).map((row) => [row['case_id'], row]));
    expect(measured.map((row) => row['case_id'])).toEqual(SEQUENCED);
    for (const row of measured) {
      const expected = truth.get(row['case_id'])!;
      const genes = Object.keys(expected).filter((name) => name !== 'case_id');
      const correlation = spearman(
        genes.map((gene) => Number(row[gene])),
        genes.map((gene) => Number(expected[gene])),
      );
      expect(correlation, row['case_id']).toBeGreaterThan(0.97);
    }
  });

  it('gives the notebook’s clinical features, name by name and value by value', () => {
    const found = readCsv(join(output, 'clinical', 'features.csv'));
    const expected = readCsv(data('clinical/expected-notebook-features.csv'));
    const names = Object.keys(expected[0]!);
    expect(Object.keys(found[0]!).filter((name) => names.includes(name))).toEqual(names);
    expect(found.length).toBe(147);
    found.forEach((row, index) => {
      for (const name of names) {
        const wanted = expected[index]![name]!;
        if (Number.isNaN(Number(wanted))) expect(row[name]).toBe(wanted);
        else expect(Number(row[name]), name).toBe(Number(wanted));
      }
    });
    expect(readCsv(join(output, 'clinical', 'dropped.csv')).length).toBe(211 - 147);
  });

  it('joins exactly the sheet’s nine cases, keeping the ones that the clinical rules drop', () => {
    const rows = readCsv(join(output, 'dataset.csv'));
    expect(rows.map((row) => row['case_id'])).toEqual(CASES);
    const outcomes = readCsv(join(output, 'run', 'outcomes.csv'));
    const keys = outcomes.map((row) =>
      [row['case_id'], row['modality'], row['study_or_sample'], row['step']].join('|'),
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect(readFileSync(join(output, 'report.html'), 'utf8')).toContain('R01-007');
  });

  it('does nothing twice: a second run reuses every step and duplicates no row', async () => {
    const before = readFileSync(join(output, 'dataset.csv'), 'utf8');
    const second = await run();
    expect(second.exitCode).toBe(0);
    expect(readFileSync(join(output, 'dataset.csv'), 'utf8')).toBe(before);
    const outcomes = readCsv(join(output, 'run', 'outcomes.csv'));
    const steps = outcomes.filter((row) =>
      /^(imaging|genomics)\.(convert|radiomics|overlay|quantify)$/.test(row['step']!),
    );
    expect(steps.length).toBe(7 * 3 + 6);
    expect([...new Set(steps.map((row) => row['outcome']))]).toEqual(['reused']);
  }, 300_000);
});

/** Voxels of `truth` that `mask` lacks or adds, compared in the patient (the two files may store axes differently). */
function differingVoxels(mask: ReturnType<typeof readNifti>, truth: ReturnType<typeof readNifti>): number {
  const [nx, ny, nz] = truth.geometry.size;
  const [mx, my] = mask.geometry.size;
  let different = 0;
  let inTruth = 0;
  for (let k = 0; k < nz; k += 1) {
    for (let j = 0; j < ny; j += 1) {
      for (let i = 0; i < nx; i += 1) {
        const expected = truth.data[i + nx * (j + ny * k)]! > 0;
        if (!expected) continue;
        inTruth += 1;
        const [a, b, c] = indexOf(mask.geometry, pointOf(truth.geometry, [i, j, k]));
        if (!(mask.data[a + mx * (b + my * c)]! > 0)) different += 1;
      }
    }
  }
  let inMask = 0;
  for (const value of mask.data) if (value > 0) inMask += 1;
  return different + Math.abs(inMask - inTruth);
}

type Grid = ReturnType<typeof readNifti>['geometry'];

function pointOf(grid: Grid, index: readonly [number, number, number]): number[] {
  return [0, 1, 2].map(
    (axis) =>
      grid.origin[axis]! +
      [0, 1, 2].reduce((sum, n) => sum + index[n]! * grid.spacing[n]! * grid.directions[n]![axis]!, 0),
  );
}

function indexOf(grid: Grid, point: readonly number[]): [number, number, number] {
  const along = (n: number): number =>
    Math.round(
      [0, 1, 2].reduce((sum, axis) => sum + (point[axis]! - grid.origin[axis]!) * grid.directions[n]![axis]!, 0) /
        grid.spacing[n]!,
    );
  return [along(0), along(1), along(2)];
}
