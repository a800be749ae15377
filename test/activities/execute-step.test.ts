import { cp, mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { executeStep, lookUpStep, MadeFiles, type StepServices } from '../../src/activities/execute-step.js';
import { FileLedger } from '../../src/adapters/local/file-ledger.js';
import { LocalFiles } from '../../src/adapters/local/files.js';
import { LocalFingerprints } from '../../src/adapters/local/fingerprints.js';
import type { StepReport, StepRequest } from '../../src/contracts/activities.js';
import type { OutcomeRecord } from '../../src/contracts/outcome.js';
import { CohortflowError } from '../../src/domain/errors.js';
import type { StepTask } from '../../src/ports/step-runner.js';
import { temporaryFolder } from '../support/run-step.js';

/** Writes the input's text in capitals into `upper.txt`; what a real step in a child process would do. */
async function shout({ inputs, outputFolder, params }: StepTask): Promise<Record<string, number>> {
  const texts = await Promise.all((inputs['text'] ?? []).map((path) => readFile(path, 'utf8')));
  await writeFile(
    join(outputFolder, 'upper.txt'),
    texts
      .join('')
      .toUpperCase()
      .repeat(Number(params['times'] ?? 1)),
  );
  if (params['extra'] === true) {
    await mkdir(join(outputFolder, 'parts'));
    await writeFile(join(outputFolder, 'parts', 'one.txt'), 'one');
  }
  return { letters: texts.join('').length };
}

/** A second step of a unit: one file of another name. */
async function measure({ outputFolder }: StepTask): Promise<Record<string, number>> {
  await writeFile(join(outputFolder, 'features.json'), '{}');
  return {};
}

describe('runStep', () => {
  /** Tells what content is read. */
  class WatchedFiles extends LocalFiles {
    override async sha256(path: string, signal?: AbortSignal): Promise<string> {
      read.push(path);
      return super.sha256(path, signal);
    }
  }

  const files = new WatchedFiles();
  const ledger = new FileLedger(files);
  let read: string[];
  let root: string;
  let output: string;
  let input: string;
  let ran: number;
  let version: number;
  let work: (task: StepTask) => Promise<Record<string, number>>;
  let services: StepServices;

  beforeEach(async () => {
    root = temporaryFolder('run-step');
    output = join(root, 'out');
    input = join(root, 'in.txt');
    await writeFile(input, 'abc');
    ran = 0;
    read = [];
    version = 1;
    work = shout;
    services = {
      files,
      ledger,
      fingerprints: new LocalFingerprints(files, join(root, 'hashes')),
      runner: {
        run: async (task) => {
          ran += 1;
          return work(task);
        },
        close: async () => undefined,
      },
      versionOf: () => version,
      sharedFolder: join(root, 'shared'),
      workFolder: join(root, 'work'),
    };
  });

  function request(changes: Partial<StepRequest> = {}): StepRequest {
    return {
      output,
      runId: 'run-1',
      step: 'imaging.convert',
      params: { times: 1 },
      inputs: { text: [input] },
      unit: { caseId: 'A', part: '', modality: 'imaging' },
      place: { kind: 'output', folder: 'imaging/A' },
      force: false,
      ...changes,
    };
  }

  function execute(
    changes: Partial<StepRequest> = {},
    attempt = 1,
    signal = new AbortController().signal,
  ): Promise<StepReport> {
    const facts = { number: attempt, started: '2026-01-01T00:00:00.000Z', seconds: () => 1.5 };
    return executeStep(request(changes), services, facts, signal, () => undefined);
  }

  async function recordsOf(runId: string): Promise<readonly OutcomeRecord[]> {
    const [records = []] = await ledger.recordsOf(output, runId, 'imaging').of([{ caseId: 'A', part: '' }], 0);
    return records;
  }

  const made = join('imaging', 'A', 'upper.txt');

  it('runs a new step, moves its files into place and records the outcome', async () => {
    const report = await execute();
    expect(report).toMatchObject({ outcome: 'done', why: 'new', outputs: ['upper.txt'], summary: { letters: 3 } });
    expect(await readFile(join(output, made), 'utf8')).toBe('ABC');
    expect(await recordsOf('run-1')).toEqual([
      {
        caseId: 'A',
        modality: 'imaging',
        part: '',
        step: 'imaging.convert',
        outcome: 'done',
        code: '',
        why: 'new',
        attempts: 1,
        started: '2026-01-01T00:00:00.000Z',
        seconds: 1.5,
        message: '',
      },
    ]);
    expect(readdirSync(join(output, 'run', '.work'))).toEqual([]);
  });

  it('records the round of a retry', async () => {
    await execute();
    await execute({ round: 2 });
    expect(await recordsOf('run-1')).toMatchObject([{ round: 2, outcome: 'reused' }]);
  });

  it('takes a finished step instead of running it again, in any later run', async () => {
    await execute();
    expect(await execute({ runId: 'run-2' })).toMatchObject({
      outcome: 'reused',
      why: 'unchanged',
      outputs: ['upper.txt'],
    });
    expect(ran).toBe(1);
    expect(await recordsOf('run-2')).toMatchObject([{ outcome: 'reused', why: 'unchanged' }]);
  });

  it('says why it runs again: the content of an input, the parameters, the version, or by force', async () => {
    await execute();
    await writeFile(input, 'xyz');
    expect(await execute({ runId: 'run-2' })).toMatchObject({ outcome: 'done', why: 'input changed: text' });
    expect(await readFile(join(output, made), 'utf8')).toBe('XYZ');
    expect(await execute({ params: { times: 2 } })).toMatchObject({ outcome: 'done', why: 'parameters changed' });
    version = 2;
    expect(await execute({ params: { times: 2 } })).toMatchObject({ outcome: 'done', why: 'step version changed' });
    expect(await execute({ params: { times: 2 }, force: true })).toMatchObject({ outcome: 'done', why: 'forced' });
    expect(await execute({ params: { times: 2 } })).toMatchObject({ outcome: 'reused' });
    expect(ran).toBe(5);
  });

  it('takes an accession of reads for content that never changes, and looks for no file of that name', async () => {
    work = async ({ outputFolder, inputs }) => {
      await writeFile(join(outputFolder, 'quant.sf'), (inputs['sra'] ?? []).join());
      return {};
    };
    const asked = { inputs: { sra: ['SRR1553500'] } };
    expect(await execute(asked)).toMatchObject({ outcome: 'done', why: 'new' });
    expect(await execute({ ...asked, runId: 'run-2' })).toMatchObject({ outcome: 'reused' });
    expect(await execute({ inputs: { sra: ['SRR1553501'] } })).toMatchObject({ why: 'input changed: sra' });
  });

  it('runs with what a service made of the inputs, which still decide whether it has to run', async () => {
    const elsewhere = join(root, 'elsewhere.txt');
    await writeFile(elsewhere, 'made of abc');
    expect(await execute({ instead: { text: [elsewhere] } })).toMatchObject({ outcome: 'done' });
    expect(await readFile(join(output, made), 'utf8')).toBe('MADE OF ABC');
    expect(await execute({ runId: 'run-2' })).toMatchObject({ outcome: 'reused' });
  });

  it('notes beside its outcome on what machine of a service it was made, and for how long', async () => {
    work = async (task) => ({ ...(await shout(task)), warnings: ['LowMapping'] }) as never;
    await execute({ machine: { instanceType: 'f2.6xlarge', seconds: 811.6 } });
    await execute({ machine: { seconds: 5 }, runId: 'run-2', force: true });
    await execute({ machine: { instanceType: 'f2.6xlarge' }, runId: 'run-3', force: true });
    const messages = (await Promise.all(['run-1', 'run-2', 'run-3'].map(recordsOf)))
      .flat()
      .map(({ message }) => message);
    expect(messages).toEqual(['LowMapping; machine: 812 s on f2.6xlarge', 'LowMapping; machine: 5 s', 'LowMapping']);
    // It decides nothing.
    expect((await execute({ machine: { seconds: 9 }, runId: 'run-4' })).outcome).toBe('reused');
  });

  it('does not run again for a touched file, another order of parameters, or what does not decide the result', async () => {
    await execute({ params: { times: 1, extra: false } });
    await rm(input);
    await writeFile(input, 'abc');
    const report = await execute({ params: { extra: false, times: 1 }, volatile: { eventTime: 'now' } });
    expect(report.outcome).toBe('reused');
    expect(ran).toBe(1);
  });

  it('notices inputs that were renamed, added or removed inside a folder', async () => {
    const study = join(root, 'study');
    await mkdir(study);
    await writeFile(join(study, '1.txt'), 'a');
    const changes = { inputs: { text: [input], study: [study] } };
    await execute(changes);
    await writeFile(join(study, '2.txt'), 'b');
    expect(await execute(changes)).toMatchObject({ why: 'input changed: study' });
    await rm(join(study, '1.txt'));
    expect(await execute(changes)).toMatchObject({ why: 'input changed: study' });
    expect(await execute(changes)).toMatchObject({ outcome: 'reused' });
  });

  it.each([
    ['removed', () => rm(join(output, made))],
    ['cut off', () => writeFile(join(output, made), 'AB')],
    ['edited', () => writeFile(join(output, made), 'ABD')],
  ])('makes an output again that was %s', async (_, damage) => {
    await execute();
    await damage();
    expect(await execute()).toMatchObject({ outcome: 'done', why: 'outputs missing or changed' });
    expect(await readFile(join(output, made), 'utf8')).toBe('ABC');
  });

  it('removes what an earlier version made and this one does not', async () => {
    await execute({ params: { extra: true } });
    expect(existsSync(join(output, 'imaging/A/parts/one.txt'))).toBe(true);
    await execute({ params: { extra: false } });
    expect(existsSync(join(output, 'imaging/A/parts/one.txt'))).toBe(false);
    expect(await readFile(join(output, made), 'utf8')).toBe('ABC');
  });

  it('leaves nothing of a step that fails, and what was there before stays', async () => {
    await execute();
    work = async (task) => {
      await shout(task);
      throw new CohortflowError('MissingSlice', 'slice 4 of 9 is missing');
    };
    await writeFile(input, 'other');
    await expect(execute()).rejects.toMatchObject({ code: 'MissingSlice' });
    expect(await readFile(join(output, made), 'utf8')).toBe('ABC');
    expect(readdirSync(join(output, 'run', '.work'))).toEqual([]);
  });

  it('takes nothing from a step that was aborted while its files were already written', async () => {
    const abort = new AbortController();
    work = async (task) => {
      const summary = await shout(task);
      abort.abort(new Error('cancelled'));
      return summary;
    };
    await expect(execute({}, 1, abort.signal)).rejects.toThrow('cancelled');
    expect(existsSync(join(output, made))).toBe(false);
    expect(await recordsOf('run-1')).toEqual([]);
  });

  it('calls it done, not reused, when the answer of the attempt that did it was lost with its worker', async () => {
    await execute();
    await rm(join(output, 'run', 'records'), { recursive: true });
    expect(await execute({}, 2)).toMatchObject({ outcome: 'done', why: 'new' });
    expect(ran).toBe(1);
    expect(await recordsOf('run-1')).toMatchObject([{ outcome: 'done', why: 'new', attempts: 2 }]);
  });

  it('treats a damaged manifest as none', async () => {
    await execute();
    await writeFile(join(output, 'run/steps/imaging/A/imaging.convert.json'), '{"step": "imag');
    expect(await execute()).toMatchObject({ outcome: 'done', why: 'new' });
  });

  it('shares results that any run can use by their content', async () => {
    const changes = { place: { kind: 'shared' } as const, step: 'genomics.index' };
    const first = await execute(changes);
    const second = await execute({ ...changes, output: join(root, 'other'), runId: 'run-9' });
    expect(second).toMatchObject({ outcome: 'reused', folder: first.folder });
    await writeFile(input, 'other transcripts');
    const third = await execute(changes);
    expect(third).toMatchObject({ outcome: 'done' });
    expect(third.folder).not.toBe(first.folder);
    expect(await readFile(join(first.folder, 'upper.txt'), 'utf8')).toBe('ABC');
  });

  it('fails when an input is gone, and says which', async () => {
    await expect(execute({ inputs: { text: [join(root, 'gone.txt')] } })).rejects.toMatchObject({
      code: 'FileNotFound',
    });
  });

  it('reads nothing to find out that a step is finished, and takes a touched or copied file by its content', async () => {
    await execute();
    read = [];
    expect(await execute({ runId: 'run-2' })).toMatchObject({ outcome: 'reused' });
    expect(read).toEqual([]);
    await utimes(join(output, made), 1_000, 1_000);
    expect(await execute({ runId: 'run-3' })).toMatchObject({ outcome: 'reused' });
    expect(read).toEqual([join(output, made)]);
    // Remembered from now on.
    expect(await execute({ runId: 'run-4' })).toMatchObject({ outcome: 'reused' });
    expect(read).toHaveLength(1);
    await cp(output, join(root, 'copy'), { recursive: true });
    expect(await execute({ output: join(root, 'copy') })).toMatchObject({ outcome: 'reused' });
    expect(ran).toBe(1);
  });

  it('knows the hash of an input that an earlier step of the unit made, unless it was touched since', async () => {
    await execute();
    read = [];
    const next = { step: 'imaging.radiomics', inputs: { volume: [join(output, made)] } };
    work = measure;
    await execute(next);
    expect(read).toEqual([join(output, 'imaging/A/features.json')]);
    await writeFile(join(output, made), 'ABD');
    expect(await execute(next)).toMatchObject({ outcome: 'done', why: 'input changed: volume' });
  });

  it('takes the run’s own record for the whole output folder, and looks at nothing else below it', async () => {
    const report = {
      step: 'report.render',
      inputs: { output: [output] },
      place: { kind: 'output', folder: '' },
    } as const;
    work = measure;
    await ledger.setOwner(output, { workflowId: 'w', runId: 'run-1', startedAt: '', state: 'running' });
    await execute(report);
    await writeFile(join(output, 'large.nii.gz'), 'much');
    read = [];
    expect(await execute(report)).toMatchObject({ outcome: 'reused' });
    await ledger.setOwner(output, { workflowId: 'w', runId: 'run-2', startedAt: '', state: 'running' });
    expect(await execute(report)).toMatchObject({ outcome: 'done', why: 'input changed: output' });
    expect(read).toEqual([join(output, 'run/run.json'), join(output, 'features.json')]);
  });

  it('reads inputs again when that is asked for, even those that are remembered', async () => {
    await execute();
    read = [];
    expect(await execute({ verify: true })).toMatchObject({ outcome: 'reused' });
    expect(read).toEqual([input]);
  });

  describe('looking a step up', () => {
    const lookUp = (changes: Partial<StepRequest> = {}, made?: MadeFiles): Promise<StepReport | undefined> =>
      lookUpStep(request(changes), services, new AbortController().signal, made);

    it('gives the report of the finished step, and reads and records nothing', async () => {
      expect(await lookUp()).toBeUndefined();
      const report = await execute();
      read = [];
      expect(await lookUp({ runId: 'run-2' })).toEqual({ ...report, outcome: 'reused', why: 'unchanged' });
      expect(read).toEqual([]);
      expect(await recordsOf('run-2')).toEqual([]);
    });

    it.each([
      ['other content of an input', () => writeFile(input, 'xyz'), {}],
      ['a touched input, which would have to be read', () => utimes(input, 1_000, 1_000), {}],
      ['an input that is gone', () => rm(input), {}],
      ['an output that is gone', () => rm(join(output, made)), {}],
      ['an edited output', () => writeFile(join(output, made), 'ABD'), {}],
      ['other parameters', async () => undefined, { params: { times: 2 } }],
      ['force', async () => undefined, { force: true }],
      ['inputs to be verified', async () => undefined, { verify: true }],
    ])('gives nothing for %s', async (_, change, changes) => {
      await execute();
      expect(await lookUp()).toBeDefined();
      await change();
      read = [];
      expect(await lookUp(changes)).toBeUndefined();
      expect(read).toEqual([]);
      expect(ran).toBe(1);
    });

    it('gives nothing for another version', async () => {
      await execute();
      version = 2;
      expect(await lookUp()).toBeUndefined();
    });

    it('looks at no input of a step that never ran', async () => {
      const none = { inputs: { text: [join(root, 'none')] }, place: { kind: 'output', folder: 'imaging/B' } } as const;
      const looked: string[] = [];
      const watching = { ...services.fingerprints, known: async (path: string) => void looked.push(path) };
      const signal = new AbortController().signal;
      const found = await lookUpStep(request(none), { ...services, fingerprints: watching }, signal);
      expect(found).toBeUndefined();
      expect(looked).toEqual([]);
    });

    it('finds steps that take what earlier steps of the unit made, and results that any run may share', async () => {
      await execute();
      const shared = { place: { kind: 'shared' } as const, step: 'genomics.index' };
      const index = await execute(shared);
      const next = { step: 'imaging.radiomics', inputs: { volume: [join(output, made)] } };
      work = measure;
      await execute(next);
      read = [];
      const together = new MadeFiles(services, output);
      expect(await lookUp({}, together)).toMatchObject({ outputs: ['upper.txt'] });
      expect(await lookUp(next, together)).toMatchObject({ outcome: 'reused' });
      expect(await lookUp({ ...shared, output: join(root, 'other') })).toMatchObject({ folder: index.folder });
      expect(read).toEqual([]);
    });
  });
});
