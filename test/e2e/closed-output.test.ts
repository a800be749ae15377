import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';

describe('a reader that stops reading', () => {
  it('is no fault of the command: `cohortflow --help | head -1`', async () => {
    const child = spawn(process.execPath, [join(PACKAGE_ROOT, 'bin', 'cohortflow.js'), '--help'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // Closed before anything is written.
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    expect([code, stderr]).toEqual([0, '']);
  });
});
