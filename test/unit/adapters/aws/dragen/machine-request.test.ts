import { describe, expect, it } from 'vitest';
import { choicesOf, machineRequest } from '../../../../../src/adapters/aws/dragen/machine-request.js';
import type { AwsSettings } from '../../../../../src/config/aws-settings.js';
import { dragenMachine } from '../../../../../src/domain/genomics/dragen/index.js';

const OURS = { 'cohortflow:work': 'w', 'cohortflow:namespace': 'n' };

function requestOf(settings: AwsSettings) {
  const machine = dragenMachine(settings);
  const [choice] = choicesOf(machine, settings);
  const image = { id: 'ami-1', rootDevice: '/dev/xvda' };
  return machineRequest(image, choice!, machine, OURS, 'token', settings);
}

describe('the request for a machine', () => {
  it('is one that nobody logs in to, that goes with its disk, and that ends itself', () => {
    const request = requestOf({ region: 'eu-central-1' });
    expect(request).toMatchObject({
      ...{ ImageId: 'ami-1', InstanceType: 'f2.6xlarge', MinCount: 1, MaxCount: 1, ClientToken: 'token' },
      MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled', HttpPutResponseHopLimit: 1 },
      InstanceInitiatedShutdownBehavior: 'terminate',
    });
    expect(request).not.toHaveProperty('KeyName');
    expect(request).not.toHaveProperty('InstanceMarketOptions');
    expect(request.BlockDeviceMappings).toEqual([
      {
        DeviceName: '/dev/xvda',
        Ebs: { VolumeType: 'gp3', VolumeSize: 100, Encrypted: true, DeleteOnTermination: true },
      },
    ]);
    expect(Buffer.from(request.UserData!, 'base64').toString()).toBe('#!/bin/bash\nshutdown -h +60\n');
  });

  it.each([false, true])('has all tags on all that comes with it from the first moment: spot %s', (spot) => {
    const { TagSpecifications = [], InstanceMarketOptions } = requestOf({
      tags: { project: 'nsclc' },
      dragen: { spot },
    });
    const kinds = ['instance', 'volume', 'network-interface', ...(spot ? ['spot-instances-request'] : [])];
    expect(TagSpecifications.map(({ ResourceType }) => ResourceType)).toEqual(kinds);
    for (const { Tags = [] } of TagSpecifications) {
      expect(Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]))).toEqual({
        ...OURS,
        ...{ Name: 'cohortflow DRAGEN', project: 'nsclc' },
      });
    }
    // One that is interrupted must not come back by itself, nor stay as a disk.
    const once = { SpotInstanceType: 'one-time', InstanceInterruptionBehavior: 'terminate' };
    expect(InstanceMarketOptions).toEqual(spot ? { MarketType: 'spot', SpotOptions: once } : undefined);
  });

  it('takes what the settings say: subnets, groups, profile, key, disk', () => {
    const arn = 'arn:aws:iam::123456789012:instance-profile/dragen';
    const dragen = {
      ...{ subnets: ['subnet-a'], securityGroups: ['sg-1'], instanceProfile: arn },
      rootVolume: { type: 'io2', gb: 500 },
    };
    const request = requestOf({ kmsKey: 'alias/k', dragen });
    expect(request).toMatchObject({
      ...{ SubnetId: 'subnet-a', SecurityGroupIds: ['sg-1'], IamInstanceProfile: { Arn: arn } },
      BlockDeviceMappings: [{ Ebs: { VolumeType: 'io2', VolumeSize: 500, KmsKeyId: 'alias/k' } }],
    });
    expect(requestOf({ dragen: { instanceProfile: 'dragen' } }).IamInstanceProfile).toEqual({ Name: 'dragen' });
  });

  it('is made for each type in each subnet, the best type first', () => {
    const dragen = { instanceTypes: ['f2.6xlarge', 'f2.12xlarge'], subnets: ['a', 'b'] };
    const choices = choicesOf(dragenMachine({ dragen }), { dragen });
    expect(choices.map(({ type, subnet }) => `${type} ${subnet}`)).toEqual([
      ...['f2.6xlarge a', 'f2.6xlarge b'],
      ...['f2.12xlarge a', 'f2.12xlarge b'],
    ]);
  });
});
