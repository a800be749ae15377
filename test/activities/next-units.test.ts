import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { executeStep, type StepServices } from '../../src/activities/execute-step.js';
import { nextUnits } from '../../src/activities/next-units.js';
import { selectFailed } from '../../src/activities/select-failed.js';
import { retriedRun, takeUpFailures } from '../../src/activities/retry-of.js';
import { allUnits, partOf, writePages } from '../../src/activities/units.js';
import { FileLedger } from '../../src/adapters/local/file-ledger.js';
import { LocalFiles } from '../../src/adapters/local/files.js';
import { LocalFingerprints } from '../../src/adapters/local/fingerprints.js';
import type { NextUnits, UnitPage } from '../../src/contracts/activities.js';
import { layout } from '../../src/contracts/layout.js';
import type { OutcomeRecord } from '../../src/contracts/outcome.js';
import { imagingPlace, imagingPlan } from '../../src/contracts/unit-plans.js';
import type { ImagingUnit } from '../../src/domain/cohort/manifest.js';
import type { StepTask } from '../../src/ports/step-runner.js';
import { temporaryFolder } from '../support/run-step.js';

const UNITS = 7;
const RUN = 'run-2';

/** Leaves the files that the plan of a study goes on with. */
async function work({ step, outputFolder, inputs }: StepTask): Promise<Record<string, never>> {
  const names = {
    'imaging.convert': ['ct.nii.gz', 'seg.nii.gz', 'conversion.json', 'segments/core.nii.gz'],
    'imaging.radiomics': ['features.json'],
  }[step] ?? ['overlay.png'];
  for (const name of names) {
    mkdirSync(join(outputFolder, 'segments'), { recursive: true });
    writeFileSync(join(outputFolder, name), `${name} of ${Object.keys(inputs).join(' ')}`);
  }
  rmSync(join(outputFolder, 'none'), { force: true });
  return {};
}

