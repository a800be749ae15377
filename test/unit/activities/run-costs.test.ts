import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { notePaid, writeRunCosts } from '../../../src/activities/run-costs.js';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import type { PaidMachine } from '../../../src/domain/costs/index.js';
import { temporaryFolder } from '../../support/run-step.js';

const files = new LocalFiles();
const box = (seconds: number): PaidMachine => ({
  ...{ executor: 'dragen', instanceType: 'f2.6xlarge', seconds, spot: false, region: 'us-east-1' },
});

describe('what was paid in a run', () => {
  let output: string;
  const run = (runId = 'run-1') => ({ output, runId });
  const written = (): string => join(output, 'run/costs.json');

  beforeEach(() => {
    output = temporaryFolder('costs');
  });

  it('is kept by piece of work, and summed', async () => {
    await notePaid(files, run(), 'work-1', [box(600)]);
    await notePaid(files, run(), 'work-2', [box(600), box(1200)]);
    await notePaid(files, run('run-0'), 'work-0', [box(99_999)]);
    const costs = await writeRunCosts(files, run());
    expect(costs).toMatchObject({ machines: [{ machines: 3, seconds: 2400 }] });
    expect(JSON.parse(readFileSync(written(), 'utf8'))).toEqual({ runId: 'run-1', ...costs });
  });

  it('counts once, as it was told first', async () => {
    await notePaid(files, run(), 'work-1', [box(600)]);
    await notePaid(files, run(), 'work-1', [box(900)]);
    expect(await writeRunCosts(files, run())).toMatchObject({ machines: [{ machines: 1, seconds: 600 }] });
  });

  it('is no file where nothing was: that of an earlier run goes', async () => {
    await notePaid(files, run(), 'work-1', [box(600)]);
    await writeRunCosts(files, run());
    expect(existsSync(written())).toBe(true);
    await notePaid(files, run('run-2'), 'work-1', []);
    expect(await writeRunCosts(files, run('run-2'))).toBeUndefined();
    expect(existsSync(written())).toBe(false);
    expect(await writeRunCosts(files, run('run-2'))).toBeUndefined();
  });
});
