import type { ResourceType, RunInstancesCommandInput, Tag } from '@aws-sdk/client-ec2';
import type { AwsSettings } from '../../../config/aws-settings.js';
import { type DragenMachine, watchdog } from '../../../domain/genomics/dragen/index.js';

/** Minutes that a machine has until its first work begins; from then on it has the time of its work. */
const BOOT_MINUTES = 60;

/** Where and as what a machine is tried. */
export interface Choice {
  readonly type: string;
  readonly subnet: string | undefined;
}

/** Types by subnets, in order of preference: first the best type wherever it may be. */
export function choicesOf({ instanceTypes }: DragenMachine, { dragen = {} }: AwsSettings): readonly Choice[] {
  const { subnets = [undefined] } = dragen;
  return instanceTypes.flatMap((type) => subnets.map((subnet) => ({ type, subnet })));
}

/** A machine image and its root device. */
export interface BootImage {
  readonly id: string;
  readonly rootDevice: string;
}

type Typed = NonNullable<RunInstancesCommandInput['InstanceType']>;
type VolumeType = NonNullable<
  NonNullable<NonNullable<RunInstancesCommandInput['BlockDeviceMappings']>[number]['Ebs']>['VolumeType']
>;

/**
 * The request for one machine: no key to log in by, metadata only with a session, tags on all that comes with it from the
 * first moment, and an end by itself whatever becomes of those who asked for it.
 *
 * @param token the same for the same choice of the same work, so that asking again gives the same machine
 */
export function machineRequest(
  image: BootImage,
  { type, subnet }: Choice,
  { rootVolume }: DragenMachine,
  tags: Readonly<Record<string, string>>,
  token: string,
  settings: AwsSettings,
): RunInstancesCommandInput {
  const { dragen = {}, kmsKey } = settings;
  const { instanceProfile, securityGroups, spot = false } = dragen;
  const Tags: Tag[] = Object.entries({ Name: 'cohortflow DRAGEN', ...settings.tags, ...tags }).map(([Key, Value]) => ({
    Key,
    Value,
  }));
  const tagged: readonly ResourceType[] = [
    ...(['instance', 'volume', 'network-interface'] as const),
    ...(spot ? (['spot-instances-request'] as const) : []),
  ];
  return {
    ImageId: image.id,
    InstanceType: type as Typed,
    MinCount: 1,
    MaxCount: 1,
    ClientToken: token,
    ...(subnet === undefined ? {} : { SubnetId: subnet }),
    ...(securityGroups === undefined ? {} : { SecurityGroupIds: [...securityGroups] }),
    ...(instanceProfile === undefined
      ? {}
      : {
          IamInstanceProfile: instanceProfile.startsWith('arn:') ? { Arn: instanceProfile } : { Name: instanceProfile },
        }),
    BlockDeviceMappings: [
      {
        DeviceName: image.rootDevice,
        Ebs: {
          VolumeType: rootVolume.type as VolumeType,
          VolumeSize: rootVolume.gb,
          Encrypted: true,
          ...(kmsKey === undefined ? {} : { KmsKeyId: kmsKey }),
          DeleteOnTermination: true,
        },
      },
    ],
    InstanceInitiatedShutdownBehavior: 'terminate',
    MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled', HttpPutResponseHopLimit: 1 },
    UserData: Buffer.from(watchdog(BOOT_MINUTES)).toString('base64'),
    ...(spot
      ? {
          InstanceMarketOptions: {
            MarketType: 'spot',
            SpotOptions: { SpotInstanceType: 'one-time', InstanceInterruptionBehavior: 'terminate' },
          },
        }
      : {}),
    TagSpecifications: tagged.map((kind) => ({ ResourceType: kind, Tags })),
  };
}
