import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../../src/app/package-root.js';
import { AWS_SHAPE } from '../../../src/config/aws-settings.js';

const read = (path: string): string => readFileSync(join(PACKAGE_ROOT, path), 'utf8');
const lines = read('Dockerfile').split('\n');
const instructions = (name: string): string[] =>
  lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));

describe('the Dockerfile', () => {
  it('has a target for workers and one for processing jobs, on a pinned Node', () => {
    expect(instructions('FROM').map((line) => line.split(' AS ')[1])).toEqual([
      ...['packages', 'build', 'base', 'processing', 'aws-stand-in', 'worker'],
    ]);
    expect(instructions('ARG')[0]).toMatch(/^NODE_IMAGE=node:\d+\.\d+\.\d+-/);
  });

  it('copies what is in the checkout', () => {
    const sources = instructions('COPY')
      .filter((line) => !line.startsWith('--from'))
      .flatMap((line) => line.split(' ').slice(0, -1));
    for (const source of sources) expect(existsSync(join(PACKAGE_ROOT, source)), source).toBe(true);
  });

  it('is not refused, by .dockerignore, what it copies', () => {
    const excluded = read('.dockerignore').split('\n');
    for (const path of ['package.json', 'scripts', 'src', 'bin']) expect(excluded).not.toContain(path);
    expect(excluded.indexOf('!test/support')).toBeGreaterThan(excluded.indexOf('test/*'));
  });

  it('installs moto and the AWS CLI of the tests for the stand-in', () => {
    const [, packages = ''] = /const PACKAGES = \[(.*)\];/.exec(read('scripts/lib/moto.mjs')) ?? [];
    expect(packages.split(', ')).toHaveLength(2);
    for (const one of packages.split(', ')) expect(read('Dockerfile')).toContain(one);
  });

  it('starts programs that the build makes, in exec form, so that signals reach them', () => {
    const entries = instructions('ENTRYPOINT').map((line) => JSON.parse(line) as string[]);
    const made = entries.map(([, path = '']) => path.replace('/cohortflow/', ''));
    expect(made).toEqual(['dist/processing/main.js', 'scripts/aws-stand-in.mjs', 'bin/cohortflow.js']);
    for (const path of ['src/processing/main.ts', ...made.slice(1)]) {
      expect(existsSync(join(PACKAGE_ROOT, path)), path).toBe(true);
    }
  });
});

describe('docs/aws.md', () => {
  it('shows every setting of an account that a run reads', () => {
    const text = read('docs/aws.md');
    const shown = (name: string): boolean => new RegExp(`\\b${name}:`).test(text);
    const { dragen: _dragen, features: _features, athena: _athena, ...used } = AWS_SHAPE;
    for (const [name, kind] of Object.entries(used)) {
      expect(shown(name), name).toBe(true);
      if (typeof kind === 'object' && !Array.isArray(kind)) {
        for (const below of Object.keys(kind)) expect(shown(below), `${name}.${below}`).toBe(true);
      }
    }
  });
});
