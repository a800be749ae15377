import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fpgaQuota } from '../../src/app/doctor/aws/machines.js';
import { PRICE_TABLE } from '../../src/domain/costs/price-table.js';
import { SHAPE } from '../src/check-settings.js';
import { LOG_NAMES } from '../src/parts/logs.js';
import { DEFAULTS } from '../src/settings.js';
import { ROOT } from './support/sdk-calls.js';
import { PLAIN, resourcesOf, templatesOf, type Resource } from './support/templates.js';

const text = readFileSync(join(ROOT, 'docs/aws.md'), 'utf8');
/** One section of the page, by its heading. */
const section = (title: string): string => {
  const [, body = ''] = text.split(new RegExp(`^#+ ${title}$`, 'm'));
  return body.split(/^## /m)[0]!;
};
const rowOf = (name: string): string =>
  section('Settings')
    .split('\n')
    .find((line) => line.startsWith('| ') && line.split(' | ')[0]!.includes(`\`${name}\``)) ?? '';

const HOURS = 730;
const ZONES = 2;
/** Dollars an hour that the table of prices does not have. */
const ENDPOINT = 0.01;
const NAT = 0.045;
const DISK_GB = 0.000111;
const FREE_GB = 20;

describe('docs/aws.md', () => {
  it('names every setting of the app in the row of its part', () => {
    for (const [name, entry] of Object.entries(SHAPE)) {
      const row = rowOf(name);
      expect(row, name).not.toBe('');
      if ('fits' in entry) continue;
      for (const [below, rule] of Object.entries(entry)) {
        expect(row, `${name}.${below}`).toContain(`\`${below}\``);
        if (!('fits' in rule))
          for (const last of Object.keys(rule)) expect(row, `${name}.${below}.${last}`).toContain(`\`${last}\``);
      }
    }
  });

  it('reckons what an installation that waits costs from its defaults and the table of prices', () => {
    const { fargateVcpu, fargateGb } = PRICE_TABLE.regions['us-east-1']!;
    const workers = Object.values(DEFAULTS.workers);
    const sum = (of: (one: (typeof workers)[number]) => number): number =>
      workers.reduce((total, one) => total + one.least * of(one), 0);
    const [vcpus, gb, disk] = [
      sum(({ vcpu }) => vcpu),
      sum(({ memoryGb }) => memoryGb),
      sum(({ diskGb }) => diskGb - FREE_GB),
    ];
    const costs = section('What it costs');
    expect(costs).toContain(`${vcpus} vCPUs, ${gb} GB, ${disk} GB of disk`);
    const dollars = HOURS * (vcpus * fargateVcpu + gb * fargateGb + disk * DISK_GB);
    expect(costs).toMatch(new RegExp(`beyond what is free \\| ${Math.round(dollars)} \\|`));
    const endpoints = [...resourcesOf(templatesOf(PLAIN), 'AWS::EC2::VPCEndpoint').values()].filter(
      ({ Properties }) => Properties['VpcEndpointType'] === 'Interface',
    ).length;
    expect(costs).toContain(`${endpoints} interface endpoints in two zones`);
    const [inside, out] = [HOURS * endpoints * ZONES * ENDPOINT, HOURS * NAT].map(Math.round);
    expect(costs).toContain(`| ${inside}, or ${out} |`);
    expect(DEFAULTS.watch.budgetUsd).toBeGreaterThan(dollars + inside!);
    expect(DEFAULTS.watch.budgetUsd).toBeLessThan(2 * (dollars + inside!));
  });

  it('names the quotas that doctor looks at, and as much of Fargate as the defaults may use', () => {
    const quotas = section('Quotas to ask for first');
    const named = [...quotas.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    for (const spot of [true, false]) expect(named.some((name) => fpgaQuota(spot).test(name))).toBe(true);
    const most = Object.values(DEFAULTS.workers).reduce((sum, { vcpu, most: tasks }) => sum + vcpu * tasks, 0);
    const sweep = 0.5;
    expect(quotas).toContain(`of all roles: ${Math.ceil(most + sweep)} as it comes`);
  });

  it('says what stays when the stacks are removed, and by which names', () => {
    const templates = templatesOf(PLAIN);
    const kept = (['data', 'network', 'work'] as const).flatMap((stack) =>
      Object.values<Resource>(templates[stack].Resources)
        .filter(({ DeletionPolicy }) => DeletionPolicy === 'Retain')
        .map(({ Type }) => Type),
    );
    expect([...new Set(kept)].sort()).toEqual([
      ...['AWS::ECR::Repository', 'AWS::KMS::Key', 'AWS::Logs::LogGroup', 'AWS::S3::Bucket'],
    ]);
    const removing = section('Removing everything');
    expect(removing).toContain('the key, the three buckets, images, logs');
    expect(kept.filter((type) => type === 'AWS::S3::Bucket')).toHaveLength(3);
    for (const name of LOG_NAMES) expect(removing).toMatch(new RegExp(`\`(/cohortflow/)?${name}\``));
  });
});
