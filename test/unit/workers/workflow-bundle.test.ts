import { appendFileSync, copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { distPath } from '../../../src/app/package-root.js';
import { prebuildWorkflowBundles, workflowBundle } from '../../../src/workers/workflow-bundle.js';
import { temporaryFolder } from '../../support/run-step.js';

const PREBUILT = distPath('workflow-bundles');
const CONVERTER = distPath('codec/failure-converter.js');

describe('workflow bundles', () => {
  const cache = temporaryFolder('bundles');
  // Beside what it imports from.
  const folder = mkdtempSync(join(dirname(CONVERTER), 'test-'));

  beforeAll(prebuildWorkflowBundles);

  afterAll(() => {
    for (const path of [cache, folder]) rmSync(path, { recursive: true, force: true });
  });

  it('that came with the installation are taken as they are, one with and one without encryption', async () => {
    const [plain, encoding] = [await workflowBundle(cache), await workflowBundle(cache, CONVERTER)];
    expect([dirname(plain.codePath), dirname(encoding.codePath)]).toEqual([PREBUILT, PREBUILT]);
    expect(plain.codePath).not.toBe(encoding.codePath);
    expect(readdirSync(cache)).toEqual([]);
  });

  it('of other code are never taken: they are made anew, and only once', async () => {
    const converter = join(folder, 'failure-converter.js');
    copyFileSync(CONVERTER, converter);
    appendFileSync(converter, '\n// changed\n');
    const made = await workflowBundle(cache, converter);
    expect(dirname(made.codePath)).toBe(join(cache, 'workflow-bundles'));
    writeFileSync(made.codePath, '// the one that was made');
    expect(await workflowBundle(cache, converter)).toEqual(made);
    expect(readdirSync(join(cache, 'workflow-bundles'))).toHaveLength(1);
  });

  it('of other code do not stay in the installation', async () => {
    const stale = join(PREBUILT, 'stale.js');
    writeFileSync(stale, '// of an older build');
    await prebuildWorkflowBundles();
    expect(existsSync(stale)).toBe(false);
    expect(readdirSync(PREBUILT)).toHaveLength(2);
  });
});
