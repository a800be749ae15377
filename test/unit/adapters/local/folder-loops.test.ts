import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LocalFiles } from '../../../../src/adapters/local/files.js';
import { LocalFingerprints } from '../../../../src/adapters/local/fingerprints.js';
import { temporaryFolder } from '../../../support/run-step.js';

describe('symbolic links that lead back', () => {
  it('are not followed; links to other folders are', async () => {
    const files = new LocalFiles();
    const root = temporaryFolder('loops');
    const study = join(root, 'study');
    await mkdir(join(study, 'deep'), { recursive: true });
    await mkdir(join(root, 'elsewhere'));
    await writeFile(join(study, 'deep', 'a'), 'a');
    await writeFile(join(root, 'elsewhere', 'b'), 'b');
    const fingerprints = new LocalFingerprints(files, join(root, 'memory'));
    await symlink(join(root, 'elsewhere'), join(study, 'linked'));
    const before = await fingerprints.of(study);
    // Followed in every order there is, three links would make more folders than a lifetime has seconds.
    for (const name of ['one', 'two', 'deep/three']) await symlink(study, join(study, name));
    const found = await files.list(study, { recursive: true });
    expect(found.map(({ path }) => path.slice(study.length + 1))).toEqual(['deep/a', 'linked/b']);
    expect(await fingerprints.of(study)).toBe(before);
  });
});
