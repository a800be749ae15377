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

  it('shares the memory between the jobs that someone asked for', () => {
    const [one, four] = ['1', '4'].map((jobs) => loadConfig({ COHORTFLOW_JOBS: jobs }).memoryPerJobMb);
    expect(one! >= 4 * four! || four === 1024).toBe(true);
  });

  it('takes roles as a list in the environment or the file, and all of them in a fixed order', () => {
    expect(loadConfig({ COHORTFLOW_ROLES: 'cpu, io' }).roles).toEqual(['io', 'cpu']);
    const COHORTFLOW_CONFIG = settingsFile('roles: [orchestration]\n');
    expect(loadConfig({ COHORTFLOW_CONFIG }).roles).toEqual(['orchestration']);
    expect(loadConfig({ COHORTFLOW_CONFIG, COHORTFLOW_ROLES: 'all' }).roles).toEqual(['orchestration', 'io', 'cpu']);
    expect(() => loadConfig({ COHORTFLOW_ROLES: 'gpu' })).toThrow(/COHORTFLOW_ROLES.*"gpu".*orchestration, io, cpu/);
  });

  it('takes a port for all interfaces, or an address; nothing listens unless asked', () => {
    const at = (text: string): string => loadConfig({ COHORTFLOW_HEALTH_PORT: text }).healthPort;
    expect([at('8080'), at('127.0.0.1:8080'), at('[::1]:8080'), at('off')]).toEqual([
      ...['0.0.0.0:8080', '127.0.0.1:8080', '[::1]:8080', 'off'],
    ]);
    expect(loadConfig({})).toMatchObject({ healthPort: 'off', metricsPort: 'off' });
    expect(() => at('70000')).toThrow(/COHORTFLOW_HEALTH_PORT.*"70000".*host:port/);
  });

  it('takes a log level in any case', () => {
    expect(loadConfig({ COHORTFLOW_LOG_LEVEL: 'debug' }).logLevel).toBe('DEBUG');
    expect(() => loadConfig({ COHORTFLOW_LOG_LEVEL: 'loud' })).toThrow(/COHORTFLOW_LOG_LEVEL.*TRACE, DEBUG/);
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(loadConfig({}))).toBe(true);
  });
});
