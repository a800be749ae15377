import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';

/**
 * Packs the built product as npm would and unpacks it below `root`, where a project finds it and the checkout's
 * dependencies as if they were installed: nothing is fetched.
 */
export class PackedProduct {
  private readonly packed: string;

  constructor(private readonly root: string) {
    const npm = ['pack', '--json', '--ignore-scripts', '--pack-destination', root];
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^npm_(config|package|lifecycle)/i.test(name)),
    );
    const output = execFileSync('npm', npm, {
      cwd: PACKAGE_ROOT,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [report] = JSON.parse(output) as [{ readonly filename: string }];
    this.packed = join(root, 'package');
    execFileSync('tar', ['-xzf', join(root, report.filename), '-C', root]);
    symlinkSync(join(PACKAGE_ROOT, 'node_modules'), join(root, 'node_modules'), 'dir');
  }

  /** A copy of one of the packed examples that uses the packed product; its folder. */
  example(name: string): string {
    const folder = join(this.root, name);
    cpSync(join(this.packed, 'examples', name), folder, { recursive: true });
    const installed = join(folder, 'node_modules', 'cohortflow');
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    if (!existsSync(installed)) cpSync(this.packed, installed, { recursive: true });
    return folder;
  }
}
