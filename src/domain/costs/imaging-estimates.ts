import { ASSUMPTIONS, GB, MB, imagingSeconds, imagingTransferSeconds } from './assumptions.js';
import { HOURS_OF_MONTH, hourly, roundTo, totalOf, type CostLine, type Estimate } from './estimate.js';
import { makespan } from './makespan.js';
import { plannedType, typeNotes, type ChosenPrices, type RegionPrices } from './prices.js';

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Shape of a worker of heavy steps on Fargate: a step has a core and 4 GB. */
export const WORKER = { vcpus: 4, gb: 16, steps: 4 } as const;

/** Objects of studies read once each, and the few results of each written. */
function requests(bytes: readonly number[], prices: RegionPrices): CostLine {
  const gets = total(bytes) / MB / ASSUMPTIONS.imagingObjectMb.value;
  const puts = bytes.length * 8;
  const dollars = (gets / 1000) * prices.s3Get + (puts / 1000) * prices.s3Put;
  return { what: 'S3 requests', dollars, how: `about ${Math.round(gets)} reads, ${puts} writes` };
}

function kept(bytes: readonly number[], prices: RegionPrices): CostLine[] {
  const gb = (total(bytes) / GB) * ASSUMPTIONS.imagingResults.value;
  return [
    { what: 'results in S3', dollars: gb * prices.s3Storage, how: `${roundTo(gb, 1)} GB × $${prices.s3Storage}` },
  ];
}

const S3_FIGURES = ['s3Get', 's3Put', 's3Storage'] as const;
const COMMON = ['imagingFixed', 'imagingPerMb', 'imagingResults'] as const;

/** All studies on this machine, files already there. */
export function imagingHere(bytes: readonly number[], jobs: number): Estimate {
  const seconds = bytes.map(imagingSeconds);
  return {
    ...{ modality: 'imaging', executor: 'local', where: `this machine, ${jobs} at once` },
    ...{ units: bytes.length, bytes: total(bytes), atOnce: jobs },
    hours: makespan(seconds, jobs) / 3600,
    machineHours: total(seconds) / 3600 / jobs,
    ...{ dollars: 0, lines: [], monthly: [], figures: [], assumes: COMMON, needs: [] },
    notes: ['files that lie elsewhere must be brought first'],
  };
}

/** All studies in workers on Fargate next to S3, as many steps at once as `atOnce`. */
export function imagingOnWorkers(bytes: readonly number[], atOnce: number, { prices }: ChosenPrices): Estimate {
  const seconds = bytes.map((size) => imagingSeconds(size) + imagingTransferSeconds(size));
  const workers = Math.ceil(Math.min(atOnce, bytes.length) / WORKER.steps);
  const wall = bytes.length === 0 ? 0 : (makespan(seconds, atOnce) + ASSUMPTIONS.taskStart.value * 60) / 3600;
  const hours = workers * wall;
  const hour = WORKER.vcpus * prices.fargateVcpu + WORKER.gb * prices.fargateGb;
  const lines = [hourly('workers on Fargate', hours, Math.round(hour * 1e5) / 1e5), requests(bytes, prices)];
  return {
    ...{ modality: 'imaging', executor: 'local' },
    where: `${workers} workers of ${WORKER.vcpus} vCPU and ${WORKER.gb} GB on Fargate, ${atOnce} at once`,
    ...{ units: bytes.length, bytes: total(bytes), atOnce, hours: wall, machineHours: hours },
    ...{ dollars: totalOf(lines), lines, monthly: kept(bytes, prices) },
    figures: ['fargateVcpu', 'fargateGb', ...S3_FIGURES],
    assumes: [...COMMON, 'imagingObjectMb', 'transfer', 'taskStart'],
    needs: [{ quota: 'Fargate On-Demand vCPU resource count', least: workers * WORKER.vcpus }],
    notes: [],
  };
}

/** How processing jobs are made, as far as it costs. */
export interface ProcessingShape {
  readonly instanceTypes: readonly string[];
  readonly volumeGb: number;
  readonly pollSeconds: number;
  /** What else is to be said of them. */
  readonly notes?: readonly string[];
}

/** Seconds of one processing job from its request to its end. */
export function processingJobSeconds(bytes: number): number {
  return ASSUMPTIONS.jobStart.value * 60 + imagingTransferSeconds(bytes) + imagingSeconds(bytes);
}

/** One processing job for each study. */
export function imagingOnSageMaker(
  bytes: readonly number[],
  atOnce: number,
  { instanceTypes, volumeGb, pollSeconds, notes = [] }: ProcessingShape,
  chosen: ChosenPrices,
): Estimate {
  const { region, prices } = chosen;
  const paid = bytes.map(processingJobSeconds);
  // The end of a job is seen at the next look: half an interval later on the average.
  const seen = paid.map((seconds) => seconds + pollSeconds / 2);
  const hours = total(paid) / 3600;
  const planned = plannedType(instanceTypes, 'processing', chosen);
  const { type, hour } = planned;
  const volumes: CostLine = {
    what: 'volumes of the jobs',
    dollars: (hours * volumeGb * prices.processingStorage) / HOURS_OF_MONTH,
    how: `${volumeGb} GB × ${roundTo(hours, 2)} h × $${prices.processingStorage} a month`,
  };
  const lines = [
    ...(hour === undefined ? [] : [hourly(`${type} for processing`, hours, hour)]),
    volumes,
    requests(bytes, prices),
  ];
  const jobs = Math.min(atOnce, bytes.length);
  return {
    ...{ modality: 'imaging', executor: 'sagemaker', where: `${jobs} jobs of ${type} at once` },
    ...{ units: bytes.length, bytes: total(bytes), atOnce },
    ...{ hours: makespan(seen, atOnce) / 3600, machineHours: hours },
    ...{ dollars: hour === undefined ? null : totalOf(lines), lines, monthly: kept(bytes, prices) },
    figures: [...planned.figures, 'processingStorage', ...S3_FIGURES],
    assumes: [...COMMON, 'imagingObjectMb', 'transfer', 'jobStart'],
    needs: [
      // The quota of every type that is listed counts.
      ...instanceTypes.map((one) => ({ quota: `${one} for processing job usage`, least: jobs })),
      { quota: 'Number of instances across all processing jobs', least: jobs },
    ],
    notes: [...typeNotes(instanceTypes, planned, `for processing in ${region}`), ...notes],
  };
}
