import { dragenMachine } from '../../../domain/genomics/dragen/index.js';
import { vcpusOf } from '../../../domain/costs/index.js';
import type { AwsQuota, LaunchVerdict } from '../../../ports/aws-account.js';
import { failed, ok, unknown, warning, type Check, type Verdict } from '../check.js';
import type { ImageLook } from './machine-image.js';
import { increase } from './quota-fix.js';
import { DEFAULT_AT_ONCE, type AwsSubject } from './wanted.js';

const ON_DEMAND = /^Running On-Demand F instances$/i;
const SPOT = /^All F Spot Instance Requests$/i;

/** The quota that bounds machines of the F family; in vCPUs. */
export const fpgaQuota = (spot: boolean): RegExp => (spot ? SPOT : ON_DEMAND);

/** How many machines of a type a quota of vCPUs allows. */
export function machinesOf({ value }: AwsQuota, type: string): number | undefined {
  const vcpus = vcpusOf(type);
  return vcpus === undefined ? undefined : Math.floor(value / vcpus);
}

/** How many DRAGEN machines the account may have. */
export function fpgaQuotaCheck({ account, settings, wanted }: AwsSubject): Check {
  const { spot = false, instances } = settings.dragen ?? {};
  const { instanceTypes } = dragenMachine(settings, wanted.dragenProfile);
  const width = instances ?? wanted.atOnce?.genomics ?? DEFAULT_AT_ONCE;
  return {
    name: 'Quota of F instances',
    look: async (signal) => {
      const pattern = fpgaQuota(spot);
      const [quota] = await account.quotas('ec2', (name) => pattern.test(name), signal);
      if (quota === undefined) return unknown('the quota is not listed', 'look by hand: Service Quotas, Amazon EC2');
      return instanceTypes.map((type): Verdict => {
        const most = machinesOf(quota, type);
        if (most === undefined) {
          return failed(`${type} is no machine of the F family`, 'correct aws.dragen.instanceTypes: f2.6xlarge, say');
        }
        const fix = increase('ec2', quota.code, quota.name, width * (vcpusOf(type) ?? 0));
        const found = `"${quota.name}" is ${quota.value} vCPUs: ${most} × ${type}`;
        if (most < 1) return failed(`${found}, none can start`, fix);
        return most < width ? warning(`${found} at once instead of ${width}`, fix) : ok(found);
      });
    },
  };
}

/** Whether the types are offered where the subnets are. */
export function offeringCheck({ account, settings, wanted }: AwsSubject): Check {
  const { subnets: ids = [] } = settings.dragen ?? {};
  const { instanceTypes } = dragenMachine(settings, wanted.dragenProfile);
  return {
    name: 'DRAGEN instance types',
    look: async (signal) => {
      const zones = new Set((ids.length === 0 ? [] : await account.subnets(ids, signal)).map(({ zone }) => zone));
      return Promise.all(
        instanceTypes.map(async (type): Promise<Verdict> => {
          const offered = await account.zonesOf(type, signal);
          if (offered.length === 0) {
            const retired = type.startsWith('f1.') ? ' (F1 was retired on 2025-12-20: take F2)' : '';
            return failed(`${type} is not offered in this Region${retired}`, 'correct aws.dragen.instanceTypes');
          }
          const usable = offered.filter((zone) => zones.has(zone));
          if (zones.size === 0 || usable.length === zones.size) return ok(`${type} in ${offered.join(', ')}`);
          const found = `${type} is offered in ${offered.join(', ')}, the subnets are in ${[...zones].join(', ')}`;
          const fix = `name subnets in ${offered.join(', ')} in aws.dragen.subnets`;
          return usable.length === 0 ? failed(found, fix) : warning(found, fix);
        }),
      );
    },
  };
}

const SUBSCRIBE =
  'subscribe to the DRAGEN image: AWS Marketplace, "DRAGEN Complete Suite", Continue to Subscribe, with the account of the run';

/** What a refused trial says, by the service's code. */
function trialVerdict(type: string, verdict: LaunchVerdict): Verdict {
  if (verdict.allowed) return ok(`${type} could be started (a trial, nothing was)`);
  const { code, message } = verdict;
  if (code === 'OptInRequired') return failed(`${type}: the image is not subscribed to`, SUBSCRIBE);
  if (code === 'UnauthorizedOperation') {
    const fix = 'grant ec2:RunInstances and iam:PassRole on the role of the instance profile to whoever runs the work';
    return unknown(`${type}: may not be tried`, fix);
  }
  if (/^(Insufficient\w*Capacity|UnfulfillableCapacity)$/.test(code)) {
    return warning(`${type}: none is free now`, 'nothing to do: it is tried again; or name further types or subnets');
  }
  if (/iaminstanceprofile/i.test(`${code} ${message}`)) {
    return failed(
      `${type}: the instance profile is not there`,
      'correct aws.dragen.instanceProfile (deploy/ makes one)',
    );
  }
  return failed(`${type}: ${code}: ${message}`, 'correct the setting under aws.dragen that the message names');
}

/** Asks whether a machine could be started: subscription, instance profile, network and permissions at once. */
export function launchCheck({ account, settings, wanted }: AwsSubject, lookAtImage: ImageLook): Check {
  const { instanceProfile, subnets = [] } = settings.dragen ?? {};
  const { dragenProfile } = wanted;
  return {
    name: 'DRAGEN machine',
    look: async (signal) => {
      const verdicts: Verdict[] = [];
      if (instanceProfile === undefined) {
        const found = 'no instance profile is set: the machine could not be reached';
        verdicts.push(failed(found, 'set aws.dragen.instanceProfile (deploy/ makes one)'));
      }
      const { id: image, found } = await lookAtImage(signal);
      if (image === undefined)
        return [...verdicts, unknown('not tried: there is no image', 'see DRAGEN machine image')];
      const [type = ''] = dragenMachine(settings, dragenProfile).instanceTypes;
      const rootDevice = found?.rootDevice;
      const [subnet] = subnets;
      const verdict = await account.tryLaunch(
        {
          ...{ image, type },
          ...(rootDevice === undefined ? {} : { rootDevice }),
          ...(subnet === undefined ? {} : { subnet }),
          ...(dragenProfile === undefined ? {} : { dragenProfile }),
        },
        signal,
      );
      return [...verdicts, trialVerdict(type, verdict)];
    },
  };
}
