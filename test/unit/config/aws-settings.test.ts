import { describe, expect, it } from 'vitest';
import { awsSettingsFault } from '../../../src/config/aws-settings.js';
import { loadConfig } from '../../../src/config/load-config.js';

describe('settings of an AWS account', () => {
  it('are taken from the environment as YAML or JSON', () => {
    const aws = { region: 'eu-west-1', sagemaker: { instanceTypes: ['ml.r5.large'], volumeGb: 5 } };
    expect(loadConfig({ COHORTFLOW_AWS: JSON.stringify(aws) }).aws).toEqual(aws);
    expect(loadConfig({ COHORTFLOW_AWS: 'region: eu-west-1' }).aws).toEqual({ region: 'eu-west-1' });
    expect(loadConfig({}).aws).toEqual({});
  });

  it.each([
    [{ regoin: 'x' }, 'aws: unknown setting regoin; known: region, work'],
    [{ sagemaker: { image: 7 } }, 'aws.sagemaker.image: found 7, wanted a text'],
    [{ sagemaker: { volumeGb: 0 } }, 'aws.sagemaker.volumeGb: found 0, wanted a whole number from 1 to 16384'],
    [{ work: '/tmp/work' }, 'aws.work: found "/tmp/work", wanted s3://bucket/folder'],
    [{ features: { tableFormat: 'Delta' } }, 'aws.features.tableFormat: found "Delta", wanted Glue or Iceberg'],
    [
      { dragen: { rootVolume: { type: 'gp9' } } },
      'aws.dragen.rootVolume.type: found "gp9", wanted gp3 or gp2 or standard',
    ],
    [{ dragen: { profile: '9.9' } }, 'aws.dragen.profile: found "9.9", wanted seed or 4.3 or 4.6'],
    [{ dragen: { profile: 4.3 } }, 'aws.dragen.profile: found 4.3, wanted "seed" or "4.3" or "4.6"'],
    [{ dragen: { rootVolume: { size: 100 } } }, 'aws.dragen.rootVolume: unknown setting size; known: type, gb'],
    [{ s3: { anonymous: 'bucket' } }, 'aws.s3.anonymous: found "bucket", wanted a list of texts'],
    [{ tags: { a: 1 } }, 'aws.tags: found {"a":1}, wanted a mapping of at most 30 names'],
    [{ tags: { 'AWS:a': '1' } }, 'not beginning with aws:, or cohortflow: but for cohortflow:installation)'],
    [{ tags: { 'cohortflow:work': '1' } }, 'or cohortflow: but for cohortflow:installation)'],
    [{ tags: { a: 'x'.repeat(257) } }, '256 characters'],
    [{ tags: { ['x'.repeat(129)]: '' } }, '128 characters'],
    [{ tags: { a: 'trial (A)' } }, 'of letters, digits, spaces and _.:/=+-@'],
    [{ tags: Object.fromEntries(Array.from({ length: 31 }, (_, at) => [`t${at}`, ''])) }, 'at most 30'],
    [{ sagemaker: { instanceTypes: ['a', 'b', 'c', 'd', 'e', 'f'] } }, 'wanted a list of one to 5 types, each once'],
    [{ sagemaker: { instanceTypes: ['ml.r5.large', 'ml.r5.large'] } }, 'each once'],
    [{ sagemaker: { volumeGb: 16_385 } }, 'aws.sagemaker.volumeGb: found 16385, wanted a whole number from 1 to 16384'],
    [{ sagemaker: { maxMinutes: 20_000 } }, 'wanted a whole number from 1 to 12960'],
    [[], 'aws: found [], wanted a mapping of settings'],
  ])('refuse %j', (document, fault) => {
    expect(awsSettingsFault(document)).toContain(fault);
  });

  it('take the tag by which a deployment knows its own', () => {
    const aws = { tags: { 'cohortflow:installation': 'trial', project: 'nsclc' } };
    expect(loadConfig({ COHORTFLOW_AWS: JSON.stringify(aws) }).aws).toEqual(aws);
  });

  it('name the variable that is wrong', () => {
    expect(() => loadConfig({ COHORTFLOW_AWS: '{' })).toThrow('COHORTFLOW_AWS: not readable as YAML or JSON');
    expect(() => loadConfig({ COHORTFLOW_AWS: 'sagemaker: big' })).toThrow('COHORTFLOW_AWS: aws.sagemaker');
  });
});
