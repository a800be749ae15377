import type { AwsSettings } from '../../config/aws-settings.js';
import { dragenMachine } from '../../domain/genomics/dragen/index.js';
import type { FanOutModality } from '../../contracts/workflow-ids.js';
import { CohortflowError } from '../../domain/errors.js';
import type { AwsAccount, AwsQuota } from '../../ports/aws-account.js';
import type { RemoteLimit } from '../../ports/remote-executor.js';
import { fpgaQuota, machinesOf } from './aws/machines.js';
import { DEFAULT_PROCESSING_TYPES, processingQuotas } from './aws/processing.js';
import type { Wanted } from './aws/wanted.js';

/** So long a worker waits for an answer about quotas before it does without. */
const QUOTAS_WITHIN_MS = 20_000;

/** A call that nobody answered: neither the service nor a fault of it. */
function isUnanswered(error: unknown): boolean {
  if (!(error instanceof CohortflowError) || error.code !== 'AwsUnavailable') return false;
  const { $metadata } = (error.cause ?? {}) as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode === undefined;
}

/** What is told of a limit where quotas cannot be asked for. */
const notKnown = (because: string): RemoteLimit => ({
  why: `${because}: quotas are not known, and the width is yours to keep within them`,
});

interface QuotaAnswer {
  readonly quotas: readonly AwsQuota[];
  /** Where there was no answer. */
  readonly notKnown?: RemoteLimit;
}

/**
 * Quotas, where they can be asked for: Service Quotas has no endpoint in a network without a way out, and an account may keep
 * them to itself. The services themselves then refuse what is too much.
 */
async function quotasIfAnswered(
  account: Pick<AwsAccount, 'quotas'>,
  service: string,
  fits: (name: string) => boolean,
  signal: AbortSignal,
): Promise<QuotaAnswer> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(QUOTAS_WITHIN_MS)]);
  try {
    return { quotas: await account.quotas(service, fits, bounded) };
  } catch (error) {
    signal.throwIfAborted();
    if (bounded.aborted || isUnanswered(error)) {
      return { quotas: [], notKnown: notKnown('Service Quotas did not answer') };
    }
    if (!(error instanceof CohortflowError) || error.code !== 'AwsDenied') throw error;
    const { action = 'servicequotas:ListServiceQuotas' } = error.details;
    return { quotas: [], notKnown: notKnown(`Service Quotas may not be asked (${String(action)})`) };
  }
}

type Known = Required<RemoteLimit>;

/** The smallest of some limits. */
function least(limits: readonly Known[]): Known | undefined {
  return limits.reduce<Known | undefined>(
    (smallest, limit) => (smallest === undefined || limit.limit < smallest.limit ? limit : smallest),
    undefined,
  );
}

/** Processing jobs at once: the quota of every listed type counts, and the one of all jobs together. */
export async function processingLimit(
  account: Pick<AwsAccount, 'quotas'>,
  { sagemaker }: AwsSettings,
  signal: AbortSignal,
): Promise<RemoteLimit | undefined> {
  const types = sagemaker?.instanceTypes ?? DEFAULT_PROCESSING_TYPES;
  const { quotas, notKnown: none } = await quotasIfAnswered(account, 'sagemaker', processingQuotas(types), signal);
  return none ?? least(quotas.map(({ name, value }) => ({ limit: value, why: `the quota "${name}"` })));
}

/** DRAGEN machines at once: the largest of the types that may be taken bounds them. */
export async function fpgaLimit(
  account: Pick<AwsAccount, 'quotas'>,
  settings: AwsSettings,
  profile: string | undefined,
  signal: AbortSignal,
): Promise<RemoteLimit | undefined> {
  const { spot = false, instances } = settings.dragen ?? {};
  const pool = instances === undefined ? [] : [{ limit: instances, why: 'aws.dragen.instances' }];
  const pattern = fpgaQuota(spot);
  const { quotas, notKnown: none } = await quotasIfAnswered(account, 'ec2', (name) => pattern.test(name), signal);
  const [quota] = quotas;
  if (quota === undefined) return least(pool) ?? none;
  return least([
    ...pool,
    ...dragenMachine(settings, profile).instanceTypes.flatMap((type) => {
      const limit = machinesOf(quota, type);
      return limit === undefined ? [] : [{ limit, why: `the quota "${quota.name}" (${quota.value} vCPUs)` }];
    }),
  ]);
}

/** What the executors of a run can hold at once, by modality; absent where nothing is known to limit them. */
export async function executorLimits(
  account: Pick<AwsAccount, 'quotas'>,
  settings: AwsSettings,
  { imaging, genomics, dragenProfile }: Pick<Wanted, 'imaging' | 'genomics' | 'dragenProfile'>,
  signal: AbortSignal,
): Promise<Readonly<Partial<Record<FanOutModality, RemoteLimit>>>> {
  const jobs = imaging === 'sagemaker' ? await processingLimit(account, settings, signal) : undefined;
  const machines = genomics === 'dragen' ? await fpgaLimit(account, settings, dragenProfile, signal) : undefined;
  return {
    ...(jobs === undefined ? {} : { imaging: jobs }),
    ...(machines === undefined ? {} : { genomics: machines }),
  };
}
