import type { NetworkSettings } from '../../../config/aws-settings.js';
import type { VpcEndpoint } from '../../../ports/aws-account.js';
import { failed, ok, warning, type Check, type Verdict } from '../check.js';
import type { AwsSubject } from './wanted.js';

/** Least free addresses that a processing job takes in its subnet. */
const ADDRESSES = 2;

/**
 * Endpoints that work in a network without a way out cannot do without: S3, and what reaches the agent of a machine. A licence
 * in a secret adds one.
 */
const NEEDED = { sagemaker: ['s3'], dragen: ['s3', 'ssm', 'ssmmessages', 'ec2messages'] } as const;

function lacking(needed: readonly string[], vpc: string, endpoints: readonly VpcEndpoint[]): readonly string[] {
  const there = (name: string): boolean =>
    endpoints.some((endpoint) => endpoint.vpc === vpc && endpoint.service === name && endpoint.available);
  return needed.filter((name) => !there(name));
}

/** The network of an executor: subnets, groups, and the endpoints that a network without a way out needs. */
export function networkCheck(subject: AwsSubject, service: 'sagemaker' | 'dragen'): Check {
  const { account, settings } = subject;
  const { subnets: ids = [], securityGroups: groups = [] }: NetworkSettings = settings[service] ?? {};
  const setting = `aws.${service}`;
  const licence = service === 'dragen' && settings.dragen?.licence?.includes(':secretsmanager:') === true;
  const needed = [...NEEDED[service], ...(licence ? ['secretsmanager'] : [])];
  return {
    name: `Network of ${service === 'dragen' ? 'DRAGEN machines' : 'processing jobs'}`,
    look: async (signal) => {
      if (ids.length === 0) {
        return warning('no subnets are set: the default network is used', `set ${setting}.subnets and .securityGroups`);
      }
      const subnets = await account.subnets(ids, signal);
      const verdicts: Verdict[] = [];
      const gone = ids.filter((id) => !subnets.some((subnet) => subnet.id === id));
      if (gone.length > 0) verdicts.push(failed(`there is no subnet ${gone.join(', ')}`, `correct ${setting}.subnets`));
      if (groups.length === 0) {
        verdicts.push(failed('no security group is set', `set ${setting}.securityGroups`));
      } else {
        const known = await account.securityGroups(groups, signal);
        const absent = groups.filter((id) => !known.includes(id));
        const fix = `correct ${setting}.securityGroups`;
        if (absent.length > 0) verdicts.push(failed(`there is no security group ${absent.join(', ')}`, fix));
      }
      for (const { id, freeAddresses } of subnets.filter((subnet) => subnet.freeAddresses < ADDRESSES)) {
        const found = `${id} has ${freeAddresses} free addresses`;
        verdicts.push(warning(found, `name further, larger subnets in ${setting}.subnets`));
      }
      const vpcs = [...new Set(subnets.map(({ vpc }) => vpc))];
      const closed = vpcs.filter((vpc) => subnets.some((subnet) => subnet.vpc === vpc && !subnet.internet));
      if (closed.length > 0) {
        const endpoints = await account.endpoints(closed, signal);
        for (const vpc of closed) {
          const missing = lacking(needed, vpc, endpoints);
          if (missing.length === 0) continue;
          const found = `${vpc} has no way out and no endpoint of ${missing.join(', ')}`;
          const kinds = missing.map((name) => `${name} (${name === 's3' ? 'gateway' : 'interface'})`).join(', ');
          verdicts.push(failed(found, `make VPC endpoints of ${kinds} in ${vpc}, or a NAT gateway`));
        }
        if (service === 'dragen') {
          const fix = "let the machines reach DRAGEN's licence server over HTTPS (a NAT gateway, or a proxy)";
          verdicts.push(warning("without a way out DRAGEN's licence cannot be checked at its maker", fix));
        }
      }
      const zones = [...new Set(subnets.map(({ zone }) => zone))].join(', ');
      return verdicts.length > 0 ? verdicts : ok(`${subnets.length} subnets in ${zones}`);
    },
  };
}
