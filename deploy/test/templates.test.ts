import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT } from './support/sdk-calls.js';
import { FULL, PLAIN, templatesOf, WITH_NAT, type Templates } from './support/templates.js';

const INSTALLATIONS: readonly (readonly [string, Templates])[] = [
  ['least', templatesOf(PLAIN)],
  ['everything', templatesOf(FULL)],
  ['nat', templatesOf(WITH_NAT)],
];
const STACKS = ['data', 'network', 'work'] as const;

/** Hashes of files that a template names may change with the file; ours names none, and this keeps it so visible. */
const normalised = (template: unknown): string =>
  `${JSON.stringify(template, null, 1).replaceAll(/\b[0-9a-f]{64}\.(zip|json)\b/g, '<asset>.$1')}\n`;

describe('the templates', () => {
  // On purpose: `npm test -- deploy -u` writes them anew, and the difference is read before it is committed.
  it.each(STACKS)('of the stack %s are as they were', async (stack) => {
    const [, [, everything]] = INSTALLATIONS as [unknown, readonly [string, Templates]];
    await expect(normalised(everything[stack])).toMatchFileSnapshot(`templates/${stack}.json`);
  });

  it('name no account, and no file beside them', () => {
    for (const [, templates] of INSTALLATIONS) {
      const text = JSON.stringify(templates).replaceAll('secret:dragen-', '').replaceAll('111122223333', '');
      expect(text).not.toMatch(/:\d{12}:/);
      expect(text).not.toMatch(/cdk-hnb659fds-assets/);
    }
  });
});

const lint = process.env['COHORTFLOW_TEST_CFN_LINT'];
if (lint === undefined) console.log('skipped: cfn-lint is not here, the templates are not linted');

describe.skipIf(lint === undefined)('cfn-lint', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cohortflow-templates-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('finds nothing in any template', () => {
    const files = INSTALLATIONS.flatMap(([name, templates]) =>
      STACKS.map((stack) => {
        const file = join(folder, `${name}-${stack}.json`);
        writeFileSync(file, JSON.stringify(templates[stack]));
        return file;
      }),
    );
    // W6001: an output that is another stack's; the printed settings are made of nothing else. W3010: zones by name; whoever
    // names zones in the settings means these.
    const args = ['--regions', 'eu-central-1', '--ignore-checks', 'W6001', 'W3010', '--', ...files];
    const { stdout, stderr, status } = spawnSync(lint ?? '', args, { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toBe('');
    expect(status).toBe(0);
  });
});

describe('the packages of the app', () => {
  it('are pinned, and the lock names no registry', () => {
    const read = (name: string): string => readFileSync(join(ROOT, 'deploy', name), 'utf8');
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >;
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    }
    expect(read('package-lock.json')).not.toMatch(/"resolved"|https?:\/\/(?!(www\.)?(opencollective|github|patreon))/);
    expect(readFileSync(join(ROOT, 'package.json'), 'utf8')).not.toMatch(/aws-cdk|"workspaces"/);
  });
});
