import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load-config.js';

function settingsFile(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'cohortflow-config-')), 'cohortflow.yaml');
  writeFileSync(path, text);
  return path;
}

describe('loadConfig', () => {
  it('prefers flags to the environment, the environment to the file, the file to the defaults', () => {
    const COHORTFLOW_CONFIG = settingsFile('jobs: 3\ntaskQueue: night\nmemoryPerJobMb: 2048\n');
    const config = loadConfig(
      { COHORTFLOW_CONFIG, COHORTFLOW_JOBS: '5', COHORTFLOW_MEMORY_PER_JOB: '4096' },
      { jobs: 7 },
    );
    expect(config).toMatchObject({ jobs: 7, memoryPerJobMb: 4096, taskQueue: 'night' });
  });

  it('keeps state and cache apart, below the folders the environment names', () => {
    const config = loadConfig({ XDG_STATE_HOME: '/s', XDG_CACHE_HOME: '/c' });
    expect([config.stateFolder, config.cacheFolder]).toEqual(['/s/cohortflow', '/c/cohortflow']);
  });

  it('refuses a number of jobs that is none, naming the variable', () => {
    expect(() => loadConfig({ COHORTFLOW_JOBS: 'two' })).toThrow(/COHORTFLOW_JOBS.*"two".*whole number/);
  });

  it('refuses an unknown key in the file and lists the known ones', () => {
    const COHORTFLOW_CONFIG = settingsFile('job: 3\n');
    expect(() => loadConfig({ COHORTFLOW_CONFIG })).toThrow(/"job".*stateFolder, cacheFolder, jobs/);
  });

  it('says so when the named file is not there', () => {
    expect(() => loadConfig({ COHORTFLOW_CONFIG: '/nowhere/cohortflow.yaml' })).toThrow(/nothing is there/);
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(loadConfig({}))).toBe(true);
  });
});
