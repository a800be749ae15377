import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as download from '../../../../src/adapters/local/temporal-server-download.js';
import {
  compareVersions,
  findTemporalProgram,
  obtainTemporalProgram,
  serverVersionIn,
} from '../../../../src/adapters/local/temporal-server-program.js';
import { temporaryFolder } from '../../../support/run-step.js';

const SH_FOLDERS = '/usr/bin:/bin';

/** A program that says what it is told to say. */
function program(folder: string, name: string, body: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(folder, name), 0o755);
}

const says = (server: string): string => `echo "temporal version 1.5.1 (Server ${server}, UI 2.42.1)"`;

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** An empty cache, a PATH of one empty folder, and a site that cannot be reached. */
function machine(): { cache: string; path: string; lines: string[]; log: (line: string) => void } {
  const root = temporaryFolder('program');
  const path = join(root, 'path');
  mkdirSync(path);
  vi.stubEnv('PATH', path);
  vi.spyOn(download, 'downloadServer').mockResolvedValue({ reason: 'no way out' });
  const lines: string[] = [];
  return { cache: join(root, 'cache'), path, lines, log: (line) => void lines.push(line) };
}

describe('the version of the Temporal CLI', () => {
  it('is the server’s, from the answer of --version', () => {
    expect(serverVersionIn('temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)')).toBe('1.29.1');
    expect(serverVersionIn('temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)')).toBe('1.29.1');
    expect(serverVersionIn('git version 2.39')).toBeUndefined();
  });

  it('is compared number by number', () => {
    expect(compareVersions('1.29.1', '1.30')).toBeLessThan(0);
    expect(compareVersions('1.10.0', '1.9.9')).toBeGreaterThan(0);
    expect(compareVersions('1.29', '1.29.0')).toBe(0);
  });
});

describe('finding the Temporal CLI', () => {
  it('takes the one on PATH before the one in the cache', async () => {
    const { cache, path, log } = machine();
    program(join(cache, 'bin'), 'temporal', says('1.28.0'));
    await expect(findTemporalProgram(cache, log)).resolves.toMatchObject({ source: 'cache', serverVersion: '1.28.0' });
    program(path, 'temporal', says('1.29.1'));
    await expect(findTemporalProgram(cache, log)).resolves.toEqual({
      path: join(path, 'temporal'),
      serverVersion: '1.29.1',
      source: 'PATH',
    });
  });

  it.each([
    ['too old', says('1.20.0'), /1\.20\.0; at least/],
    ['something else of that name', 'echo hello', /not the Temporal CLI.*hello/],
    ['broken', 'exit 9', /does not run/],
  ])('passes over one that is %s, and says so', async (_, body, said) => {
    const { cache, path, lines, log } = machine();
    program(path, 'temporal', body);
    program(join(cache, 'bin'), 'temporal', says('1.29.1'));
    await expect(findTemporalProgram(cache, log)).resolves.toMatchObject({ source: 'cache' });
    expect(lines.join('\n')).toMatch(said);
  });
});

describe('getting the Temporal CLI', () => {
  it('puts the SDK’s download into the cache', async () => {
    const { cache, log } = machine();
    vi.mocked(download.downloadServer).mockImplementation(async (_, folder) => {
      program(folder, 'temporal-sdk', says('1.31.2'));
      return { path: join(folder, 'temporal-sdk') };
    });
    const got = await obtainTemporalProgram(cache, log);
    expect(got).toEqual({ path: join(cache, 'bin', 'temporal'), serverVersion: '1.31.2', source: 'download' });
    expect(readdirSync(join(cache, 'bin'))).toEqual(['temporal']);
  });

  it('builds it with Go when the download cannot be reached, once for two callers', async () => {
    const { cache, path, lines, log } = machine();
    vi.stubEnv('PATH', `${path}:${SH_FOLDERS}`);
    const made = `printf '#!/bin/sh\\n%s\\n' '${says('1.29.1')}' > "$GOBIN/temporal"; chmod +x "$GOBIN/temporal"`;
    program(path, 'go', `echo "go.temporal.io/server/common" >&2; echo run >> "${path}/runs"; ${made}`);
    const [one, two] = await Promise.all([obtainTemporalProgram(cache, log), obtainTemporalProgram(cache, log)]);
    expect([one.source, two.source].sort()).toEqual(['cache', 'go install']);
    expect(lines.filter((line) => line.includes('building it with Go'))).toHaveLength(1);
    expect(lines.join('\n')).toContain('1 packages compiled');
    expect(existsSync(join(cache, 'bin', 'temporal'))).toBe(true);
  });

  it('says what was tried and what to install when there is no way', async () => {
    const { cache, log } = machine();
    await expect(obtainTemporalProgram(cache, log)).rejects.toMatchObject({
      code: 'ToolMissing',
      message: expect.stringMatching(/no way out.*Go is not on PATH.*Install the Temporal CLI.*TEMPORAL_ADDRESS/s),
    });
  });

  it('says why Go failed', async () => {
    const { cache, path, log } = machine();
    vi.stubEnv('PATH', `${path}:${SH_FOLDERS}`);
    program(path, 'go', 'echo "go: github.com/temporalio/cli: module lookup disabled" >&2; exit 1');
    await expect(obtainTemporalProgram(cache, log)).rejects.toThrow('module lookup disabled');
    expect(readdirSync(join(cache, 'bin'))).toEqual([]);
  });
});
