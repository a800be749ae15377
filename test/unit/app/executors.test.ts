import { describe, expect, it, vi } from 'vitest';
import { dragenChoice, planRemote } from '../../../src/app/executors.js';
import { CohortflowError } from '../../../src/domain/errors.js';
import type { MultimodalInput } from '../../../src/contracts/inputs.js';
import type { AwsAccount } from '../../../src/ports/aws-account.js';

const SAGEMAKER = { sagemaker: { image: 'image', roleArn: 'arn:aws:iam::123456789012:role/r' } };

const input = (fields: Partial<MultimodalInput>): MultimodalInput => ({ output: 's3://results/run', ...fields });

/** An account that must not be asked. */
const unasked: Pick<AwsAccount, 'quotas'> = {
  quotas: () => {
    throw new Error('not asked for');
  },
};

/** An account with one quota of processing jobs. */
function holding(jobs: number): Pick<AwsAccount, 'quotas'> {
  const name = 'ml.r5.large for processing job usage';
  return { quotas: async (_service, fits) => (fits(name) ? [{ name, code: 'L-1', value: jobs }] : []) };
}

const CHOICE = { reference: 's3://ref/genome.fa', annotation: 's3://ref/genes.gtf' };
const DRAGEN = { ...CHOICE, ami: 'ami-0123456789abcdef0', instanceProfile: 'cohortflow-dragen' };

describe('planning the services of a run', () => {
  it('asks no service when everything is computed here', async () => {
    expect(await planRemote(input({}), ['imaging', 'genomics'], {}, unasked)).toEqual({});
  });

  it('asks no service of a modality that the run has no units of', async () => {
    expect(await planRemote(input({ genomicsExecutor: 'dragen' }), ['imaging'], {}, unasked)).toEqual({});
  });

  it('takes what the service can hold', async () => {
    const jobs = input({ imagingExecutor: 'sagemaker' });
    expect(await planRemote(jobs, ['imaging', 'genomics'], SAGEMAKER, holding(40))).toEqual({
      limits: { imaging: 40 },
      limitedBy: { imaging: 'the quota "ml.r5.large for processing job usage"' },
    });
  });

  it('takes no more samples at once than there are machines for all of them', async () => {
    const reads = input({ genomicsExecutor: 'dragen' });
    const noQuota = { quotas: async () => [] };
    const plan = await planRemote(reads, ['genomics'], { dragen: { ...DRAGEN, instances: 3 } }, noQuota);
    expect(plan.limits).toEqual({ genomics: 3 });
  });

  it('refuses what the settings lack before anything is started', async () => {
    const reads = input({ genomicsExecutor: 'dragen' });
    await expect(planRemote(reads, ['genomics'], { dragen: CHOICE }, unasked)).rejects.toMatchObject({
      code: 'AwsNotConfigured',
      message: 'the executor dragen needs the setting aws.dragen.ami and aws.dragen.instanceProfile',
    });
    const jobs = input({ imagingExecutor: 'sagemaker' });
    await expect(planRemote(jobs, ['imaging'], {}, unasked)).rejects.toThrow('aws.sagemaker.image');
    const here = { ...jobs, output: '/results' };
    await expect(planRemote(here, ['imaging'], SAGEMAKER, unasked)).rejects.toThrow('set aws.work');
  });

  it('goes on without a limit where nobody answers about quotas, as in a network without a way out, and says so', async () => {
    const unanswered = { limitedBy: { imaging: expect.stringContaining('did not answer') as string } };
    const timeout = Object.assign(new Error('connect ETIMEDOUT'), { name: 'TimeoutError' });
    const lost = { quotas: () => Promise.reject(new CohortflowError('AwsUnavailable', 'no answer', {}, timeout)) };
    const jobs = input({ imagingExecutor: 'sagemaker' });
    expect(await planRemote(jobs, ['imaging'], SAGEMAKER, lost)).toEqual(unanswered);
    const bounds = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort(new Error('too long')));
    const silent = {
      quotas: (_service: string, _fits: unknown, signal: AbortSignal) => Promise.reject(signal.reason as Error),
    };
    try {
      expect(await planRemote(jobs, ['imaging'], SAGEMAKER, silent)).toEqual(unanswered);
    } finally {
      bounds.mockRestore();
    }
  });

  it('goes on without a limit where it may not ask for quotas, which doctor calls unknown too, and says what it lacks', async () => {
    const action = 'servicequotas:ListAWSDefaultServiceQuotas';
    const denied = { quotas: () => Promise.reject(new CohortflowError('AwsDenied', 'no', { action })) };
    const limitedBy = expect.stringMatching(
      /may not be asked \(servicequotas:ListAWSDefault.*the width is yours/,
    ) as string;
    const jobs = input({ imagingExecutor: 'sagemaker' });
    expect(await planRemote(jobs, ['imaging'], SAGEMAKER, denied)).toEqual({ limitedBy: { imaging: limitedBy } });
    const reads = input({ genomicsExecutor: 'dragen' });
    const plan = await planRemote(reads, ['genomics'], { dragen: DRAGEN }, denied);
    expect(plan).toMatchObject({ limitedBy: { genomics: limitedBy } });
    expect(plan).not.toHaveProperty('limits');
  });

  it('waits for quotas that the service would tell, but not now', async () => {
    const faulty = Object.assign(new Error('later'), { $metadata: { httpStatusCode: 503 } });
    for (const [code, cause] of [
      ['AwsUnavailable', faulty],
      ['AwsThrottled', undefined],
    ] as const) {
      const account = { quotas: () => Promise.reject(new CohortflowError(code, 'no', {}, cause)) };
      const plan = planRemote(input({ imagingExecutor: 'sagemaker' }), ['imaging'], SAGEMAKER, account);
      await expect(plan).rejects.toMatchObject({ code });
    }
  });

  it('refuses a service that may run nothing, saying why', async () => {
    const plan = planRemote(input({ imagingExecutor: 'sagemaker' }), ['imaging'], SAGEMAKER, holding(0));
    await expect(plan).rejects.toMatchObject({
      code: 'AwsQuotaExceeded',
      message: 'the executor sagemaker may run nothing: the quota "ml.r5.large for processing job usage" is 0',
    });
  });
});

describe('what DRAGEN is to compute', () => {
  it('is what the settings say, but for the profile that the run names', () => {
    const settings = { dragen: { ...DRAGEN, profile: '4.6' } };
    expect(dragenChoice({}, settings)).toEqual({ profile: '4.6', ...CHOICE });
    expect(dragenChoice({ dragenProfile: 'seed' }, settings)).toEqual({ profile: 'seed', ...CHOICE });
  });

  it('takes the image by its public parameter too', () => {
    const { ami: _, ...settings } = { ...DRAGEN, amiParameter: '/aws/service/marketplace/prod-x/latest' };
    expect(dragenChoice({}, { dragen: settings })).toMatchObject(CHOICE);
  });

  it('reads the annotation in S3', () => {
    expect(() => dragenChoice({ annotation: 'genes.gtf' }, { dragen: DRAGEN })).toThrow('reads the annotation in S3');
  });

  it('refuses a licence file that the commands of the version cannot name', () => {
    const licensed = { dragen: { ...DRAGEN, licence: 's3://keys/licence.txt' } };
    expect(() => dragenChoice({ dragenProfile: 'seed' }, licensed)).toThrow('takes no licence file');
    expect(dragenChoice({}, licensed).profile).toBe('4.3');
  });

  it('names all settings that are missing', () => {
    expect(() => dragenChoice({}, {})).toThrow('aws.dragen.reference and aws.dragen.annotation');
  });
});
