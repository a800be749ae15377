import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/steps/step.js';
import { clinicalStep } from '../../../../src/steps/clinical/features.js';
import { runStep, temporaryFolder } from '../../../support/run-step.js';

const TABLE = 'examples/clinical.csv';
const SPEC = parse(readFileSync('examples/clinical-spec.yaml', 'utf8')) as JsonObject;

const text = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8');
const json = (folder: string, name: string): Record<string, unknown> =>
  JSON.parse(text(folder, name)) as Record<string, unknown>;

describe('clinical.features', () => {
  it('writes the features and everything that explains them (golden output of version 2)', async () => {
    const { summary, outputs, folder } = await runStep(clinicalStep, { spec: SPEC }, { table: [TABLE] });
    expect(clinicalStep.version).toBe(2);
    expect(outputs).toEqual(['bias-report.json', 'dropped.csv', 'encoding.json', 'features.csv', 'leakage.json']);
    expect(summary).toEqual({ rows: 4, columns: 12, dropped: 2, spec: 'my-cohort', warnings: [] });
    expect(text(folder, 'features.csv').split('\n')).toEqual([
      'Sex_Female,Sex_Male,Stage_T1,Stage_T2,Stage_T3,Smoking_Current,Smoking_Former,Smoking_Never,Case_ID,Age,Weightkg,Vitalstatus',
      '1,0,1,0,0,0,1,0,CASE-001,61,70.5,0',
      '0,1,0,1,0,1,0,0,CASE-002,74,75.25,1',
      '0,1,0,1,0,0,0,1,CASE-003,58,91.0,0',
      '1,0,0,0,0,0,1,0,CASE-004,69,64.0,1',
      '',
    ]);
    expect(text(folder, 'dropped.csv').split('\n')).toEqual([
      'case_id,row,reason',
      'CASE-005,6,Vital status (the target) is missing',
      'TEST-001,7,a test record',
      '',
    ]);
    expect(json(folder, 'leakage.json')).toMatchObject({ target: 'Vital status', rows: 4 });
    expect(json(folder, 'bias-report.json')).toMatchObject({ rows: 4, groupBy: 'Stage' });
    expect(json(folder, 'encoding.json')).toMatchObject({ version: 1, spec: 'my-cohort' });
  });

  it('gives equal bytes for equal inputs', async () => {
    const [a, b] = [
      await runStep(clinicalStep, { spec: SPEC }, { table: [TABLE] }),
      await runStep(clinicalStep, { spec: SPEC }, { table: [TABLE] }),
    ];
    for (const name of a.outputs) expect(text(b.folder, name)).toBe(text(a.folder, name));
  });

  it('chooses by the columns when no specification is given', async () => {
    const { summary, folder } = await runStep(clinicalStep, {}, { table: [TABLE] });
    expect(summary.spec).toBe('inferred');
    expect(text(folder, 'features.csv').split('\n')[0]).toContain('Case_ID,Age,Timetodeathdays');
    expect(json(folder, 'leakage.json')['target']).toBeNull();
  });

  it('says what the id column is called where a specification gives it a name', async () => {
    const { summary, folder } = await runStep(clinicalStep, { spec: { ...SPEC, idName: 'pid' } }, { table: [TABLE] });
    expect(summary.idColumn).toBe('pid');
    expect(text(folder, 'features.csv').split('\n')[0]).toContain(',pid,');
  });

  it('leaves nothing behind when the table has no id column', async () => {
    const path = join(temporaryFolder('clinical'), 'table.csv');
    writeFileSync(path, 'Age,Sex\n61,Female\n');
    const error = await runStep(clinicalStep, {}, { table: [path] }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ClinicalIdColumnMissing' });
    expect((error as Error).message).toContain('found: Age, Sex');
  });

  it('asks for its table', async () => {
    await expect(runStep(clinicalStep, {}, {})).rejects.toMatchObject({ code: 'InvalidInput' });
  });
});