describe('the units of a cohort that have work to do', () => {
  const files = new LocalFiles();
  const ledger = new FileLedger(files);
  let root: string;
  let output: string;
  let services: StepServices;
  let childInput: { output: string; runId: string; force: boolean; choice: object };

  const unitOf = (index: number): ImagingUnit => ({
    modality: 'imaging',
    caseId: `C-${index}`,
    source: { kind: 'dicom', folder: join(root, 'dicom', `C-${index}`) },
  });

  async function finish(unit: ImagingUnit): Promise<void> {
    const { unit: who, folder } = imagingPlace({ unit });
    await imagingPlan({ ...childInput, unit }, async (step, params, inputs) => {
      const place = { kind: 'output', folder } as const;
      const request = { output, runId: 'run-1', step, params, inputs, unit: who, place, force: false };
      const attempt = { number: 1, started: '2026-01-01T00:00:00.000Z', seconds: () => 1 };
      return executeStep(request, services, attempt, new AbortController().signal, () => undefined);
    });
  }

  beforeEach(async () => {
    root = temporaryFolder('next-units');
    output = join(root, 'out');
    childInput = { output, runId: RUN, force: false, choice: {} };
    services = {
      files,
      ledger,
      fingerprints: new LocalFingerprints(files, join(root, 'hashes')),
      runner: { run: work, close: async () => undefined },
      versionOf: () => 1,
      sharedFolder: join(root, 'shared'),
      workFolder: join(root, 'work'),
    };
    const units = Array.from({ length: UNITS }, (_, index) => unitOf(index));
    for (const { source } of units) {
      if (source.kind !== 'dicom') continue;
      mkdirSync(source.folder, { recursive: true });
      writeFileSync(join(source.folder, '1.dcm'), source.folder);
    }
    await writePages(files, units, (page) => layout.unitPage(output, RUN, 'imaging', page));
  });

  function ask(fields: Partial<UnitPage> = {}): Promise<NextUnits> {
    const whole = {
      output,
      runId: RUN,
      modality: 'imaging',
      round: 0,
      first: 0,
      stride: 1,
      from: 0,
      limit: 50,
    } as const;
    return nextUnits({ ...whole, reuse: childInput as never, ...fields }, services);
  }

  async function recordsOf(index: number): Promise<readonly OutcomeRecord[]> {
    const reader = ledger.recordsOf(output, RUN, 'imaging');
    return (await reader.of([{ caseId: `C-${index}`, part: '' }], index))[0] ?? [];
  }

  it('are all of them the first time, and nothing is recorded', async () => {
    const { units, reused, next } = await ask();
    expect(units.map(({ unit, at }) => `${unit.caseId} ${at}`)).toEqual(
      Array.from({ length: UNITS }, (_, index) => `C-${index} ${index}`),
    );
    expect([reused, next]).toEqual([0, UNITS]);
    expect(await recordsOf(0)).toEqual([]);
  });

  it('are not those that are finished for the same content: they are recorded as reused, step by step', async () => {
    for (const index of [0, 1, 3, 6]) await finish(unitOf(index));
    const { units, reused, next } = await ask();
    expect(units.map(({ unit, reused: before }) => [unit.caseId, before])).toEqual([
      ['C-2', 2],
      ['C-4', 1],
      ['C-5', 0],
    ]);
    expect([reused, next]).toEqual([1, UNITS]);
    expect((await recordsOf(3)).map(({ step, outcome, why }) => [step, outcome, why]).sort()).toEqual([
      ['imaging.convert', 'reused', 'unchanged'],
      ['imaging.overlay', 'reused', 'unchanged'],
      ['imaging.radiomics', 'reused', 'unchanged'],
    ]);
    expect(await recordsOf(2)).toEqual([]);
  });

  it('are found in every slice, from any position on and in pages of any size', async () => {
    for (const index of [0, 1, 3, 6]) await finish(unitOf(index));
    // Every second unit from the second on: 1, 3, 5; two of them are finished.
    const odd = await ask({ first: 1, stride: 2 });
    expect(odd).toMatchObject({ units: [{ unit: { caseId: 'C-5' }, at: 2, reused: 2 }], reused: 0, next: 3 });
    const small = await ask({ limit: 1 });
    expect(small).toMatchObject({ units: [{ unit: { caseId: 'C-2' }, at: 2, reused: 2 }], next: 3 });
    expect(await ask({ limit: 1, from: small.next })).toMatchObject({ units: [{ at: 4, reused: 1 }], next: 5 });
  });

  it.each([
    ['an input changed', (): void => writeFileSync(join(root, 'dicom', 'C-0', '1.dcm'), 'other')],
    ['an input came along', (): void => writeFileSync(join(root, 'dicom', 'C-0', '2.dcm'), 'more')],
    ['an output is gone', (): void => rmSync(join(output, 'imaging', 'C-0', 'features.json'))],
    ['an output was changed', (): void => writeFileSync(join(output, 'imaging', 'C-0', 'ct.nii.gz'), 'else')],
    ['parameters changed', (): void => void Object.assign(childInput, { choice: { roi: 'core' } })],
    ['a step has a new version', (): void => void Object.assign(services, { versionOf: () => 2 })],
  ])('are those too of which %s', async (_title, change) => {
    await finish(unitOf(0));
    expect((await ask({ limit: 1 })).units[0]?.at).toBe(1);
    change();
    expect((await ask({ limit: 1 })).units[0]?.at).toBe(0);
  });

  it('are all of them when nothing is to be reused, or everything is to be read again', async () => {
    await finish(unitOf(0));
    const page: UnitPage = {
      ...{ output, runId: RUN, round: 0, first: 0, stride: 1, from: 0, limit: 1 },
      modality: 'imaging',
    };
    expect((await nextUnits(page, services)).units[0]?.at).toBe(0);
    expect((await ask({ limit: 1, reuse: { ...childInput, verifyInputs: true } as never })).units[0]?.at).toBe(0);
  });

  describe('after failures', () => {
    const note = (index: number, fields: Partial<OutcomeRecord>): Promise<void> =>
      ledger.record(output, RUN, {
        ...{ caseId: `C-${index}`, modality: 'imaging', part: '', step: 'imaging.convert', outcome: 'done', code: '' },
        ...{ why: 'new', attempts: 1, started: '2026-01-01T00:00:00.000Z', seconds: 1, message: '' },
        ...fields,
      });
    const failed = (index: number, code: string, fields: Partial<OutcomeRecord> = {}): Promise<void> =>
      note(index, { outcome: 'failed', code: code as OutcomeRecord['code'], ...fields });
    const select = (round: number, choice: object = {}): Promise<{ total: number }> =>
      selectFailed({ files, ledger }, { output, runId: RUN, modality: 'imaging', round, choice });
    const chosen = async (round: number): Promise<string[]> => {
      const ids: string[] = [];
      for await (const unit of allUnits(files, output, RUN, 'imaging', round)) ids.push(unit.caseId);
      return ids;
    };

    beforeEach(async () => {
      await note(0, { step: 'imaging.overlay' });
      await failed(1, 'DiskFull');
      await failed(2, 'SegNotFound');
      await note(3, {});
      await failed(3, 'DiskFull', { step: 'imaging.radiomics', started: '2026-01-01T00:01:00.000Z' });
    });

    it('are those that failed, with a code or in a step; none that is open; the same when asked again', async () => {
      expect(await select(1)).toEqual({ total: 3 });
      expect(await chosen(1)).toEqual(['C-1', 'C-2', 'C-3']);
      await failed(4, 'DiskFull');
      expect(await select(1)).toEqual({ total: 3 });
      expect(await chosen(1)).toEqual(['C-1', 'C-2', 'C-3']);
    });

    it.each([
      [{ code: 'DiskFull' }, ['C-1', 'C-3']],
      [{ step: 'imaging.convert' }, ['C-1', 'C-2']],
      [{ code: 'DiskFull', step: 'imaging.radiomics' }, ['C-3']],
      [{ code: 'MissingSlice' }, []],
    ])('chosen by %j are %j', async (choice, ids) => {
      expect(await select(1, choice)).toEqual({ total: ids.length });
      expect(await chosen(1)).toEqual(ids);
    });

    it('are not taken in twice while they are under way, and again when they failed again', async () => {
      await select(1, { code: 'DiskFull' });
      expect(await select(2)).toEqual({ total: 1 });
      expect(await chosen(2)).toEqual(['C-2']);
      await failed(1, 'DiskFull', { round: 1 });
      await note(3, { round: 1 });
      await failed(2, 'SegNotFound', { round: 2 });
      await select(3);
      expect(await chosen(3)).toEqual(['C-1', 'C-2']);
    });

    it('are also those whose end cannot be read: they are run again, not taken for done', async () => {
      const units = Array.from({ length: 5 }, (_, index) => unitOf(index));
      const takeUp = async (runId: string): Promise<unknown> => {
        await writePages(files, units, (page) => layout.unitPage(output, runId, 'imaging', page));
        return takeUpFailures({ files, ledger }, { output, runId, modality: 'imaging' }, RUN, {});
      };
      const before = await takeUp('run-3');
      expect(before).toMatchObject({ carried: { total: 1, reused: 1 } });
      // What came before in the same study can be read, and would pass for a study that is done.
      await note(1, { step: 'imaging.adopt' });
      const folder = layout.unitRecords(output, RUN, 'imaging', 'C-1', '');
      const name = (await files.names(folder)).find((one) => one.includes('-failed'));
      writeFileSync(join(folder, name!), '{"caseId":');
      expect(await takeUp('run-4')).toEqual(before);
    });

    it('are taken up by a new run, which carries the outcomes of the others over', async () => {
      const run = { output, runId: 'run-3', modality: 'imaging' } as const;
      const units = Array.from({ length: 5 }, (_, index) => unitOf(index));
      await writePages(files, units, (page) => layout.unitPage(output, 'run-3', 'imaging', page));
      const retry = await takeUpFailures({ files, ledger }, run, RUN, { code: 'DiskFull' });
      expect(retry).toEqual({
        round: 1,
        total: 2,
        // The last one left no outcome in the run before.
        carried: { total: 3, done: 0, reused: 1, failed: 2, cancelled: 0 },
      });
      const reader = ledger.recordsOf(output, 'run-3', 'imaging');
      const records = await reader.of(
        units.map((unit) => ({ caseId: unit.caseId, part: partOf(unit) })),
        0,
      );
      expect(records.map((all) => all.map(({ outcome, code }) => `${outcome} ${code}`))).toEqual([
        ['done '],
        [],
        ['failed SegNotFound'],
        [],
        [],
      ]);
      expect((await takeUpFailures({ files, ledger }, { ...run, runId: 'run-4' }, RUN, {})).total).toBe(0);
    });

    const recordOf = (runId: string): Promise<void> =>
      ledger.record(output, runId, {
        ...{
          caseId: 'C-0',
          modality: 'imaging',
          part: '',
          step: 'imaging.overlay',
          outcome: 'done',
          code: '',
          why: '',
        },
        ...{ attempts: 1, started: '2026-01-01T00:00:00.000Z', seconds: 1, message: '' },
      });

    it('belong to the last run into the folder, if no other is named', async () => {
      await expect(retriedRun({ files, ledger }, output, 'run-3', {})).rejects.toMatchObject({ code: 'RunNotFound' });
      const owner = { workflowId: 'w', startedAt: '2026-01-01T00:00:00.000Z', state: 'finished' } as const;
      await ledger.setOwner(output, { ...owner, runId: RUN });
      expect(await retriedRun({ files, ledger }, output, 'run-3', {})).toBe(RUN);
      await recordOf('run-1');
      expect(await retriedRun({ files, ledger }, output, 'run-3', { runId: 'run-1' })).toBe('run-1');
      // Its answer was lost, and it is asked again.
      await ledger.setOwner(output, { ...owner, runId: 'run-3', retryOf: RUN });
      expect(await retriedRun({ files, ledger }, output, 'run-3', {})).toBe(RUN);
    });

    it('belong to the last run that left records, not to a retry that failed before it began', async () => {
      await recordOf('run-1');
      const owner = { workflowId: 'w', startedAt: '2026-01-01T00:00:00.000Z', state: 'finished' } as const;
      await ledger.setOwner(output, { ...owner, runId: 'run-1' });
      // It failed before it took the folder.
      expect(await retriedRun({ files, ledger }, output, 'run-8', { runId: 'run-7' })).toBe('run-1');
      // It failed after.
      await ledger.setOwner(output, { ...owner, runId: 'run-7', state: 'running', retryOf: 'run-1' });
      expect(await retriedRun({ files, ledger }, output, 'run-8', { runId: 'run-7' })).toBe('run-1');
    });
  });
});
