import { ASSUMPTIONS, GB, MB, dragenSeconds, salmonSeconds } from './assumptions.js';
import { HOURS_OF_MONTH, hourly, roundTo, totalOf, type CostLine, type Estimate } from './estimate.js';
import { WORKER } from './imaging-estimates.js';
import { vcpusOf } from './instance-types.js';
import { makespan } from './makespan.js';
import { plannedType, typeNotes, type ChosenPrices } from './prices.js';

/** Reads of one sample. */
export interface SampleSize {
  readonly bytes: number;
  /** From an SRA archive, which must be unpacked first. */
  readonly fromSra: boolean;
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const bytesOf = (samples: readonly SampleSize[]): number => total(samples.map(({ bytes }) => bytes));

const unpackSeconds = ({ bytes, fromSra }: SampleSize): number =>
  fromSra ? (bytes / MB) * ASSUMPTIONS.fastqDumpPerMb.value : 0;

/** All samples with Salmon on this machine; a quantification takes all its cores. */
export function salmonHere(samples: readonly SampleSize[], threads: number): Estimate {
  const seconds = samples.map((sample) => salmonSeconds(sample.bytes, threads) + unpackSeconds(sample));
  const hours = total(seconds) / 3600;
  return {
    ...{ modality: 'genomics', executor: 'local', where: `Salmon on this machine, ${threads} threads` },
    ...{ units: samples.length, bytes: bytesOf(samples), atOnce: 1, hours, machineHours: hours },
    ...{ dollars: 0, lines: [], monthly: [], figures: [], needs: [] },
    assumes: ['salmonFixed', 'salmonPerMb', 'fastqDumpPerMb'],
    notes: ['files that lie elsewhere must be brought first; building the index is not counted'],
  };
}

/** All samples with Salmon in workers on Fargate, one sample a worker. */
export function salmonOnWorkers(samples: readonly SampleSize[], atOnce: number, { prices }: ChosenPrices): Estimate {
  const seconds = samples.map(
    (sample) =>
      salmonSeconds(sample.bytes, WORKER.vcpus) +
      unpackSeconds(sample) +
      sample.bytes / MB / ASSUMPTIONS.transfer.value,
  );
  const workers = Math.min(atOnce, samples.length);
  const wall = samples.length === 0 ? 0 : (makespan(seconds, atOnce) + ASSUMPTIONS.taskStart.value * 60) / 3600;
  const hour = WORKER.vcpus * prices.fargateVcpu + WORKER.gb * prices.fargateGb;
  const lines = [hourly('workers on Fargate', workers * wall, Math.round(hour * 1e5) / 1e5)];
  return {
    ...{ modality: 'genomics', executor: 'local' },
    where: `Salmon in ${workers} workers of ${WORKER.vcpus} vCPU and ${WORKER.gb} GB on Fargate`,
    ...{ units: samples.length, bytes: bytesOf(samples), atOnce, hours: wall, machineHours: workers * wall },
    ...{ dollars: totalOf(lines), lines, monthly: [], figures: ['fargateVcpu', 'fargateGb'] },
    assumes: ['salmonFixed', 'salmonPerMb', 'fastqDumpPerMb', 'transfer', 'taskStart'],
    needs: [{ quota: 'Fargate On-Demand vCPU resource count', least: workers * WORKER.vcpus }],
    notes: ['building the index is not counted'],
  };
}

/** GB that the reads of a sample take on a machine's disk: as they come, unpacked, and what DRAGEN makes of them. */
function stagedGb(largest: number): number {
  return Math.ceil((largest * ASSUMPTIONS.dragenDisk.value) / GB);
}

/** How DRAGEN machines are made, as far as it costs. */
export interface DragenShape {
  readonly instanceTypes: readonly string[];
  readonly spot: boolean;
  readonly volume: { readonly type: string; readonly gb: number };
  /** Machines that take sample after sample; one for each sample when absent. */
  readonly instances?: number;
  readonly pollSeconds: number;
}

/** All samples with DRAGEN on EC2: on a pool of machines, or on one each. */
export function dragenOnEc2(
  samples: readonly SampleSize[],
  atOnce: number,
  { instanceTypes, spot, volume, instances, pollSeconds }: DragenShape,
  chosen: ChosenPrices,
): Estimate {
  const { region, prices } = chosen;
  const boxes = Math.min(instances ?? atOnce, samples.length);
  const ready = (ASSUMPTIONS.boxStart.value + ASSUMPTIONS.hashTable.value) * 60;
  const own = instances === undefined;
  const seconds = samples.map(
    ({ bytes, fromSra }) => dragenSeconds(bytes, fromSra) + pollSeconds / 2 + (own ? ready : 0),
  );
  const wall = samples.length === 0 ? 0 : (makespan(seconds, boxes) + (own ? 0 : ready)) / 3600;
  const hours = own ? total(seconds) / 3600 : boxes * wall;
  const planned = plannedType(instanceTypes, 'instances', chosen);
  const { type, hour } = planned;
  const gbMonth = volume.type === 'gp2' ? prices.gp2 : prices.gp3;
  const disks: CostLine = {
    what: `root volumes (${volume.type})`,
    dollars: (hours * volume.gb * gbMonth) / HOURS_OF_MONTH,
    how: `${volume.gb} GB × ${roundTo(hours, 2)} h × $${gbMonth} a month`,
  };
  const lines = [...(hour === undefined ? [] : [hourly(`${type} on demand`, hours, hour)]), disks];
  const { hashTableGb } = ASSUMPTIONS;
  const monthly = {
    what: 'hash table in S3',
    dollars: hashTableGb.value * prices.s3Storage,
    how: `${hashTableGb.value} GB × $${prices.s3Storage}`,
  };
  const vcpus = vcpusOf(type);
  const quota = spot ? 'All F Spot Instance Requests (vCPUs)' : 'Running On-Demand F instances (vCPUs)';
  const staged = stagedGb(samples.reduce((most, { bytes }) => Math.max(most, bytes), 0));
  const room =
    staged + hashTableGb.value > volume.gb
      ? [
          `the largest sample takes about ${staged} GB and the hash table ${hashTableGb.value} GB on a machine: the root volume of ${volume.gb} GB holds them only beside local disks (F2 has them)`,
        ]
      : [];
  const retired = type.startsWith('f1.') ? ['F1 was retired on 2025-12-20: such a machine cannot be had any more'] : [];
  return {
    ...{ modality: 'genomics', executor: 'dragen' },
    where: own ? `one ${type} for each sample, ${boxes} at once` : `${boxes} × ${type}`,
    ...{ units: samples.length, bytes: bytesOf(samples), atOnce: boxes, hours: wall, machineHours: hours },
    ...{ dollars: hour === undefined ? null : totalOf(lines), lines, monthly: [monthly] },
    figures: [...planned.figures, volume.type === 'gp2' ? 'gp2' : 'gp3', 's3Storage'],
    assumes: [
      'boxStart',
      'hashTable',
      'hashTableGb',
      'dragenDisk',
      'dragenFixed',
      'dragenPerMb',
      'boxTransfer',
      'fastqDumpPerMb',
    ],
    needs: vcpus === undefined ? [] : [{ quota, least: boxes * vcpus }],
    notes: [
      "without DRAGEN's licence",
      ...(spot ? ['spot machines cost less than this; their price changes and is not planned with'] : []),
      ...room,
      ...retired,
      ...typeNotes(instanceTypes, planned, `in ${region}`),
    ],
  };
}
