import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { S3Files } from '../../src/adapters/aws/s3-files.js';
import { workflowInput } from '../../src/cli/commands/run.js';
import { createProgram } from '../../src/cli/main.js';
import { finishedRun } from '../support/finished-run.js';
import { hasS3Server, startS3Server, type S3Server } from '../support/s3-server.js';

const TABLE = 'Case_ID,Weight\nA,1.5\nB,2\n';
const SPEC = 'version: 1\nid: Case_ID\n';

/** Options that name files may name them in S3, each of them. */
describe.skipIf(!hasS3Server())('files in S3 that options name', () => {
  let server: S3Server;
  let place: string;
  let printed = '';
  const files = new S3Files({});

  beforeAll(async () => {
    server = await startS3Server();
  }, 120_000);

  beforeEach(() => {
    place = server.place();
    printed = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  });

  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = undefined;
  });

  afterAll(async () => {
    await server?.stop();
  });

  async function cohortflow(...args: readonly string[]): Promise<Record<string, unknown>> {
    await createProgram().parseAsync(['node', 'cohortflow', ...args, '--json']);
    return JSON.parse(printed) as Record<string, unknown>;
  }

  async function put(name: string, text: string): Promise<string> {
    await files.write(`${place}/${name}`, text);
    return `${place}/${name}`;
  }

  it('run --genes and --clinical-spec', async () => {
    const genes = await put('genes.txt', 'ENSG1\r\n\n ENSG2\n');
    const clinicalSpec = await put('spec.yaml', SPEC);
    const given = { output: '/o', clinical: `${place}/t.csv`, worker: true, failOn: 'any' } as const;
    const input = await workflowInput({ ...given, genes, clinicalSpec });
    expect(input.genes).toEqual(['ENSG1', 'ENSG2']);
    expect(input.clinicalSpec).toEqual({ version: 1, id: 'Case_ID' });
    expect((await workflowInput({ ...given, genes: 7 })).genes).toBe(7);
    const missing = workflowInput({ ...given, genes: `${place}/none.txt` });
    await expect(missing).rejects.toMatchObject({ code: 'FileNotFound' });
  });

  it('plan --sizes and --output', async () => {
    const sizes = await put('sizes.csv', 'modality,bytes\nimaging,100000000\nimaging,200000000\n');
    const output = `${place}/planned`;
    expect(await cohortflow('plan', '--sizes', sizes, '--output', output)).toMatchObject({
      sizes: { imaging: { count: 2, bytes: 300_000_000 } },
    });
    const kept = JSON.parse(await files.readText(`${output}/run/plan.json`)) as { estimates: unknown };
    expect(kept.estimates).toContainEqual(expect.objectContaining({ executor: 'sagemaker', units: 2 }));
  });

  it('validate --clinical, --clinical-spec and --radiomics', async () => {
    const clinical = await put('clinical.csv', TABLE);
    const spec = await put('spec.yaml', SPEC);
    const folder = mkdtempSync(join(tmpdir(), 'cohortflow-options-'));
    const [here, specHere] = [join(folder, 'clinical.csv'), join(folder, 'spec.yaml')];
    writeFileSync(here, TABLE);
    writeFileSync(specHere, SPEC);
    const radiomics = await put('settings.yaml', 'imageType:\n  Original: {}\n');
    const found = await cohortflow(
      'validate',
      '--clinical',
      clinical,
      '--clinical-spec',
      spec,
      '--radiomics',
      radiomics,
    );
    printed = '';
    const local = await cohortflow('validate', '--clinical', here, '--clinical-spec', specHere);
    expect(found['clinical']).toEqual(local['clinical']);
    expect(found).toMatchObject({ radiomics: { valid: true, imageTypes: ['Original'] } });
  });

  it('dataset --to', async () => {
    const output = await finishedRun({ cases: [{ caseId: 'A' }, { caseId: 'B' }], clinical: TABLE });
    const to = `${place}/tables/dataset.csv`;
    expect(await cohortflow('dataset', '--output', output, '--to', to)).toMatchObject({ dataset: to, rows: 2 });
    expect(await files.readText(to)).toBe(readFileSync(join(output, 'dataset.csv'), 'utf8'));
  }, 60_000);
});
