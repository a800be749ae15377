import { describe, expect, it } from 'vitest';
import { imagingSeconds, imagingTransferSeconds, ASSUMPTIONS } from '../../../../src/domain/costs/assumptions.js';
import {
  dragenOnEc2,
  expectedSizes,
  imagingHere,
  imagingOnSageMaker,
  imagingOnWorkers,
  makespan,
  originalMinutes,
  pricesOf,
  salmonOnWorkers,
  summarise,
  type DragenShape,
} from '../../../../src/domain/costs/index.js';
import { idealMakespan } from '../../../support/makespan.js';
import { REAL_STUDIES, realStudySizes } from '../../../support/real-study-sizes.js';

const prices = pricesOf('us-east-1');
const jobs = { instanceTypes: ['ml.r5.large'], volumeGb: 5, pollSeconds: 30 };
const boxes: DragenShape = {
  instanceTypes: ['f2.6xlarge'],
  spot: false,
  volume: { type: 'gp3', gb: 100 },
  pollSeconds: 30,
};
const sample = (bytes: number): { bytes: number; fromSra: boolean } => ({ bytes, fromSra: false });

describe('the sizes of the published cohort', () => {
  it('has the median, the 95th percentile, the range and the sum that are published', () => {
    const summary = summarise(realStudySizes());
    expect(summary.count).toBe(162);
    expect(summary.median / 1e6).toBeCloseTo(352, 6);
    expect(summary.p95 / 1e6).toBeCloseTo(792, 6);
    expect(summary.largest / 1e6).toBeCloseTo(1300, 6);
    expect(summary.bytes / 1e9).toBeCloseTo(REAL_STUDIES.sum / 1e9, 4);
  });
});

describe('a plan of the published cohort', () => {
  const sizes = realStudySizes();

  it('takes 20 minutes at 50 at once and 5 minutes a study, which is what the original reports', () => {
    expect(originalMinutes()).toBe(20);
    expect(makespan(new Array<number>(162).fill(5), 40)).toBe(25);
  });

  it('ends on SageMaker in about the time of the original, for less than three dollars', () => {
    const { hours, dollars, machineHours, atOnce, needs } = imagingOnSageMaker(sizes, 50, jobs, prices);
    expect(atOnce).toBe(50);
    expect(hours * 60).toBeGreaterThan(20);
    expect(hours * 60).toBeLessThan(30);
    // Every job is paid from its request on: 162 starts, and the work.
    const work = sizes.reduce((sum, size) => sum + imagingSeconds(size) + imagingTransferSeconds(size), 0);
    expect(machineHours).toBeCloseTo((162 * ASSUMPTIONS.jobStart.value * 60 + work) / 3600, 9);
    expect(dollars).toBeGreaterThan(machineHours * 0.151);
    expect(dollars).toBeLessThan(3);
    expect(needs.map(({ least }) => least)).toEqual([50, 50]);
  });

  it('ends sooner and for less in workers beside S3, since a job starts for minutes and works for one', () => {
    const remote = imagingOnSageMaker(sizes, 50, jobs, prices);
    const near = imagingOnWorkers(sizes, 50, prices);
    expect(near.hours).toBeLessThan(remote.hours / 2);
    expect(near.dollars).toBeLessThan(remote.dollars ?? 0);
  });

  it('is paid to nobody on this machine, and takes as long as its cores are busy', () => {
    const { hours, dollars } = imagingHere(sizes, 2);
    expect(dollars).toBe(0);
    expect(hours).toBeCloseTo(sizes.reduce((sum, size) => sum + imagingSeconds(size), 0) / 3600 / 2, 1);
  });
});

describe('the end of work on so many places', () => {
  it('is that of giving each to the place that is free first', () => {
    const times = Array.from({ length: 500 }, (_, n) => 1 + ((n * 37) % 101));
    for (const width of [1, 2, 7, 50, 499, 600]) expect(makespan(times, width)).toBe(idealMakespan(times, width));
  });

  it('is nothing for no work', () => {
    expect(makespan([], 5)).toBe(0);
  });
});

