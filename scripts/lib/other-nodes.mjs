// Other supported lines of Node, as npm packages that hold nothing but the binary (no install script needed).
import { existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { quietly } from './console.mjs';
import { product } from './product.mjs';

export const SUPPORTED_LINES = [20, 22, 24];

/** Path of a Node of that major version, fetched into our cache once; undefined when npm has none for this machine. */
export async function obtainNode(major) {
  const { loadConfig } = await product('config/load-config.js');
  const folder = join(loadConfig().cacheFolder, 'nodes', `${major}`);
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const binary = join(folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(binary)) {
    const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--force', `${name}@${major}`];
    if (!(await quietly(`fetching Node ${major}`, 'npm', args))) return undefined;
  }
  try {
    const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim();
    return version.startsWith(`v${major}.`) ? { binary, version } : undefined;
  } catch {
    return undefined;
  }
}
