import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/run-step.js';
import { temporalCli } from '../support/temporal-servers.js';

const temporal = await temporalCli();
const CHECKOUT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

interface PackedFile {
  readonly path: string;
}

function npm(args: readonly string[], cwd: string): string {
  // Settings of the npm that runs the tests (`npm_config_…`, `npm_package_…`) are not those of a user's empty project.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(config|package|lifecycle)/i.test(name)),
  );
  return execFileSync('npm', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('the packed package, installed into an empty project', () => {
  const root = temporaryFolder('pack');
  const project = join(root, 'project');
  const manifest = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as Manifest;
  const modules = Object.keys(manifest.exports)
    .filter((name) => name !== './package.json')
    .map((name) => name.replace('.', 'cohortflow'));
  let packed: readonly PackedFile[];

  function run(
    args: readonly string[],
    env: NodeJS.ProcessEnv = process.env,
  ): { readonly code: number; readonly stdout: string; readonly stderr: string } {
    try {
      const stdout = execFileSync(process.execPath, args, {
        cwd: project,
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return { code: 0, stdout, stderr: '' };
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
      return { code: status, stdout, stderr };
    }
  }

  beforeAll(() => {
    mkdirSync(project, { recursive: true });
    // Built already: the hook that npm pack would run is left out, as it is on machines that switch hooks off.
    const [report] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', root], CHECKOUT)) as [
      { readonly filename: string; readonly files: readonly PackedFile[] },
    ];
    packed = report.files;
    writeFileSync(
      join(project, 'package.json'),
      '{ "name": "empty", "version": "1.0.0", "private": true, "type": "module" }\n',
    );
    npm(
      ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', join(root, report.filename)],
      project,
    );
  }, 300_000);

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('holds the compiled product, the launcher and the licence, and no sources, tests or data', () => {
    const paths = packed.map(({ path }) => path);
    for (const wanted of ['bin/cohortflow.js', 'dist/cli/main.js', 'LICENSE', 'README.md', 'CHANGELOG.md']) {
      expect(paths).toContain(wanted);
    }
    expect(paths.filter((path) => /^(src|test|scripts|bench|\.cache|node_modules)\//.test(path))).toEqual([]);
  });

  it('brings the bundles of its workflows, and its workers take them as made of this very code', () => {
    const installed = join(project, 'node_modules', 'cohortflow', 'dist');
    const bundler = pathToFileURL(join(installed, 'workers', 'workflow-bundle.js')).href;
    const cache = join(root, 'unused-cache');
    const code = `const { workflowBundle } = await import(${JSON.stringify(bundler)});
      process.stdout.write((await workflowBundle(${JSON.stringify(cache)})).codePath);`;
    const { stdout } = run(['--input-type=module', '--eval', code]);
    expect(dirname(stdout)).toBe(join(installed, 'workflow-bundles'));
    expect(existsSync(cache)).toBe(false);
  });

  it('has a bin that says its version and its help', () => {
    const bin = join(project, 'node_modules', '.bin', 'cohortflow');
    expect(run([bin, '--version']).stdout.trim()).toBe(manifest.version);
    const help = run([bin, '--help']);
    expect(help.code).toBe(0);
    for (const verb of ['run', 'demo', 'imaging', 'genomics', 'clinical', 'validate', 'worker', 'server']) {
      expect(help.stdout).toMatch(new RegExp(`^  ${verb}\\b`, 'm'));
    }
  });

  it('has a bin that refuses bad usage with exit code 2', () => {
    const bin = join(project, 'node_modules', '.bin', 'cohortflow');
    expect(run([bin, 'imaging', 'does-not-exist', '--output', 'out']).code).toBe(2);
    expect(run([bin, 'no-such-verb']).code).toBe(2);
  });

  it.each(modules)('%s can be imported, and exports what its declarations say', (name) => {
    const entry = manifest.exports[name.replace('cohortflow', '.')];
    if (typeof entry !== 'object') throw new Error(`${name} has no declarations`);
    const home = join(project, 'node_modules', 'cohortflow');
    expect(readFileSync(join(home, entry.types), 'utf8')).toMatch(/export/);
    const code = `const m = await import(${JSON.stringify(name)}); console.log(JSON.stringify(Object.keys(m)));`;
    const result = run(['--input-type=module', '-e', code]);
    expect(result.stderr).toBe('');
    const names = JSON.parse(result.stdout) as string[];
    expect(names.length).toBeGreaterThan(0);
  });

  it('computes a step without Temporal: the clinical features of a small table', () => {
    writeFileSync(join(project, 'table.csv'), 'Case ID,age,sex\nA-1,60,male\nA-2,71,female\nA-3,,male\n');
    const bin = join(project, 'node_modules', '.bin', 'cohortflow');
    const result = run([bin, 'clinical', 'table.csv', '--output', 'clinical', '--json']);
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ rows: 3 });
    const [header, ...rows] = readFileSync(join(project, 'clinical', 'features.csv'), 'utf8')
      .trim()
      .split('\n');
    expect(header!.split(',')).toEqual(expect.arrayContaining(['Case_ID', 'age', 'sex_male']));
    expect(rows.length).toBe(3);
  });

  it.skipIf(temporal === undefined)(
    'runs the demo on an embedded server: workers, workflow bundle and child processes are all in the package',
    () => {
      const env = {
        ...process.env,
        ...{ COHORTFLOW_STATE: join(root, 'state'), TEMPORAL_CONFIG_FILE: join(root, 'no-profile.toml') },
      };
      const bin = join(project, 'node_modules', '.bin', 'cohortflow');
      try {
        const result = run([bin, 'demo', '--folder', 'demo'], env);
        expect(result.code, result.stderr).toBe(0);
        const report = readFileSync(join(project, 'demo', 'results', 'report.html'), 'utf8');
        expect(report).toContain('SegNotFound');
      } finally {
        run([bin, 'server', 'stop'], env);
      }
    },
    300_000,
  );
});
