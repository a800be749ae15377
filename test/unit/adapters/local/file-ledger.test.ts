import { existsSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { FileLedger } from '../../../../src/adapters/local/file-ledger.js';
import { LocalFiles } from '../../../../src/adapters/local/files.js';
import type { OutcomeRecord } from '../../../../src/contracts/outcome.js';
import { temporaryFolder } from '../../../support/run-step.js';

/** Tells what is read. */
class WatchedFiles extends LocalFiles {
  readonly read_: string[] = [];

  override async *lines(path: string): AsyncIterable<string> {
    this.read_.push(path);
    yield* super.lines(path);
  }

  override async readText(path: string): Promise<string> {
    this.read_.push(path);
    return super.readText(path);
  }
}

describe('the ledger of an output folder', () => {
  let output: string;
  let files: WatchedFiles;
  let ledger: FileLedger;

  beforeEach(() => {
    output = temporaryFolder('ledger');
    files = new WatchedFiles();
    ledger = new FileLedger(files);
  });

  function record(caseId: string, step: string, changes: Partial<OutcomeRecord> = {}): OutcomeRecord {
    const started = '2026-01-01T00:00:00.000Z';
    const rest = { outcome: 'done', code: '', why: 'new', attempts: 1, started, seconds: 1, message: '' } as const;
    return { caseId, modality: 'imaging', part: '', step, ...rest, ...changes };
  }

  const note = (...records: readonly OutcomeRecord[]): Promise<unknown> =>
    Promise.all(records.map((one) => ledger.record(output, 'run', one)));
  const unit = (caseId: string, part = ''): { caseId: string; part: string } => ({ caseId, part });
  const page = (first: number, last: number, records: readonly OutcomeRecord[], name = 'reused'): Promise<void> =>
    ledger.recordPage(output, 'run', { modality: 'imaging', first, last, name }, records);
  const read = (caseIds: readonly string[], first = 0): Promise<readonly (readonly OutcomeRecord[])[]> =>
    ledger.recordsOf(output, 'run', 'imaging').of(
      caseIds.map((caseId) => unit(caseId)),
      first,
    );

  it('a record that cannot be read counts as none, and the warning does not say whose it is', async () => {
    const warnings: string[] = [];
    ledger = new FileLedger(files, (message) => warnings.push(message));
    await note(
      record('CASE-A', 'imaging.convert'),
      record('CASE-A', 'imaging.overlay'),
      record('B', 'imaging.convert'),
    );
    truncateSync(join(output, 'run/records/run/imaging/CASE-A/imaging.overlay.1-done.json'), 20);
    writeFileSync(join(output, 'run/records/run/imaging/B/imaging.convert.1-done.json'), 'null');
    const [a, b] = await read(['CASE-A', 'B']);
    expect(a?.map(({ step }) => step)).toEqual(['imaging.convert']);
    expect(b).toEqual([]);
    expect(warnings).toHaveLength(2);
    expect(warnings.join()).toContain('imaging.overlay.1-done.json');
    expect(warnings.join()).not.toContain('CASE-A');
  });

  it('a page that is damaged is named: the outcomes of many units must not vanish', async () => {
    await page(0, 1, [record('A', 'imaging.convert'), record('B', 'imaging.convert')]);
    const [name] = readdirSync(join(output, 'run/records/run/pages'));
    const path = join(output, 'run/records/run/pages', name!);
    truncateSync(path, readFileSync(path).length - 10);
    await expect(read(['A', 'B'])).rejects.toMatchObject({ code: 'FileNotFound' });
    await expect(read(['A', 'B'])).rejects.toThrow(name!);
  });

  it('gives each unit its own records, one per step, by start', async () => {
    const later = record('A', 'imaging.radiomics', { started: '2026-01-01T00:05:00.000Z' });
    const failed = record('A', 'imaging.convert', { outcome: 'failed', code: 'ProcessLost' });
    const repeated = record('A', 'imaging.convert', { attempts: 2 });
    await note(
      later,
      failed,
      repeated,
      record('B', 'imaging.convert', { part: 'one' }),
      record('B', 'x', { part: 'two' }),
    );
    const reader = ledger.recordsOf(output, 'run', 'imaging');
    const found = await reader.of([unit('A'), unit('B', 'one'), unit('B', 'two'), unit('none')], 0);
    expect(found).toEqual([
      [repeated, later],
      [record('B', 'imaging.convert', { part: 'one' })],
      [record('B', 'x', { part: 'two' })],
      [],
    ]);
  });

  it('takes the success of an attempt before the failure of a later one', async () => {
    await note(record('A', 's'), record('A', 's', { outcome: 'failed', code: 'IoError', attempts: 2 }));
    expect(await read(['A'])).toEqual([[record('A', 's')]]);
  });

  it('takes the last round of a unit only, wherever its records lie, and opens no others', async () => {
    const first = [
      record('A', 'imaging.convert'),
      record('A', 'imaging.radiomics', { outcome: 'failed', code: 'IoError' }),
    ];
    const second = record('A', 'imaging.convert', { round: 1, outcome: 'failed', code: 'DiskFull', attempts: 3 });
    await note(...first, second);
    expect(await read(['A'])).toEqual([[second]]);
    expect(files.read_).toEqual([expect.stringContaining('imaging.convert.r1.3-failed.json')]);
    const third = record('A', 'imaging.convert', { round: 2, outcome: 'reused' });
    await page(0, 0, [third]);
    expect(await read(['A'])).toEqual([[third]]);
    // Asked for one step, the round still decides.
    const radiomics = ledger.recordsOf(output, 'run', 'imaging').of([unit('A')], 0, { step: 'imaging.radiomics' });
    expect(await radiomics).toEqual([[]]);
  });

  it('takes the last pass of a round, also where it failed in the same step after as many attempts', async () => {
    const failed = record('A', 'imaging.job', { outcome: 'failed', code: 'DiskFull' });
    const again = { ...failed, code: 'JobFailed', round: 0.000001 } as const;
    await note(failed, again);
    expect(await read(['A'])).toEqual([[again]]);
    const passes = [1, 1.000002, 1.00001, 10].map((round) => ({ ...failed, round }));
    for (const [at, pass] of passes.entries()) {
      await note(...passes.slice(0, at + 1));
      expect(await read(['A'])).toEqual([[pass]]);
    }
  });

  it('reads pages together with single records, each page once and only where it is about the units asked for', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `C${index}`);
    // Two lanes, each with every other unit, and one page far behind.
    const lane = (from: number, to: number): OutcomeRecord[] =>
      ids.slice(from, to).flatMap((id, index) => (index % 2 === 0 ? [record(id, 's', { outcome: 'reused' })] : []));
    await page(0, 18, lane(0, 19));
    await page(1, 19, lane(1, 20));
    await page(20, 38, lane(20, 39));
    await note(record('C21', 's', { why: 'forced' }));
    await ledger.recordPage(output, 'run', { modality: 'genomics', first: 0, last: 9, name: 'reused' }, []);

    const reader = ledger.recordsOf(output, 'run', 'imaging');
    const kinds: string[] = [];
    for (let first = 0; first < 40; first += 10) {
      const units = ids.slice(first, first + 10).map((id) => unit(id));
      for (const [one] of await reader.of(units, first)) kinds.push(one?.outcome ?? 'none');
    }
    expect(kinds.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 'reused'));
    expect(kinds.slice(20, 24)).toEqual(['reused', 'done', 'reused', 'none']);
    const pagesRead = files.read_.filter((path) => path.endsWith('.jsonl')).map((path) => path.split('/').at(-1));
    expect(pagesRead.sort()).toEqual([
      'imaging-000000000-000000018.reused.jsonl',
      'imaging-000000001-000000019.reused.jsonl',
      'imaging-000000020-000000038.reused.jsonl',
    ]);
  });

  it('keeps the order of a page where the times are equal', async () => {
    await page(0, 0, [record('A', 'imaging.radiomics'), record('A', 'imaging.overlay')]);
    expect((await read(['A']))[0]?.map(({ step }) => step)).toEqual(['imaging.radiomics', 'imaging.overlay']);
  });

  it('keeps both of two pages of one name: a retried scan may have found other units', async () => {
    await page(0, 1, [record('A', 's', { outcome: 'reused' })]);
    await page(0, 1, [record('A', 's', { outcome: 'reused', seconds: 9 }), record('B', 's', { outcome: 'reused' })]);
    const found = await read(['A', 'B']);
    expect(found.map((records) => records.map(({ caseId, outcome }) => `${caseId} ${outcome}`))).toEqual([
      ['A reused'],
      ['B reused'],
    ]);
  });

  it('forgets a case: records of all runs, single and in pages, and manifests, and nothing of others', async () => {
    const manifest = { step: 's', version: 1, params: '', inputs: {}, outputs: [], summary: {} };
    for (const id of ['A', 'AB']) {
      await note(record(id, 's'), record(id, 's', { part: 'two' }));
      await ledger.setManifest(join(output, `run/steps/imaging/${id}/imaging.convert.json`), manifest);
    }
    await page(0, 1, [
      record('A', 't', { outcome: 'reused' }),
      record('AB', 't', { outcome: 'reused', message: '"caseId":"A"' }),
    ]);
    expect(await ledger.forgetCase(output, 'A')).toBe(3);
    expect((await read(['A', 'AB'])).map((records) => records.map(({ step }) => step).sort())).toEqual([
      [],
      ['s', 't'],
    ]);
    expect(await ledger.manifestsOf(output, 'imaging/A')).toEqual([]);
    expect(await ledger.manifestsOf(output, 'imaging/AB')).toEqual([manifest]);
    expect(existsSync(join(output, 'run/records/run/imaging/A'))).toBe(false);
    expect(await ledger.forgetCase(output, 'A')).toBe(0);
    await expect(ledger.forgetCase(output, '..')).rejects.toMatchObject({ code: 'InvalidInput' });
    expect(readdirSync(join(output, 'run')).sort()).toEqual(['records', 'steps']);
  });
});
