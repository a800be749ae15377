import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { FileLedger } from '../../../src/adapters/local/file-ledger.js';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import { LocalFingerprints } from '../../../src/adapters/local/fingerprints.js';
import { removableOfCache, removableOfOutput, removeAll, type Removable } from '../../../src/app/clean.js';
import { temporaryFolder } from '../../support/run-step.js';

const files = new LocalFiles();
const ledger = new FileLedger(files);

function write(path: string, text = 'x'): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const summary = (found: readonly Removable[], root: string): string[] =>
  found
    .map(({ kind, path, files: count, bytes }) => `${kind}: ${path.slice(root.length + 1)} ${count} ${bytes}`)
    .sort();

describe('cleaning an output folder', () => {
  let output: string;
  let asked: number;
  let open: boolean;

  beforeEach(async () => {
    output = temporaryFolder('clean');
    asked = 0;
    open = false;
    const owner = {
      workflowId: 'w',
      runId: 'run-2',
      startedAt: '',
      state: 'finished',
      endedAt: '2026-01-01T00:00:00Z',
    };
    await ledger.setOwner(output, owner as Parameters<FileLedger['setOwner']>[1]);
    for (const kept of ['run/steps/imaging/A/imaging.convert.json', 'run/outcomes.csv', 'imaging/A/ct.nii.gz']) {
      write(join(output, kept));
    }
    for (const run of ['run-1', 'run-2']) {
      write(join(output, `run/records/${run}/imaging/A/imaging.convert.1-done.json`), '12345');
      write(join(output, `run/records/${run}/pages/imaging-000000000-000000001.reused.jsonl`), '123');
      write(join(output, `run/manifest/${run}/imaging-000000.jsonl`));
      write(join(output, `run/logs/${run}/cohortflow-1.log`), '12');
    }
    write(join(output, 'run/.work/abc/output/half.nii.gz'), '1234');
    write(join(output, 'run/.0123456789abcdef.part'));
  });

  const find = (now?: number): Promise<readonly Removable[]> => {
    const isOpen = async (): Promise<boolean> => {
      asked += 1;
      return open;
    };
    return removableOfOutput(output, { files, ledger, isOpen }, now);
  };

  it('finds what earlier runs and killed processes left, removes that and nothing else', async () => {
    const found = await find();
    expect(summary(found, output)).toEqual([
      'half-written file: run/.0123456789abcdef.part 1 1',
      'leftover of a killed step: run/.work/abc 1 4',
      'logs of an earlier run: run/logs/run-1 1 2',
      'pages of an earlier run: run/manifest/run-1 1 1',
      'records of an earlier run: run/records/run-1 2 8',
    ]);
    expect(existsSync(join(output, 'run/records/run-1'))).toBe(true);
    await removeAll(files, found);
    expect(readdirSync(join(output, 'run/records'))).toEqual(['run-2']);
    expect(readdirSync(join(output, 'run/manifest'))).toEqual(['run-2']);
    expect(readdirSync(join(output, 'run')).sort()).toEqual(
      ['.work', 'logs', 'manifest', 'outcomes.csv', 'records', 'run.json', 'steps'].sort(),
    );
    expect(existsSync(join(output, 'imaging/A/ct.nii.gz'))).toBe(true);
    expect(await find()).toEqual([]);
  });

  it('refuses while a run may be writing there, and asks nobody when the last is long over', async () => {
    open = true;
    expect(await find()).toHaveLength(5);
    expect(asked).toBe(0);
    // The report of a run is rendered after its end was written.
    await expect(find(Date.parse('2026-01-01T00:10:00Z'))).rejects.toMatchObject({ code: 'OutputBusy' });
    await ledger.setOwner(output, { workflowId: 'w', runId: 'run-2', startedAt: '', state: 'running' });
    await expect(find()).rejects.toMatchObject({ code: 'OutputBusy' });
    open = false;
    expect(await find()).toHaveLength(5);
    expect(asked).toBe(3);
  });

  it('keeps all records where nobody knows which run was the last, and says where no run ever was', async () => {
    write(join(output, 'run/run.json'), '{');
    expect(summary(await find(), output).join()).not.toContain('earlier run');
    output = temporaryFolder('clean-none');
    await expect(find()).rejects.toMatchObject({ code: 'FileNotFound' });
  });
});

describe('cleaning the cache', () => {
  let cache: string;
  const modified = async (path: string): Promise<number> => (await stat(path)).mtimeMs;
  const find = (): Promise<readonly Removable[]> => removableOfCache(cache, files, modified);

  beforeEach(() => {
    cache = temporaryFolder('clean-cache');
  });

  it('drops hashes of paths that are gone and keeps the others', async () => {
    const fingerprints = new LocalFingerprints(files, join(cache, 'hashes'));
    const inputs = temporaryFolder('clean-inputs');
    const kept = write(join(inputs, 'kept'));
    const gone = write(join(inputs, 'gone'));
    await fingerprints.of(kept);
    await fingerprints.of(gone);
    await files.remove(gone);
    write(join(cache, 'hashes/of-an-older-version.json'), '{}');
    const found = await find();
    expect(found).toMatchObject([{ kind: 'hashes of paths that are gone', path: join(cache, 'hashes'), files: 2 }]);
    await removeAll(files, found);
    expect(await fingerprints.known(kept)).toBeDefined();
    expect(await find()).toEqual([]);
  });

  it('keeps the newest bundle, what shared steps use now, programs and indexes', async () => {
    for (const [name, age] of [
      ['workflow-bundles/new.js', 10],
      ['workflow-bundles/older.js', 100],
      ['workflow-bundles/oldest.js', 1000],
      ['shared/.work/busy/file', 10],
      ['shared/.work/forsaken/file', 10],
      ['shared/genomics.index/1/index', 1_000_000],
      ['bin/temporal', 1_000_000],
    ] as const) {
      const path = write(join(cache, name));
      utimesSync(path, Date.now() / 1000 - age, Date.now() / 1000 - age);
    }
    const longAgo = Date.now() / 1000 - 2 * 24 * 3600;
    utimesSync(join(cache, 'shared/.work/forsaken'), longAgo, longAgo);
    expect(summary(await find(), cache)).toEqual([
      'leftover of a killed step: shared/.work/forsaken 1 1',
      'workflow bundle of another build: workflow-bundles 2 2',
    ]);
    await removeAll(files, await find());
    expect(readdirSync(join(cache, 'workflow-bundles'))).toEqual(['new.js']);
    expect(readdirSync(join(cache, 'shared/.work'))).toEqual(['busy']);
  });
});
