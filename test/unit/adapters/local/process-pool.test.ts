import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { ProcessPool, type ProcessPoolOptions } from '../../../../src/adapters/local/process-pool.js';
import { CohortflowError } from '../../../../src/domain/errors.js';
import type { JsonObject } from '../../../../src/steps/step.js';
import { temporaryFolder } from '../../../support/run-step.js';

const HOST = fileURLToPath(new URL('../../../support/pool-host.mjs', import.meta.url));
const pools: ProcessPool[] = [];

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

function makePool(options: Partial<ProcessPoolOptions> = {}): ProcessPool {
  const pool = new ProcessPool({ entry: HOST, jobs: 1, memoryMb: 1024, graceMs: 300, ...options });
  pools.push(pool);
  return pool;
}

function run(
  pool: ProcessPool,
  step: string,
  params: JsonObject = {},
  signal = new AbortController().signal,
  onProgress: (message: string) => void = () => undefined,
): Promise<JsonObject> {
  const task = { step, params, inputs: {}, outputFolder: '/none', scratchFolder: '/none' };
  return pool.run(task, signal, onProgress);
}

/** The coded error a run ends with. */
async function failureOf(running: Promise<unknown>): Promise<CohortflowError> {
  const error: unknown = await running.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CohortflowError);
  return error as CohortflowError;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie still has a number; it does nothing.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  for (let waited = 0; isAlive(pid) && waited < 5_000; waited += 50) await sleep(50);
  expect(isAlive(pid)).toBe(false);
}

describe('the process pool', () => {
  it('keeps a child warm from one step to the next', async () => {
    const pool = makePool();
    const first = await run(pool, 'echo', { value: 1 });
    const second = await run(pool, 'echo', { value: 2 });
    expect(second).toEqual({ value: 2, pid: first['pid'] });
  });

  it('runs as many children as it has jobs, and the rest in turn', async () => {
    const pool = makePool({ jobs: 2 });
    const ends = await Promise.all([1, 2, 3, 4, 5].map(() => run(pool, 'slow', { ms: 50 })));
    expect(new Set(ends.map((end) => end['pid'])).size).toBe(2);
  });

  it('hands on progress, and the step’s own coded error with its details; the child stays', async () => {
    const pool = makePool();
    const lines: string[] = [];
    const { pid } = await run(pool, 'echo');
    await run(pool, 'progress', {}, undefined, (line) => lines.push(line));
    expect(lines).toEqual(['slice 1 of 2']);
    expect(await failureOf(run(pool, 'coded'))).toMatchObject({
      code: 'SegNotFound',
      message: 'no SEG',
      details: { series: 2 },
    });
    expect((await run(pool, 'echo'))['pid']).toBe(pid);
  });

  it.each(['exit', 'killed'])(
    'a child that is lost (%s) is ProcessLost, and the next step gets a new one',
    async (step) => {
      const pool = makePool();
      const error = await failureOf(run(pool, step));
      expect(error.code).toBe('ProcessLost');
      expect(error.retryable).toBe(true);
      expect(await run(pool, 'echo', { value: 1 })).toMatchObject({ value: 1 });
    },
  );

  it.each(['volumes', 'heap'])(
    'a child that outgrows its memory (%s) is OutOfMemory',
    async (step) => {
      const pool = makePool({ memoryMb: 400 });
      expect((await failureOf(run(pool, step))).code).toBe('OutOfMemory');
      expect(await run(pool, 'echo', { value: 1 })).toMatchObject({ value: 1 });
    },
    120_000,
  );

  it.each(['hang', 'busy'])('ends a child that is aborted (%s), and rejects only once it is gone', async (step) => {
    const pool = makePool();
    const { pid } = await run(pool, 'echo');
    const abort = new AbortController();
    const running = run(pool, step, {}, abort.signal);
    setTimeout(() => abort.abort(new Error('cancelled')), 100);
    await expect(running).rejects.toThrow('cancelled');
    expect(isAlive(pid as number)).toBe(false);
  });

  it('kills the programs of a child that has to be killed', async () => {
    const pool = makePool();
    const pidFile = `${temporaryFolder('pool')}/pid`;
    const abort = new AbortController();
    const running = run(pool, 'program', { pidFile, busy: true }, abort.signal);
    setTimeout(() => abort.abort(new Error('cancelled')), 500);
    await expect(running).rejects.toThrow('cancelled');
    await untilGone(Number(readFileSync(pidFile, 'utf8')));
  });

  it.each(['hang', 'busy'])('ends a child that says nothing any more (%s) as StepTimeout', async (step) => {
    const pool = makePool({ silenceMs: 3_000 });
    const { pid } = await run(pool, 'echo');
    const error = await failureOf(run(pool, step));
    expect(error.code).toBe('StepTimeout');
    expect(error.retryable).toBe(true);
    expect(isAlive(pid as number)).toBe(false);
    expect(await run(pool, 'echo', { value: 1 })).toMatchObject({ value: 1 });
  });

  it('does not take a child for stuck that tells its progress', async () => {
    // On a busy machine the child alone takes a second to start; it talks for twice as long as it may be silent.
    const pool = makePool({ silenceMs: 3_000 });
    expect(await run(pool, 'talk', { times: 30, ms: 200 })).toEqual({ said: 30 });
  });

  it('leaves no one waiting when those before in the queue were aborted', async () => {
    const pool = makePool();
    const abort = new AbortController();
    const first = run(pool, 'slow', { ms: 200 });
    const aborted = run(pool, 'echo', { value: 'aborted' }, abort.signal);
    const last = run(pool, 'echo', { value: 'last' });
    abort.abort(new Error('cancelled'));
    await expect(aborted).rejects.toThrow('cancelled');
    await first;
    expect(await last).toMatchObject({ value: 'last' });
  });

  it('refuses a step that is aborted before it begins', async () => {
    await expect(run(makePool(), 'echo', {}, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  });

  it('ends what runs when it is closed: as something another worker can do again', async () => {
    const pool = makePool({ jobs: 2 });
    const running = [run(pool, 'slow', { ms: 60_000 }), run(pool, 'busy')].map(failureOf);
    await sleep(300);
    await pool.close();
    for (const error of await Promise.all(running))
      expect(error).toMatchObject({ code: 'WorkerShutdown', retryable: true });
    expect((await failureOf(run(pool, 'echo'))).code).toBe('WorkerShutdown');
  });

  it('tells why children ended before their step was done, and nothing of those that are let go afterwards', async () => {
    const reasons: string[] = [];
    const onEnd = (reason: string): void => void reasons.push(reason);
    const pool = makePool({ memoryMb: 400, onEnd });
    await run(pool, 'echo');
    for (const step of ['killed', 'heap']) await failureOf(run(pool, step));
    await failureOf(run(makePool({ silenceMs: 1_000, onEnd }), 'hang'));
    const cancel = new AbortController();
    const cancelled = run(pool, 'slow', { ms: 60_000 }, cancel.signal).catch(() => undefined);
    setTimeout(() => cancel.abort(new Error('cancelled')), 300);
    await cancelled;
    await run(pool, 'echo');
    await pool.close();
    expect(reasons).toEqual(['lost', 'memory', 'silence', 'abort']);
  });
});
