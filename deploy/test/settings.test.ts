import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { AWS_SHAPE, awsSettingsFault, type AwsSettings } from '../../src/config/aws-settings.js';
import { WORKER_ROLES as PRODUCT_ROLES } from '../../src/config/config.js';
import { GROUPS } from '../../src/domain/feature-table/group-schema.js';
import { storeGroupBeginning } from '../../src/domain/feature-table/store-form.js';
import { SettingsError, settingsOf, SHAPE } from '../src/check-settings.js';
import { missingForWork } from '../src/cohortflow-app.js';
import { DEFAULTS, FEATURE_TABLES, WORKER_ROLES } from '../src/settings.js';
import { ROOT } from './support/sdk-calls.js';
import { containerOf, FULL, PLAIN, resourcesOf, templatesOf } from './support/templates.js';
import { rendered } from './support/rendered.js';

const fault = (document: unknown): string => {
  try {
    settingsOf(document);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  return 'none';
};
const digest = `sha256:${'0'.repeat(64)}`;

describe('settings', () => {
  it('are the defaults where the file says nothing', () => {
    expect(settingsOf({})).toEqual(DEFAULTS);
    expect(settingsOf({ workers: { cpu: { most: 20 } } }).workers.cpu).toEqual({ ...DEFAULTS.workers.cpu, most: 20 });
    expect(settingsOf(PLAIN).temporal).toMatchObject({ namespace: 'default', taskQueue: 'cohortflow', auth: 'none' });
  });

  it('of the example are good', () => {
    const text = readFileSync(join(ROOT, 'deploy', 'settings.example.json'), 'utf8');
    expect(missingForWork(settingsOf(JSON.parse(text)))).toEqual([]);
  });

  it.each([
    [{ buckets: 3 }, /^buckets: no such setting; known here: name, images/],
    [{ name: 'mine' }, /^name: found "mine", wanted cohortflow/],
    [{ name: `cohortflow-${'a'.repeat(16)}` }, /^name: .*26 at most/],
    [{ name: 'cohortflow-' }, /^name: .*wanted cohortflow/],
    [{ name: 'cohortflow-imaging' }, /^name: .*wanted one without "-imaging"/],
    [{ name: 'cohortflow-genomics-2' }, /^name: .*wanted one without "-genomics"/],
    [{ images: { worker: 'latest', processing: digest } }, /^images\.worker: found "latest", wanted a digest/],
    [{ images: { worker: digest } }, /worker and processing go together/],
    [{ logDays: 17 }, /^logDays: found 17, wanted 1 or 3 or/],
    [{ network: { wayOut: 'public' } }, /wanted "endpoints" or "nat"/],
    [{ workers: { cpu: { vcpu: 4, memoryGb: 64 } } }, /Fargate has no 64 GB with 4 vCPU; wanted 8 to 30 GB/],
    [{ workers: { io: { least: 5, most: 2 } } }, /^workers\.io: most \(2\) is less than least \(5\)/],
    [{ temporal: { namespace: 'x' } }, /temporal\.address is wanted/],
    [{ temporal: { address: 'x:7233', auth: 'apiKey' } }, /wants temporal\.secret/],
    [{ temporal: { address: 'x:7233', secret: 's' } }, /give temporal\.auth/],
    [
      { temporal: { address: 'a.b.tmprl.cloud:7233', tls: true, auth: 'apiKey', secret: 's' } },
      /no way out: set network\.wayOut/,
    ],
    [{ temporal: { address: 'a.tmprl.cloud:7233' }, network: { wayOut: 'nat' } }, /Temporal Cloud wants temporal\.tls/],
    [{ dragen: { ami: 'ami-1' } }, /reference \(FASTA\) and annotation/],
    [{ dragen: { reference: 's3://bb/r.fa', annotation: 's3://bb/a.gtf' } }, /one of ami and amiParameter/],
    [
      { dragen: { sraTools: 'https://ncbi/sratoolkit.tar.gz' } },
      /^dragen\.sraTools: found .*, wanted s3:\/\/bucket\/key/,
    ],
    [
      { jobs: { instanceTypes: ['r5.large'] } },
      /^jobs\.instanceTypes: found .*, wanted a list of types of machines, ml/,
    ],
    [{ jobs: { volumeGb: 0 } }, /^jobs\.volumeGb: found 0, wanted a whole number from 1 to 16384/],
    [{ features: { tableFormat: 'Hudi' } }, /^features\.tableFormat: found "Hudi", wanted "Glue" or "Iceberg"/],
    [{ dragen: { rootVolume: { type: 'gp9' } } }, /^dragen\.rootVolume\.type: found "gp9", wanted "gp3" or/],
    [{ watch: { emails: ['nobody'] } }, /wanted a list of e-mail addresses/],
    ['text', /wanted a mapping of settings/],
  ])('that are wrong (%j) say what was found and what is wanted', (document, message) => {
    expect(fault(document)).toMatch(message);
  });

  it('hand on everything that they say of jobs, features, S3 and DRAGEN under the names of the product', () => {
    const { work } = templatesOf(FULL);
    const { aws } = parse(rendered(work.Outputs?.['Settings']?.Value) as string) as { aws: AwsSettings };
    const { keepAlignments, ...dragen } = FULL.dragen;
    const { anonymous, requesterPays } = FULL.storage;
    expect(aws).toMatchObject({
      ...{ sagemaker: FULL.jobs, features: FULL.features, dragen },
      s3: { anonymous, requesterPays, objectTags: { sagemaker: 'true' } },
    });
    expect(keepAlignments).toBe(true);
    expect(aws.dragen?.alignments).toMatch(/^s3:.*\/alignments$/);
  });

  // A failure's remedy may say "raise aws.sagemaker.volumeGb": whoever deploys by the app must be able to.
  it('have every setting of jobs, features and machines that is not about where the installation is', () => {
    const { sagemaker, features, dragen } = AWS_SHAPE;
    const given = (shape: object, ...own: readonly string[]): string[] =>
      Object.keys(shape).filter((name) => !own.includes(name));
    const network = ['subnets', 'securityGroups'];
    const settings = (part: keyof typeof SHAPE): string[] => Object.keys(SHAPE[part] ?? {});
    expect(settings('jobs').sort()).toEqual(
      given(sagemaker, ...network, 'image', 'roleArn', 'networkIsolation').sort(),
    );
    expect(settings('features').sort()).toEqual(given(features, 'offlineStore', 'roleArn', 'prefix').sort());
    const ours = given(dragen, ...network, 'instanceProfile', 'hashTable', 'alignments', 'pollSeconds');
    expect(settings('dragen').sort()).toEqual([...ours, 'keepAlignments'].sort());
  });

  it('take the profiles of DRAGEN and the kinds of disk that the product takes, and no others', () => {
    const { profile, rootVolume } = AWS_SHAPE.dragen;
    const faultOf = (given: object): string =>
      fault({ dragen: { ami: 'ami-1', reference: 's3://bb/r.fa', annotation: 's3://bb/a.gtf', ...given } });
    for (const one of profile) expect(faultOf({ profile: one }), one).toBe('none');
    for (const type of rootVolume.type) expect(faultOf({ rootVolume: { type } }), type).toBe('none');
    expect(faultOf({ profile: '9.9' })).toMatch(/^dragen\.profile: found "9\.9"/);
    expect(faultOf({ rootVolume: { type: 'io2' } })).toMatch(/^dragen\.rootVolume\.type: found "io2"/);
  });

  it('know the worker roles and the tables of features of the product', () => {
    expect(WORKER_ROLES).toEqual(PRODUCT_ROLES);
    expect(FEATURE_TABLES).toEqual(GROUPS);
  });

  it('take no longer name than the longest name of a feature group has room for', () => {
    const longest = `cohortflow-${'a'.repeat(15)}`;
    expect(fault({ name: longest })).toBe('none');
    expect(storeGroupBeginning(longest)).toBe(longest);
  });
});

describe.each([
  ['the least', PLAIN],
  ['everything', FULL],
])('the printed settings of %s', (_, settings) => {
  const { work } = templatesOf(settings);

  it('are settings that the product takes', () => {
    const block = parse(rendered(work.Outputs?.['Settings']?.Value) as string) as { aws: Record<string, unknown> };
    expect(awsSettingsFault(block.aws)).toBeUndefined();
    expect(Object.keys(block.aws)).toEqual(
      expect.arrayContaining(['region', 'work', 'kmsKey', 'sagemaker', 'features', 'athena']),
    );
  });

  it('are those that workers get', () => {
    const block = parse(rendered(work.Outputs?.['Settings']?.Value) as string) as { aws: unknown };
    for (const task of resourcesOf(templatesOf(settings), 'AWS::ECS::TaskDefinition').values()) {
      const given = containerOf(task).Environment.find(({ Name }) => Name === 'COHORTFLOW_AWS')?.Value;
      expect(JSON.parse(rendered(given) as string)).toEqual(block.aws);
    }
  });
});
