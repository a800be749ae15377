import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { notePaid, writeRunCosts } from '../../../src/activities/run-costs.js';
import { sha256Text } from '../../../src/activities/canonical-json.js';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import type { PaidMachine } from '../../../src/domain/costs/index.js';
import { mapBounded } from '../../../src/domain/map-bounded.js';
import { temporaryFolder } from '../../support/run-step.js';

const files = new LocalFiles();
const box = (seconds: number): PaidMachine => ({
  ...{ executor: 'dragen', instanceType: 'f2.6xlarge', seconds, spot: false, region: 'us-east-1' },
});

/** Work as it is named: by a hash. */
const works = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `cohortflow-${sha256Text(String(at)).slice(0, 32)}`);

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

  it('is listed and not read, however many jobs there were', async () => {
    await mapBounded(works(300), 32, (work, at) => notePaid(files, run(), work, [box(at + 0.125)]));
    const reading = new LocalFiles();
    const read = vi.spyOn(reading, 'read');
    const listed = vi.spyOn(reading, 'names');
    const costs = await writeRunCosts(reading, run());
    expect(costs).toMatchObject({ machines: [{ machines: 300, seconds: (300 * 299) / 2 + 300 * 0.125 }] });
    expect(read).not.toHaveBeenCalled();
    expect(listed.mock.calls.length).toBeLessThanOrEqual(257);
    // The order of what is listed at once changes no digit.
    expect(await writeRunCosts(files, run())).toEqual(costs);
  });

  it('counts work once that was told by several attempts, with what was told first', async () => {
    const [first = '', second = ''] = works(2);
    await notePaid(files, run(), first, [box(600.5)]);
    // Its answer was lost; another attempt finds the machine later, then one that was lost in between.
    await notePaid(files, run(), first, [box(610)]);
    await notePaid(files, run(), first, [box(640), box(10)]);
    await notePaid(files, run(), second, [box(30), box(40)]);
    await notePaid(files, run(), second, [box(90)]);
    expect(await writeRunCosts(files, run())).toMatchObject({ machines: [{ machines: 3, seconds: 670.5 }] });
  });

  it('keeps machines of different kinds apart, over all folders', async () => {
    const kinds: PaidMachine[] = [
      { executor: 'sagemaker', instanceType: 'ml.r5.large', seconds: 10, spot: false, region: 'eu-west-1' },
      { executor: 'sagemaker', instanceType: 'ml.r5.large', seconds: 10, spot: false },
      { executor: 'dragen', instanceType: 'f2.6xlarge', seconds: 10, spot: true, region: 'eu-west-1' },
      // Not to be put into a name as it is.
      { executor: 'dragen', instanceType: 'f2_x/../y', seconds: 1e-7, spot: false, region: 'eu-west-1' },
    ];
    await mapBounded(works(80), 32, (work, at) => notePaid(files, run(), work, kinds.slice(at % 4, (at % 4) + 1)));
    const costs = await writeRunCosts(files, run());
    expect(
      costs?.machines.map(({ machines, instanceType, spot, region }) => [machines, instanceType, spot, region]),
    ).toEqual([
      [20, 'f2.6xlarge', true, 'eu-west-1'],
      [20, 'f2_x/../y', false, 'eu-west-1'],
      [20, 'ml.r5.large', false, 'us-east-1'],
      [20, 'ml.r5.large', false, 'eu-west-1'],
    ]);
  });

  it('is summed while more is written', async () => {
    const [work = ''] = works(1);
    await notePaid(files, run(), work, [box(600)]);
    const paid = join(output, 'run/paid/run-1');
    const [shard = ''] = readdirSync(paid);
    writeFileSync(join(paid, shard, '.0123456789abcdef.part'), '[{"exec');
    expect(await writeRunCosts(files, run())).toMatchObject({ machines: [{ machines: 1, seconds: 600 }] });
  });
});
