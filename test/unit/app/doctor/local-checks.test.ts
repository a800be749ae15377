import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anyFailed, failed, ok, runChecks, warning, type Check } from '../../../../src/app/doctor/check.js';
import { folderChecks } from '../../../../src/app/doctor/local/folders.js';
import { diskCheck, memoryCheck } from '../../../../src/app/doctor/local/machine.js';
import { nodeCheck } from '../../../../src/app/doctor/local/node.js';
import { programChecks } from '../../../../src/app/doctor/local/programs.js';
import { queueCheck, temporalCheck } from '../../../../src/app/doctor/local/temporal.js';
import { CohortflowError } from '../../../../src/domain/errors.js';
import type { ToolRunner } from '../../../../src/ports/tool-runner.js';
import { temporaryFolder } from '../../../support/run-step.js';

const { signal } = new AbortController();
const look = (check: Check) => runChecks([check], signal);
const throwing = (error: Error): Check => ({ name: 'X', look: () => Promise.reject(error) });

describe('running checks', () => {
  it('keeps their order and their names, several findings of one included', async () => {
    const checks: Check[] = [
      { name: 'a', look: () => new Promise((resolve) => setTimeout(() => resolve(ok('slow')), 20)) },
      { name: 'b', look: async () => [ok('1'), { ...warning('2', 'do'), name: 'c' }] },
    ];
    expect(await runChecks(checks, signal)).toEqual([
      { name: 'a', state: 'ok', found: 'slow' },
      { name: 'b', state: 'ok', found: '1' },
      { name: 'c', state: 'warning', found: '2', fix: 'do' },
    ]);
  });

  it('calls unknown what may not be looked at, with the action that is missing', async () => {
    const error = new CohortflowError('AwsDenied', 'no', { action: 'kms:DescribeKey' });
    expect(await look(throwing(error))).toEqual([
      {
        name: 'X',
        state: 'unknown',
        found: expect.stringContaining('no'),
        fix: expect.stringContaining('kms:DescribeKey'),
      },
    ]);
  });

  it('never breaks off for a look that fails in its own way', async () => {
    const findings = await runChecks(
      [
        throwing(new TypeError('odd')),
        throwing(new CohortflowError('AwsUnavailable', 'away')),
        throwing(new CohortflowError('AwsInvalidRequest', 'bad')),
      ],
      signal,
    );
    expect(findings.map(({ state }) => state)).toEqual(['unknown', 'unknown', 'failed']);
    for (const { fix } of findings) expect(fix).toBeTruthy();
  });

  it('fails as a whole only when something failed', () => {
    const finding = (verdict: ReturnType<typeof ok>) => ({ ...verdict, name: 'n' });
    expect(anyFailed([finding(ok('')), finding(warning('', ''))])).toBe(false);
    expect(anyFailed([finding(ok('')), finding(failed('', ''))])).toBe(true);
  });

  it('breaks off when it is told to', async () => {
    await expect(runChecks([nodeCheck()], AbortSignal.abort())).rejects.toThrow();
  });
});

describe('checks of this machine', () => {
  it('take the Node versions that the product supports', async () => {
    const states = await Promise.all(
      ['v20.18.9', 'v18.0.0', 'v20.19.0', 'v22.1.0'].map(async (version) => (await look(nodeCheck(version)))[0]?.state),
    );
    expect(states).toEqual(['failed', 'failed', 'ok', 'ok']);
  });

  it('tell folders that can be written from those that cannot, and leave nothing there', async () => {
    const folder = temporaryFolder('doctor');
    const blocked = join(folder, 'file', 'below');
    writeFileSync(join(folder, 'file'), '');
    const findings = await runChecks(
      folderChecks({ stateFolder: join(folder, 'new', 'state'), cacheFolder: blocked }),
      signal,
    );
    expect(findings.map(({ state }) => state)).toEqual(['ok', 'failed']);
    expect(findings[1]?.fix).toContain('COHORTFLOW_CACHE');
    expect(readdirSync(folder)).toEqual(['file']);
    expect(existsSync(join(folder, 'new'))).toBe(false);
  });

  it('judge the room of a disk', async () => {
    const free: Record<string, number> = { '/out': 50e9, '/cache': 5e9, '/state': 0.5e9 };
    const check = diskCheck({ stateFolder: '/state', cacheFolder: '/cache' }, '/out', async (path) => free[path] ?? 0);
    expect((await look(check)).map(({ state }) => state)).toEqual(['ok', 'warning', 'failed']);
  });

  it('judge the memory of heavy steps', async () => {
    const machine = { cores: 4, memoryMb: 8000, heapMb: 4000 };
    const state = async (jobs: number, memoryPerJobMb: number) =>
      (await look(memoryCheck({ jobs, memoryPerJobMb }, machine)))[0]?.state;
    expect([await state(4, 1500), await state(4, 512), await state(8, 1500)]).toEqual(['ok', 'warning', 'warning']);
  });

  it('say what cannot be done without a program', async () => {
    const tools: ToolRunner = {
      find: async (program) => (program === 'salmon' ? '/bin/salmon' : undefined),
      run: async () => ({ exitCode: 0, stdout: 'salmon 1.10.3\n', stderr: '' }),
    };
    const [salmon, dump] = await runChecks(programChecks(tools), signal);
    expect(salmon).toMatchObject({ name: 'salmon', state: 'ok', found: '1.10.3' });
    expect(dump).toMatchObject({ name: 'fastq-dump', state: 'warning', fix: expect.stringContaining('sra') });
  });

  it('call a program that does not run no program', async () => {
    const tools: ToolRunner = {
      find: async () => '/bin/x',
      run: async () => ({ exitCode: 127, stdout: '', stderr: 'libboost is missing' }),
    };
    expect((await runChecks(programChecks(tools), signal)).map(({ state }) => state)).toEqual(['warning', 'warning']);
  });

  it('need no server, which a run starts, but one that the environment names must answer', async () => {
    const folder = temporaryFolder('doctor');
    mkdirSync(join(folder, 'state'), { recursive: true });
    const places = { stateFolder: join(folder, 'state'), cacheFolder: folder, taskQueue: 'q' };
    const before = process.env['TEMPORAL_ADDRESS'];
    try {
      delete process.env['TEMPORAL_ADDRESS'];
      expect((await look(temporalCheck(places)))[0]?.state).not.toBe('failed');
      expect((await look(queueCheck(places, true)))[0]?.state).toBe('ok');
      process.env['TEMPORAL_ADDRESS'] = '127.0.0.1:9';
      expect((await look(temporalCheck(places)))[0]).toMatchObject({
        state: 'failed',
        fix: expect.stringContaining('TEMPORAL_ADDRESS'),
      });
      expect((await look(queueCheck(places, true)))[0]?.state).toBe('unknown');
    } finally {
      if (before === undefined) delete process.env['TEMPORAL_ADDRESS'];
      else process.env['TEMPORAL_ADDRESS'] = before;
    }
  }, 60_000);
});
