import { dragenSample, plannedStaging, sampleName } from '../../adapters/aws/dragen/box-work.js';
import { choicesOf, machineRequest } from '../../adapters/aws/dragen/machine-request.js';
import type { AwsSettings } from '../../config/aws-settings.js';
import type { GenomicsUnit } from '../../domain/cohort/manifest.js';
import {
  DEFAULT_DRAGEN_PROFILE,
  dragenCommands,
  dragenMachine,
  plainName,
} from '../../domain/genomics/dragen/index.js';
import type { PlannedRequest } from './job-request.js';
import { masked } from './masked.js';

/** What would be run on DRAGEN machines: every command as program and arguments, as a shell would pass them. */
export interface PlannedMachine {
  readonly profile: string;
  /** Once for all samples. */
  readonly hashTable: readonly string[];
  /** Once for every archive, where reads come in archives. */
  readonly fastqDump: readonly string[];
  readonly samples: readonly PlannedSample[];
  /** What would be sent to EC2 for the first machine. */
  readonly launch: PlannedRequest;
}

interface PlannedSample {
  readonly name: string;
  /** How annotation and reads come to the machine; absent where they do not lie in S3. */
  readonly staging?: readonly (readonly string[])[];
  /** Once for every archive of the sample; only where its reads come out of archives. */
  readonly fastqDump?: readonly (readonly string[])[];
  /** Where only the archive will tell whether its reads are pairs, both commands. */
  readonly quantify: { readonly paired?: readonly string[]; readonly single?: readonly string[] };
}

/** Stands where a run puts the work's own name. */
const NAME = 'cohortflow-plan';

function madeUp(caseId: string): GenomicsUnit {
  const lanes = [{ fastq1: `s3://bucket/${caseId}_1.fastq.gz`, fastq2: `s3://bucket/${caseId}_2.fastq.gz` }];
  return { modality: 'genomics', caseId, source: { kind: 'fastq', lanes, strandedness: 'auto' } };
}

function plannedSample(unit: GenomicsUnit, profile: string, places: Places, settings: AwsSettings): PlannedSample[] {
  const { source } = unit;
  if (source.kind === 'quant') return [];
  const commands = (paired: boolean) =>
    dragenCommands(profile, places.genome, dragenSample(unit, places.annotation, settings, paired));
  const staging = plannedStaging(unit, places.annotation, settings);
  const named = { name: sampleName(unit), ...(staging === undefined ? {} : { staging }) };
  if (source.kind === 'sra') {
    const { fastqDump } = commands(true);
    const quantify = { paired: commands(true).quantify, single: commands(false).quantify };
    return [{ ...named, fastqDump: source.runs.map((_, at) => [...fastqDump, `./L${at + 1}`]), quantify }];
  }
  const paired = source.lanes.some(({ fastq2 }) => fastq2 !== undefined);
  const { quantify } = commands(paired);
  return [{ ...named, quantify: paired ? { paired: quantify } : { single: quantify } }];
}

interface Places {
  readonly genome: string;
  readonly annotation: string;
}

function launchOf(settings: AwsSettings, profile: string): PlannedRequest {
  const { ami, amiParameter } = settings.dragen ?? {};
  const id = ami ?? amiParameter ?? '…';
  const machine = dragenMachine(settings, profile);
  const [choice] = choicesOf(machine, settings);
  if (choice === undefined) return { request: null, why: 'aws.dragen.instanceTypes names no type' };
  const image = { id, rootDevice: 'that of the image' };
  const request = machineRequest(image, choice, machine, { 'cohortflow:work': NAME }, NAME, settings);
  const missing = id === '…' ? { missing: ['aws.dragen.ami or aws.dragen.amiParameter'] } : {};
  return { request: masked(request) as Readonly<Record<string, unknown>>, ...missing };
}

/**
 * What a run would have DRAGEN machines do. Reference and annotation that no setting names, and samples where the cohort is
 * only counted, are made up.
 *
 * @param units samples of the sheet, of which those that are quantified already need no machine; or how many there are
 * @throws CohortflowError `InvalidInput` for a profile that there is none of
 */
export function plannedMachine(
  units: readonly GenomicsUnit[] | number,
  profile: string | undefined,
  settings: AwsSettings,
): PlannedMachine {
  const { dragen = {} } = settings;
  const { reference = 's3://bucket/genome.fa', annotation = 's3://bucket/genes.gtf' } = dragen;
  const chosen = profile ?? dragen.profile ?? DEFAULT_DRAGEN_PROFILE;
  const places = { genome: plainName(reference), annotation };
  const given = typeof units === 'number' ? Array.from({ length: units }, (_, at) => madeUp(`CASE-${at + 1}`)) : units;
  const any = dragenSample(madeUp('CASE-1'), annotation, settings, true);
  const { hashTable, fastqDump } = dragenCommands(chosen, places.genome, any);
  const samples = given.flatMap((unit) => plannedSample(unit, chosen, places, settings));
  return { profile: chosen, hashTable, fastqDump: [...fastqDump, './L1'], samples, launch: launchOf(settings, chosen) };
}
