import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../../src/app/package-root.js';
import { refreshed } from '../../../scripts/write-docs.mjs';

describe('generated documentation', () => {
  it.each(['docs/failures.md', 'docs/workflows.md'])(
    '%s is what the code says (node scripts/write-docs.mjs)',
    async (name) => {
      const text = readFileSync(join(PACKAGE_ROOT, name), 'utf8');
      expect(text).toContain('<!-- begin');
      expect(await refreshed(text)).toBe(text);
    },
  );
});
