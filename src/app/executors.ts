import { DragenExecutor } from '../adapters/aws/dragen/executor.js';
import { SageMakerExecutor } from '../adapters/aws/sagemaker/executor.js';
import { neededForJobs } from '../adapters/aws/sagemaker/job-spec.js';
import type { RemotePlan } from '../activities/prepare-cohort.js';
import type { AwsSettings } from '../config/aws-settings.js';
import type { DragenChoice, MultimodalInput } from '../contracts/inputs.js';
import type { RemoteExecutorName } from '../contracts/remote-work.js';
import type { FanOutModality } from '../contracts/workflow-ids.js';
import { isUri } from '../domain/cohort/sheet-paths.js';
import { CohortflowError } from '../domain/errors.js';
import { DEFAULT_DRAGEN_PROFILE, dragenProfile } from '../domain/genomics/dragen/index.js';
import type { AwsAccount } from '../ports/aws-account.js';
import type { Files } from '../ports/files.js';
import type { RemoteExecutor } from '../ports/remote-executor.js';
import { executorLimits } from './doctor/executor-limits.js';

/** The services that may be given work, by name; made when they are first asked for. */
export type Executors = (name: RemoteExecutorName) => RemoteExecutor;

/**
 * What DRAGEN is to compute: the run's own choice over that of the settings. There is one annotation, for DRAGEN and for the
 * sums by gene.
 *
 * @throws CohortflowError `AwsNotConfigured` naming the settings that are missing, `InvalidInput` for what no machine can use
 */
export function dragenChoice(
  input: Pick<MultimodalInput, 'annotation' | 'dragenProfile'>,
  { dragen = {} }: AwsSettings,
): DragenChoice {
  const { reference } = dragen;
  const annotation = input.annotation ?? dragen.annotation;
  const machine = dragen.ami ?? dragen.amiParameter;
  const needed = Object.entries({ reference, annotation, ami: machine, instanceProfile: dragen.instanceProfile });
  const missing = needed.filter(([, value]) => value === undefined).map(([name]) => `aws.dragen.${name}`);
  if (reference === undefined || annotation === undefined || missing.length > 0) {
    throw new CohortflowError('AwsNotConfigured', `the executor dragen needs the setting ${missing.join(' and ')}`);
  }
  if (!isUri(annotation)) {
    const message =
      'the executor dragen reads the annotation in S3: give s3://… for --annotation, or set aws.dragen.annotation';
    throw new CohortflowError('InvalidInput', message);
  }
  const profile = input.dragenProfile ?? dragen.profile ?? DEFAULT_DRAGEN_PROFILE;
  if (dragenProfile(profile).takesLicence || dragen.licence === undefined) return { profile, reference, annotation };
  const message = `the DRAGEN profile ${profile} takes no licence file: leave out aws.dragen.licence`;
  throw new CohortflowError('AwsNotConfigured', message);
}

/** The service that computes the units of a modality; undefined when that is done here. */
export function executorOf(input: MultimodalInput, modality: FanOutModality): RemoteExecutorName | undefined {
  const { imagingExecutor = 'local', genomicsExecutor = 'local' } = input;
  const name = modality === 'imaging' ? imagingExecutor : genomicsExecutor;
  return name === 'local' ? undefined : name;
}

/** What a run needs to know of the services it uses: what they compute, and how much of it at once. */
export async function planRemote(
  input: MultimodalInput,
  modalities: readonly FanOutModality[],
  settings: AwsSettings,
  account: Pick<AwsAccount, 'quotas'>,
): Promise<RemotePlan> {
  const wanted = Object.fromEntries(modalities.map((modality) => [modality, executorOf(input, modality)]));
  const asked = Object.values(wanted).filter((name) => name !== undefined);
  if (asked.length === 0) return {};
  const choice = asked.includes('dragen') ? { dragen: dragenChoice(input, settings) } : {};
  if (asked.includes('sagemaker')) neededForJobs(settings);
  if (!isUri(input.output) && settings.work === undefined) {
    const message = `${asked.join(' and ')}: results of services pass through S3: set aws.work (s3://bucket/folder), or give --output s3://…`;
    throw new CohortflowError('AwsNotConfigured', message);
  }
  const { dragenProfile: profile } = input;
  const chosen = { ...wanted, ...(profile === undefined ? {} : { dragenProfile: profile }) };
  const found = await executorLimits(account, settings, chosen, new AbortController().signal);
  const limits: Partial<Record<FanOutModality, number>> = {};
  const limitedBy: Partial<Record<FanOutModality, string>> = {};
  for (const modality of modalities) {
    const name = wanted[modality];
    const limit = found[modality];
    if (name === undefined || limit === undefined) continue;
    limitedBy[modality] = limit.why;
    if (limit.limit === undefined) continue;
    if (limit.limit < 1) {
      throw new CohortflowError('AwsQuotaExceeded', `the executor ${name} may run nothing: ${limit.why} is 0`);
    }
    limits[modality] = limit.limit;
  }
  return {
    ...choice,
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(Object.keys(limitedBy).length === 0 ? {} : { limitedBy }),
  };
}

/**
 * The services of an account.
 *
 * @param namespace of Temporal whose work is listed as ours; asked when a service is first used
 */
export function createExecutors(settings: AwsSettings, files: Files, namespace: () => string): Executors {
  const made = new Map<RemoteExecutorName, RemoteExecutor>();
  return (name) => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const executor =
      name === 'dragen'
        ? new DragenExecutor(settings, files, namespace())
        : new SageMakerExecutor(settings, files, namespace());
    made.set(name, executor);
    return executor;
  };
}
