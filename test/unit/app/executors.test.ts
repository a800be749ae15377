import { describe, expect, it } from 'vitest';
import { dragenChoice, planRemote, type Executors } from '../../../src/app/executors.js';
import type { MultimodalInput } from '../../../src/contracts/inputs.js';
import type { RemoteExecutor, RemoteLimit } from '../../../src/ports/remote-executor.js';

const input = (fields: Partial<MultimodalInput>): MultimodalInput => ({ output: 's3://results/run', ...fields });

const unlike = (): never => {
  throw new Error('not asked for');
};

/** Services that hold so much. */
function holding(limits: Readonly<Record<string, RemoteLimit | undefined>>): Executors {
  return (name) => ({ name, limit: async () => limits[name] }) as unknown as RemoteExecutor;
}

const DRAGEN = { reference: 's3://ref/genome.fa', annotation: 's3://ref/genes.gtf' };

describe('planning the services of a run', () => {
  it('asks no service when everything is computed here', async () => {
    expect(await planRemote(input({}), ['imaging', 'genomics'], {}, unlike)).toEqual({});
  });

  it('asks no service of a modality that the run has no units of', async () => {
    expect(await planRemote(input({ genomicsExecutor: 'dragen' }), ['imaging'], {}, unlike)).toEqual({});
  });

  it('takes what each service can hold', async () => {
    const services = holding({ sagemaker: { limit: 40, why: 'quota' }, dragen: undefined });
    const both = input({ imagingExecutor: 'sagemaker', genomicsExecutor: 'dragen' });
    expect(await planRemote(both, ['imaging', 'genomics'], { dragen: DRAGEN }, services)).toEqual({
      limits: { imaging: 40 },
      dragen: { profile: '4.3', ...DRAGEN },
    });
  });

  it('refuses a service that may run nothing, saying why', async () => {
    const services = holding({ sagemaker: { limit: 0, why: 'the quota of ml.r5.large for processing jobs' } });
    const plan = planRemote(input({ imagingExecutor: 'sagemaker' }), ['imaging'], {}, services);
    await expect(plan).rejects.toMatchObject({
      code: 'AwsQuotaExceeded',
      message: 'the executor sagemaker may run nothing: the quota of ml.r5.large for processing jobs is 0',
    });
  });
});

describe('what DRAGEN is to compute', () => {
  it('is what the settings say, but for the profile that the run names', () => {
    const settings = { dragen: { ...DRAGEN, profile: '4.4' } };
    expect(dragenChoice({}, settings)).toEqual({ profile: '4.4', ...DRAGEN });
    expect(dragenChoice({ dragenProfile: 'seed' }, settings)).toEqual({ profile: 'seed', ...DRAGEN });
  });

  it('names all settings that are missing', () => {
    expect(() => dragenChoice({}, {})).toThrow('aws.dragen.reference and aws.dragen.annotation');
  });
});
