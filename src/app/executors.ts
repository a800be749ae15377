import type { RemotePlan } from '../activities/prepare-cohort.js';
import type { AwsSettings } from '../config/aws-settings.js';
import type { DragenChoice, MultimodalInput } from '../contracts/inputs.js';
import type { RemoteExecutorName } from '../contracts/remote-work.js';
import type { FanOutModality } from '../contracts/workflow-ids.js';
import { CohortflowError } from '../domain/errors.js';
import type { RemoteExecutor } from '../ports/remote-executor.js';

/** The services that may be given work, by name; made when they are first asked for. */
export type Executors = (name: RemoteExecutorName) => RemoteExecutor;

/** Where the settings stand that DRAGEN cannot do without; what it computes is part of the run. */
const DRAGEN_NEEDS = ['reference', 'annotation'] as const;

/** The DRAGEN version whose commands are used when nobody says. */
export const DEFAULT_DRAGEN_PROFILE = '4.3';

/**
 * What DRAGEN is to compute: the run's own choice over that of the settings.
 *
 * @throws CohortflowError `AwsNotConfigured` naming the settings that are missing
 */
export function dragenChoice(
  input: Pick<MultimodalInput, 'dragenProfile'>,
  { dragen = {} }: AwsSettings,
): DragenChoice {
  const missing = DRAGEN_NEEDS.filter((name) => dragen[name] === undefined).map((name) => `aws.dragen.${name}`);
  const { reference, annotation, profile = DEFAULT_DRAGEN_PROFILE } = dragen;
  if (reference === undefined || annotation === undefined) {
    throw new CohortflowError('AwsNotConfigured', `the executor dragen needs the setting ${missing.join(' and ')}`);
  }
  return { profile: input.dragenProfile ?? profile, reference, annotation };
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
  executors: Executors,
): Promise<RemotePlan> {
  const limits: Partial<Record<FanOutModality, number>> = {};
  let dragen: DragenChoice | undefined;
  for (const modality of modalities) {
    const name = executorOf(input, modality);
    if (name === undefined) continue;
    if (name === 'dragen') dragen = dragenChoice(input, settings);
    const limit = await executors(name).limit(new AbortController().signal);
    if (limit === undefined) continue;
    if (limit.limit < 1) {
      throw new CohortflowError('AwsQuotaExceeded', `the executor ${name} may run nothing: ${limit.why} is 0`);
    }
    limits[modality] = limit.limit;
  }
  return {
    ...(dragen === undefined ? {} : { dragen }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
}

/** The services of an account. */
export function createExecutors(_settings: AwsSettings): Executors {
  return (name) => {
    throw new CohortflowError('AwsNotConfigured', `the executor ${name} has no settings`);
  };
}
