import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { onPath, seconds } from '../../../scripts/lib/console.mjs';
import { checkNode, outOfDate } from '../../../scripts/lib/install.mjs';
import {
  addReport,
  closing,
  countCheck,
  countSkip,
  newSummary,
  noteReasons,
} from '../../../scripts/lib/test-summary.mjs';
import { temporaryFolder } from '../../support/run-step.js';

describe('the Node that set-up accepts', () => {
  it.each(['20.19.0', '20.20.2', '22.0.0', '24.1.0'])('includes %s', (version) => {
    expect(checkNode(version)).toBe(true);
  });
  it.each(['18.20.4', '20.18.3', '16.0.0'])('does not include %s', (version) => {
    expect(checkNode(version)).toBe(false);
  });
});

describe('packages', () => {
  const lock = {
    packages: {
      '': { version: '1.0.0' },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '2.0.0', dev: true },
      'node_modules/c-for-another-machine': { version: '3.0.0', optional: true },
    },
  };

  it('are out of date when nothing is installed', () => {
    expect(outOfDate(lock, undefined)).toEqual(['node_modules/a', 'node_modules/b']);
  });

  it('are out of date when a version differs or a development package is missing', () => {
    expect(outOfDate(lock, { packages: { 'node_modules/a': { version: '0.9.0' } } })).toEqual([
      'node_modules/a',
      'node_modules/b',
    ]);
  });

  it('are up to date without the optional ones of other machines', () => {
    const installed = { packages: { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0' } } };
    expect(outOfDate(lock, installed)).toEqual([]);
  });

  it('of other platforms are in the lock file too: npm ci refuses one without them', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const paths = Object.keys(packages);
    const wanted = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.filter((name) => !paths.some((path) => path.endsWith(`node_modules/${name}`)))).toEqual([]);
  });

  it('that run native code bring their binaries and need no install script', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { hasInstallScript?: boolean; optional?: boolean; dev?: boolean }>;
    };
    const withScripts = Object.entries(packages).filter(([, entry]) => entry.hasInstallScript && !entry.optional);
    // Their scripts print a banner, or look whether a binary that came as a package of its own is there.
    const harmless = ['core-js-pure', 'protobufjs', '@swc/core', 'unrs-resolver', 'esbuild', 'msgpackr-extract'];
    expect(withScripts.map(([path]) => path).filter((path) => !harmless.some((name) => path.endsWith(name)))).toEqual(
      [],
    );
  });
});

describe('programs', () => {
  it('are found on PATH when they can be run, and only then', () => {
    const folder = temporaryFolder('path');
    mkdirSync(join(folder, 'a-folder'));
    writeFileSync(join(folder, 'runs'), '#!/bin/sh\n');
    chmodSync(join(folder, 'runs'), 0o755);
    writeFileSync(join(folder, 'text'), 'no program');
    chmodSync(join(folder, 'text'), 0o644);
    const env = { PATH: `:${folder}` };
    expect(onPath('runs', env)).toBe(join(folder, 'runs'));
    expect(onPath('a-folder', env)).toBeUndefined();
    if (process.platform !== 'win32') expect(onPath('text', env)).toBeUndefined();
    expect(onPath('runs', {})).toBeUndefined();
  });

  it('show their time in minutes and seconds', () => {
    expect(seconds(Date.now() - 9_000)).toBe('9 s');
    expect(seconds(Date.now() - 65_000)).toBe('1 m 05 s');
  });
});

describe('the summary of all tests', () => {
  const report = (results: unknown[]): string => {
    const path = join(temporaryFolder('report'), 'report.json');
    writeFileSync(path, JSON.stringify({ testResults: results }));
    return path;
  };
  const file = (name: string, status: string, tests: string[], message = '') => ({
    name: `/repo/test/${name}`,
    status,
    message,
    assertionResults: tests.map((one, index) => ({ status: one, fullName: `${name} ${index}` })),
  });

  it('adds suites and checks, and ends with one closing line', () => {
    const summary = newSummary();
    countCheck(summary, 'lint', true);
    noteReasons(summary, 'stderr | x\n\u001b[22m\u001b[39mskipped: no salmon here\n');
    addReport(summary, 'unit', report([file('a.test.ts', 'passed', ['passed', 'passed', 'skipped'])]), 0, '/repo');
    countSkip(summary, 'Node 24', 'no Node 24 from npm');
    const text = closing(summary);
    expect(text.split('\n').at(-1)).toBe('3 passed, 0 failed, 2 skipped');
    expect(text).toContain('test/a.test.ts: 1');
    expect(text).toContain('no salmon here');
    expect(text).toContain('no Node 24 from npm');
  });

  it('names each failed test, and says in a few lines why it did', () => {
    const summary = newSummary();
    const failed = file('b.test.ts', 'failed', ['passed', 'failed']);
    const trace = Array.from({ length: 40 }, (_, at) => `    at line ${at}`).join('\n');
    const failureMessages = [`\u001b[31mAssertionError\u001b[39m: expected 25 to be 50\n${trace}`];
    Object.assign(failed.assertionResults[1]!, { failureMessages });
    addReport(summary, 'e2e', report([failed]), 1, '/repo');
    const text = closing(summary);
    expect(text).toContain(
      'e2e: test/b.test.ts: b.test.ts 1\n      AssertionError: expected 25 to be 50\n          at line 0',
    );
    expect(text).not.toContain('at line 9');
    expect(closing(summary).split('\n').at(-1)).toBe('1 passed, 1 failed, 0 skipped');
  });

  it('counts a file that does not load, and a run that leaves no report, as failures', () => {
    const summary = newSummary();
    addReport(summary, 'unit', report([file('c.test.ts', 'failed', [], 'Cannot find module')]), 1, '/repo');
    addReport(summary, 'e2e', '/nowhere/report.json', 137, '/repo');
    expect(summary.failed).toBe(2);
    expect(closing(summary)).toMatch(/Cannot find module[\s\S]*exit code 137/);
  });
});