describe('sizes that are expected', () => {
  it('have the median and the spread that were asked for', () => {
    const { count, median, p95 } = summarise(expectedSizes(2001, 100e6, 2.25));
    expect(count).toBe(2001);
    expect(median / 1e6).toBeCloseTo(100, 1);
    expect(p95 / 1e6).toBeGreaterThan(222);
    expect(p95 / 1e6).toBeLessThan(228);
  });

  it('are mixed: no quarter of them is far from the rest', () => {
    const sizes = expectedSizes(400, 100e6);
    const mean = (part: readonly number[]): number => part.reduce((sum, size) => sum + size, 0) / part.length;
    for (let at = 0; at < 400; at += 100) {
      expect(mean(sizes.slice(at, at + 100)) / mean(sizes)).toBeGreaterThan(0.9);
      expect(mean(sizes.slice(at, at + 100)) / mean(sizes)).toBeLessThan(1.1);
    }
  });
});

describe('a plan for DRAGEN', () => {
  const samples = Array.from({ length: 10 }, () => sample(8e9));

  it('pays the start of a machine once a sample, or once a machine of a pool', () => {
    const each = dragenOnEc2(samples, 10, boxes, prices);
    const pool = dragenOnEc2(samples, 10, { ...boxes, instances: 2 }, prices);
    expect(each.machineHours).toBeGreaterThan(pool.machineHours);
    expect(pool.hours).toBeGreaterThan(each.hours);
    expect(pool.dollars).toBeLessThan(each.dollars ?? 0);
    const start = (ASSUMPTIONS.boxStart.value + ASSUMPTIONS.hashTable.value) / 60;
    expect(each.machineHours - 10 * start).toBeCloseTo(pool.machineHours - 2 * start, 9);
  });

  it('says which quota it needs, spot or on demand', () => {
    expect(dragenOnEc2(samples, 4, boxes, prices).needs).toEqual([
      { quota: 'Running On-Demand F instances (vCPUs)', least: 96 },
    ]);
    expect(dragenOnEc2(samples, 50, { ...boxes, spot: true }, prices).needs).toEqual([
      { quota: 'All F Spot Instance Requests (vCPUs)', least: 240 },
    ]);
  });

  it('takes an archive longer than reads of the same size, and says when F1 is asked for', () => {
    const [plain, packed] = [false, true].map((fromSra) => dragenOnEc2([{ bytes: 8e9, fromSra }], 1, boxes, prices));
    expect(packed?.hours).toBeGreaterThan(plain?.hours ?? 0);
    const { notes } = dragenOnEc2(samples, 1, { ...boxes, instanceTypes: ['f1.4xlarge'] }, prices);
    expect(notes.join()).toContain('F1 was retired');
  });

  it('has no dollars where the table has no price, and says so', () => {
    const { dollars, notes } = dragenOnEc2(samples, 1, { ...boxes, instanceTypes: ['f9.large'] }, prices);
    expect(dollars).toBeNull();
    expect(notes.join()).toContain('no price of f9.large');
  });

  it('says when the disk is too small for what is staged', () => {
    expect(dragenOnEc2([sample(1e9)], 1, boxes, prices).notes.join()).not.toContain('root volume');
    expect(dragenOnEc2([sample(20e9)], 1, boxes, prices).notes.join()).toContain('root volume of 100 GB');
  });
});

describe('a plan without units', () => {
  it('takes no time and no dollars', () => {
    expect(imagingOnWorkers([], 50, prices)).toMatchObject({ hours: 0, dollars: 0 });
    expect(salmonOnWorkers([], 50, prices)).toMatchObject({ hours: 0, dollars: 0 });
    expect(imagingOnSageMaker([], 50, jobs, prices)).toMatchObject({ hours: 0, dollars: 0 });
    expect(dragenOnEc2([], 50, boxes, prices)).toMatchObject({ hours: 0, dollars: 0 });
  });
});

describe('the table of prices', () => {
  it('stands in for a Region that it does not have, and says so', () => {
    expect(pricesOf('us-west-2')).toMatchObject({ region: 'us-west-2', ofRegion: true });
    expect(pricesOf('mars-north-1')).toMatchObject({ region: 'us-east-1', ofRegion: false });
  });

  it('calls no figure verified that nobody looked up', () => {
    const table = { date: '2026-01-01', source: 's', regions: { 'us-east-1': prices.prices } };
    expect(pricesOf('us-east-1', { ...table, unverified: ['*'] }).verified('gp3')).toBe(false);
    const some = pricesOf('us-east-1', { ...table, unverified: ['us-east-1.processing.ml.r5.large'] });
    expect(some.verified('processing.ml.r5.large')).toBe(false);
    expect(some.verified('gp3')).toBe(true);
  });
});
