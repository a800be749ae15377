import type { EC2Client, RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import type { AwsSettings } from '../../../config/aws-settings.js';
import { CohortflowError, messageOf } from '../../../domain/errors.js';
import type { LaunchTrial, LaunchVerdict, MachineImage, Subnet, VpcEndpoint } from '../../../ports/aws-account.js';
import { dragenMachine } from '../../../domain/genomics/dragen/index.js';
import { awsCode } from '../aws-errors.js';
import { clientOptions } from '../client-options.js';
import { machineRequest } from '../dragen/machine-request.js';
import { readEndpoints, readSubnets } from './network.js';
import { isNamed, reading } from './reading.js';

const NO_SUCH_IMAGE = /^InvalidAMIID/;

/** The request of a run's machine, whatever it asks for: what a run would be refused, the trial is too. */
function trialRequest(trial: LaunchTrial, settings: AwsSettings): RunInstancesCommandInput {
  const { image, rootDevice = '/dev/sda1', type, subnet } = trial;
  const { ClientToken: _, ...request } = machineRequest(
    { id: image, rootDevice },
    { type, subnet },
    dragenMachine(settings, trial.dragenProfile),
    // The permission to launch may hang on it.
    { 'cohortflow:work': 'trial' },
    '',
    settings,
  );
  return { ...request, DryRun: true };
}

/** What EC2 tells without starting anything. */
export class MachineReader {
  #client: EC2Client | undefined;

  constructor(private readonly settings: AwsSettings) {}

  private async sdk(): Promise<{ sdk: typeof import('@aws-sdk/client-ec2'); client: EC2Client }> {
    const sdk = await import('@aws-sdk/client-ec2');
    this.#client ??= new sdk.EC2Client(clientOptions(this.settings.region));
    return { sdk, client: this.#client };
  }

  async image(id: string, signal: AbortSignal): Promise<MachineImage | undefined> {
    const { sdk, client } = await this.sdk();
    const image = await reading('ec2:DescribeImages', signal, async () => {
      try {
        const found = await client.send(new sdk.DescribeImagesCommand({ ImageIds: [id] }), { abortSignal: signal });
        return found.Images?.[0];
      } catch (error) {
        if (isNamed(error, NO_SUCH_IMAGE)) return undefined;
        throw error;
      }
    });
    if (image === undefined) return undefined;
    const { Name: name = '', State = '', ProductCodes = [], RootDeviceName, BlockDeviceMappings = [] } = image;
    const rootGb = BlockDeviceMappings.find(({ DeviceName }) => DeviceName === RootDeviceName)?.Ebs?.VolumeSize;
    const products = ProductCodes.filter(({ ProductCodeType }) => ProductCodeType !== 'devpay');
    return {
      ...{ id, name, state: State },
      products: products.flatMap(({ ProductCodeId }) => (ProductCodeId === undefined ? [] : [ProductCodeId])),
      ...(rootGb === undefined ? {} : { rootGb }),
      ...(RootDeviceName === undefined ? {} : { rootDevice: RootDeviceName }),
    };
  }

  async zonesOf(type: string, signal: AbortSignal): Promise<readonly string[]> {
    const { sdk, client } = await this.sdk();
    const { InstanceTypeOfferings = [] } = await reading('ec2:DescribeInstanceTypeOfferings', signal, () =>
      client.send(
        new sdk.DescribeInstanceTypeOfferingsCommand({
          LocationType: 'availability-zone',
          Filters: [{ Name: 'instance-type', Values: [type] }],
        }),
        { abortSignal: signal },
      ),
    );
    return InstanceTypeOfferings.flatMap(({ Location }) => (Location === undefined ? [] : [Location])).sort();
  }

  async subnets(ids: readonly string[], signal: AbortSignal): Promise<readonly Subnet[]> {
    const { sdk, client } = await this.sdk();
    return readSubnets(sdk, client, ids, signal);
  }

  async endpoints(vpcs: readonly string[], signal: AbortSignal): Promise<readonly VpcEndpoint[]> {
    const { sdk, client } = await this.sdk();
    return readEndpoints(sdk, client, vpcs, signal);
  }

  async securityGroups(ids: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
    const { sdk, client } = await this.sdk();
    const Filters = [{ Name: 'group-id', Values: [...ids] }];
    const { SecurityGroups = [] } = await reading('ec2:DescribeSecurityGroups', signal, () =>
      client.send(new sdk.DescribeSecurityGroupsCommand({ Filters }), { abortSignal: signal }),
    );
    return SecurityGroups.flatMap(({ GroupId }) => (GroupId === undefined ? [] : [GroupId]));
  }

  /** A dry run always ends in an error: the one that says it would have worked, or the reason why not. */
  async tryLaunch(trial: LaunchTrial, signal: AbortSignal): Promise<LaunchVerdict> {
    const { sdk, client } = await this.sdk();
    try {
      await client.send(new sdk.RunInstancesCommand(trialRequest(trial, this.settings)), { abortSignal: signal });
    } catch (error) {
      signal.throwIfAborted();
      const { name: code = '', $metadata } = (error ?? {}) as {
        name?: string;
        $metadata?: { httpStatusCode?: number };
      };
      if (code === 'DryRunOperation') return { allowed: true };
      // No answer, or one about the time and not about the machine, says nothing of the trial.
      if ($metadata?.httpStatusCode === undefined || ['AwsThrottled', 'AwsUnavailable'].includes(awsCode(error))) {
        return reading('ec2:RunInstances', signal, () => Promise.reject(error as Error));
      }
      return { allowed: false, code, message: messageOf(error) };
    }
    throw new CohortflowError('InternalError', 'a machine was started where only a trial was asked for');
  }
}
