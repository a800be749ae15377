import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ensurePrograms } from '../../../scripts/lib/system-packages.mjs';
import { temporaryFolder } from '../../support/run-step.js';

/** A machine whose PATH holds a package manager and nothing else; it installs by making programs, and notes what it did. */
function machine(installs: readonly string[]): { readonly notes: () => string[] } {
  const root = temporaryFolder('packages');
  const path = join(root, 'path');
  mkdirSync(path);
  const notes = join(root, 'notes');
  const made = installs.map((name) => `echo '#!/bin/sh' > "${path}/${name}"; /bin/chmod +x "${path}/${name}"`);
  const body = `#!/bin/sh\necho "$@" >> "${notes}"\n[ "$1" = update ] && exit 0\n${made.join('\n')}\n`;
  writeFileSync(join(path, 'apt-get'), body, { mode: 0o755 });
  vi.stubEnv('PATH', path);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  return { notes: () => (existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : []) };
}

const said = (): string =>
  vi
    .mocked(process.stderr.write)
    .mock.calls.map(([text]) => String(text))
    .join('');

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('programs of other makers', () => {
  it('are installed with the package manager as root in CI, and then found', async () => {
    const { notes } = machine(['salmon']);
    vi.spyOn(process, 'getuid').mockReturnValue(0);
    vi.stubEnv('CI', 'true');
    expect(await ensurePrograms(['salmon'])).toEqual([]);
    expect(notes()).toEqual(['update', 'install -y --no-install-recommends salmon']);
    expect(await ensurePrograms(['salmon'])).toEqual([]);
    expect(notes().length).toBe(2);
  });

  it('are named with what they are for and what to install, when the package manager has none', async () => {
    machine([]);
    vi.spyOn(process, 'getuid').mockReturnValue(0);
    vi.stubEnv('CI', 'true');
    expect(await ensurePrograms(['salmon', 'fastq-dump'])).toEqual(['salmon', 'fastq-dump']);
    expect(said()).toMatch(/fastq-dump is not installed \(for reading SRA archives\).*sra-toolkit/);
  });

  it('are left alone for a user who cannot be asked', async () => {
    const { notes } = machine(['salmon']);
    vi.spyOn(process, 'getuid').mockReturnValue(1000);
    vi.stubEnv('CI', 'true');
    expect(await ensurePrograms(['salmon'])).toEqual(['salmon']);
    expect(notes()).toEqual([]);
    expect(said()).toContain('apt-get install salmon');
  });
});
