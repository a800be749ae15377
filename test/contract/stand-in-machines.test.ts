import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeInstancesCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
  type Instance,
  type RunInstancesCommandInput,
} from '@aws-sdk/client-ec2';
import {
  CancelCommandCommand,
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  ListCommandInvocationsCommand,
  SendCommandCommand,
  SSMClient,
  type GetCommandInvocationCommandOutput,
  type SendCommandCommandInput,
} from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAwsStandIn, type AwsStandIn, type StandInOptions } from '../support/aws/stand-in.js';

/** What the services are documented to do, asked of their stand-in by their own clients. */
const AMI = 'ami-00000000000000001';
const ENDED = ['Success', 'Failed', 'TimedOut', 'Cancelled'];

describe('machines of the stand-in', () => {
  let aws: AwsStandIn;
  let ec2: EC2Client;
  let ssm: SSMClient;
  let before: NodeJS.ProcessEnv;
  let tokens = 0;

  beforeEach(() => {
    before = { ...process.env };
  });

  afterEach(async () => {
    ec2.destroy();
    ssm.destroy();
    await aws.close();
    process.env = before;
  });

  /** An account where one simulated second takes ten milliseconds. */
  async function start(options: StandInOptions = {}): Promise<void> {
    aws = await startAwsStandIn({ scale: 100, ...options });
    Object.assign(process.env, aws.environment);
    ec2 = new EC2Client({ maxAttempts: 1 });
    ssm = new SSMClient({ maxAttempts: 1 });
  }

  /** The name and the message of what a call fails with. */
  const refusal = (name: string, message = ''): object => ({
    name,
    message: expect.stringContaining(message) as string,
  });

  async function launch(more: Partial<RunInstancesCommandInput> = {}): Promise<Instance> {
    const request: RunInstancesCommandInput = {
      ...{ ImageId: AMI, InstanceType: 'f2.6xlarge', MinCount: 1, MaxCount: 1, ClientToken: `token-${(tokens += 1)}` },
      ...{ SubnetId: 'subnet-a', SecurityGroupIds: ['sg-1'], IamInstanceProfile: { Name: 'dragen' } },
      MetadataOptions: { HttpTokens: 'required' },
      InstanceInitiatedShutdownBehavior: 'terminate',
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'cohortflow:work', Value: 'w' }] }],
      ...more,
    };
    const { Instances = [] } = await ec2.send(new RunInstancesCommand(request));
    return Instances[0]!;
  }

  async function described(...ids: string[]): Promise<Instance[]> {
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: ids }));
    return Reservations.flatMap(({ Instances = [] }) => Instances);
  }

  /** Waits until a machine is in a state, and says which states it was seen in. */
  async function seenUntil(id: string, wanted: string): Promise<readonly string[]> {
    const seen: string[] = [];
    while (seen.at(-1) !== wanted) {
      const [machine] = await described(id).catch(() => []);
      const state = machine?.State?.Name;
      if (state !== undefined && state !== seen.at(-1)) seen.push(state);
      await sleep(5);
    }
    return seen;
  }

  async function online(): Promise<string> {
    const { InstanceId: id = '' } = await launch();
    for (;;) {
      const { InstanceInformationList: [agent] = [] } = await ssm.send(
        new DescribeInstanceInformationCommand({ Filters: [{ Key: 'InstanceIds', Values: [id] }] }),
      );
      if (agent?.PingStatus === 'Online') return id;
      await sleep(5);
    }
  }

  async function send(id: string, script: string, more: Partial<SendCommandCommandInput> = {}): Promise<string> {
    const { Command } = await ssm.send(
      new SendCommandCommand({
        ...{ DocumentName: 'AWS-RunShellScript', InstanceIds: [id], Parameters: { commands: [script] } },
        ...more,
      }),
    );
    return Command?.CommandId ?? '';
  }

  const invocation = (InstanceId: string, CommandId: string): Promise<GetCommandInvocationCommandOutput> =>
    ssm.send(new GetCommandInvocationCommand({ InstanceId, CommandId }));

  async function ended(id: string, command: string): Promise<GetCommandInvocationCommandOutput> {
    for (;;) {
      const found = await invocation(id, command).catch(() => undefined);
      if (ENDED.includes(found?.Status ?? '')) return found!;
      await sleep(5);
    }
  }

  it('pass through their states with time, are not seen at first, and cost until they end', async () => {
    // Slower than elsewhere: each state has to be met.
    await start({ scale: 20, machines: { bootSeconds: 30, unseenSeconds: 10, prices: { 'f2.6xlarge': 100 } } });
    const { InstanceId: id = '', State } = await launch();
    expect(State?.Name).toBe('pending');
    await expect(described(id)).rejects.toMatchObject(refusal('InvalidInstanceID.NotFound', id));
    expect(await seenUntil(id, 'running')).toEqual(['pending', 'running']);
    expect(aws.machines.census()).toMatchObject({ alive: 1, launched: 1 });
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    expect(await seenUntil(id, 'terminated')).toEqual(['shutting-down', 'terminated']);
    const [gone] = await described(id);
    expect(gone?.StateReason?.Code).toBe('Client.UserInitiatedShutdown');
    const { alive, peak, dollars } = aws.machines.census();
    expect([alive, peak]).toEqual([0, 1]);
    expect(dollars).toBeGreaterThan((30 / 3600) * 100);
    // What has ended costs no more.
    await sleep(50);
    expect(aws.machines.census().dollars).toBe(dollars);
    // Ending it again is no error.
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  });

  it('are the same for the same token, and refused where it comes with another request', async () => {
    await start();
    const first = await launch({ ClientToken: 'mine' });
    expect((await launch({ ClientToken: 'mine' })).InstanceId).toBe(first.InstanceId);
    await expect(launch({ ClientToken: 'mine', SubnetId: 'subnet-b' })).rejects.toMatchObject(
      refusal('IdempotentParameterMismatch'),
    );
    // Also where the answer to the first was lost.
    aws.faults.next('RunInstances', 'drop-after');
    await expect(launch({ ClientToken: 'lost' })).rejects.toThrow();
    await launch({ ClientToken: 'lost' });
    expect(aws.machines.census().launched).toBe(2);
    await expect(launch({ ClientToken: 't'.repeat(65) })).rejects.toMatchObject(refusal('InvalidParameterValue'));
  });

  it.each<readonly [string, Partial<RunInstancesCommandInput>, string]>([
    ['an image that is not there', { ImageId: 'ami-00000000000000009' }, 'InvalidAMIID.NotFound'],
    ['a type that nobody has', { InstanceType: 'f1.4xlarge' }, 'Unsupported'],
    ['a type that is none', { InstanceType: 'large' as never }, 'InvalidParameterValue'],
    ['a subnet that is not there', { SubnetId: 'subnet-z' }, 'InvalidSubnetID.NotFound'],
    ['a security group that is not there', { SecurityGroupIds: ['sg-9'] }, 'InvalidGroup.NotFound'],
    ['a profile that is not there', { IamInstanceProfile: { Name: 'admin' } }, 'InvalidParameterValue'],
    ['user data over 16 KB', { UserData: Buffer.alloc(16_385).toString('base64') }, 'InvalidParameterValue'],
    [
      'a kind of volume that is none',
      { BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeType: 'gp9' as never, VolumeSize: 100 } }] },
      'InvalidParameterValue',
    ],
    [
      'a volume smaller than its snapshot',
      { BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 10 } }] },
      'InvalidBlockDeviceMapping',
    ],
    [
      'a tag twice',
      {
        TagSpecifications: [
          {
            ResourceType: 'instance',
            Tags: ['1', '2'].map((Value) => ({ Key: 'cohortflow:work', Value })),
          },
        ],
      },
      'InvalidParameterValue',
    ],
    [
      'a tag of AWS',
      { TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'aws:name', Value: 'x' }] }] },
      'InvalidParameterValue',
    ],
    ['metadata without a session', { MetadataOptions: { HttpTokens: 'optional' } }, 'UnauthorizedOperation'],
    ['no tag of ours', { TagSpecifications: [] }, 'UnauthorizedOperation'],
    ['a trial', { DryRun: true }, 'DryRunOperation'],
  ])('are not started: %s', async (_, more, name) => {
    await start();
    await expect(launch(more)).rejects.toMatchObject(refusal(name));
    expect(aws.machines.census().launched).toBe(0);
  });

  it('have a quota of vCPUs, and need room where they are asked for', async () => {
    await start({ machines: { vcpus: 48 } });
    const { InstanceId: id = '' } = await launch();
    aws.faults.noCapacity('subnet-b');
    await expect(launch({ SubnetId: 'subnet-b' })).rejects.toMatchObject(refusal('InsufficientInstanceCapacity'));
    await launch();
    await expect(launch()).rejects.toMatchObject(refusal('VcpuLimitExceeded', 'limit of 48'));
    await seenUntil(id, 'running');
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await launch();
  });

  it('are found page by page, by tags and states', async () => {
    await start({ machines: { unseenSeconds: 0, vcpus: 1e6 } });
    const tagged = (Value: string): Partial<RunInstancesCommandInput> => ({
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'cohortflow:work', Value }] }],
    });
    for (let at = 0; at < 12; at += 1) await launch(tagged(at < 7 ? 'a' : 'b'));
    const Filters = [
      { Name: 'tag:cohortflow:work', Values: ['a'] },
      { Name: 'instance-state-name', Values: ['pending', 'running'] },
    ];
    const sizes: number[] = [];
    let NextToken: string | undefined;
    do {
      const page = await ec2.send(
        new DescribeInstancesCommand({ Filters, MaxResults: 5, ...(NextToken === undefined ? {} : { NextToken }) }),
      );
      sizes.push((page.Reservations ?? []).length);
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(sizes).toEqual([5, 2]);
    for (const wrong of [{ MaxResults: 4 }, { MaxResults: 5, InstanceIds: ['i-1'] }, { Filters: [{ Name: 'nme' }] }]) {
      await expect(ec2.send(new DescribeInstancesCommand(wrong))).rejects.toThrow();
    }
  });

  it('end by themselves when their user data says so, later when they are told later, or not at all', async () => {
    await start({ machines: { bootSeconds: 0 } });
    const userData = (text: string): Partial<RunInstancesCommandInput> => ({
      UserData: Buffer.from(`#!/bin/bash\n${text}\n`).toString('base64'),
    });
    const { InstanceId: now = '' } = await launch(userData('shutdown -h +1'));
    const { InstanceId: never = '' } = await launch(userData('shutdown -h +1; sleep 0.1; shutdown -c'));
    const { InstanceId: stays = '' } = await launch({
      ...userData('shutdown -h now'),
      InstanceInitiatedShutdownBehavior: 'stop',
    });
    expect(await seenUntil(now, 'terminated')).toContain('running');
    const [one] = await described(now);
    expect(one?.StateReason?.Code).toBe('Client.InstanceInitiatedShutdown');
    // One that only stops is still there, and still costs its disk.
    await seenUntil(stays, 'stopped');
    await sleep(700);
    expect(await described(never)).toMatchObject([{ State: { Name: 'running' } }]);
    expect(aws.machines.census().alive).toBe(2);
  });

  it('are taken back when they are spot machines, and say so', async () => {
    await start();
    const { InstanceId: id = '' } = await launch({ InstanceMarketOptions: { MarketType: 'spot' } });
    await seenUntil(id, 'running');
    aws.machines.interrupt(id);
    await seenUntil(id, 'terminated');
    expect(await described(id)).toMatchObject([{ StateReason: { Code: 'Server.SpotInstanceTermination' } }]);
    expect(aws.machines.census()).toMatchObject({ alive: 0, machines: [{ spot: true }] });
  });

  it('run commands: what they print, how they end, what the list says', async () => {
    await start({ commandUnseenSeconds: 20 });
    const id = await online();
    const good = await send(id, 'echo out; echo err >&2', { Comment: 'one' });
    await expect(invocation(id, good)).rejects.toMatchObject(refusal('InvocationDoesNotExist'));
    expect(await ended(id, good)).toMatchObject({
      ...{ Status: 'Success', ResponseCode: 0, StandardOutputContent: 'out\n', StandardErrorContent: 'err\n' },
    });
    const bad = await send(id, 'exit 7', { Comment: 'two' });
    expect(await ended(id, bad)).toMatchObject({ Status: 'Failed', ResponseCode: 7 });
    const long = await send(id, "head -c 30000 /dev/zero | tr '\\0' x", { Comment: 'three' });
    expect((await ended(id, long)).StandardOutputContent).toHaveLength(24_000);
    const listed = async (NextToken?: string): Promise<{ comments: unknown[]; next: string | undefined }> => {
      const page = await ssm.send(new ListCommandInvocationsCommand({ InstanceId: id, MaxResults: 2, NextToken }));
      return { comments: (page.CommandInvocations ?? []).map(({ Comment }) => Comment), next: page.NextToken };
    };
    const first = await listed();
    expect(first.comments).toEqual(['three', 'two']);
    expect(await listed(first.next)).toEqual({ comments: ['one'], next: undefined });
  });

  it('refuse commands that cannot be run', async () => {
    await start();
    const { InstanceId: booting = '' } = await launch();
    await expect(send(booting, 'true')).rejects.toMatchObject(refusal('InvalidInstanceId', booting));
    const id = await online();
    const wrong: readonly (readonly [Partial<SendCommandCommandInput>, string])[] = [
      [{ DocumentName: 'AWS-RunDragen' }, 'InvalidDocument'],
      [{ Parameters: {} }, 'InvalidParameters'],
      [{ Parameters: { commands: ['true'], executionTimeout: ['172801'] } }, 'InvalidParameters'],
      [{ Parameters: { commands: ['true'], timeout: ['1'] } }, 'InvalidParameters'],
      [{ TimeoutSeconds: 29 }, 'ValidationException'],
      [{ Comment: 'c'.repeat(101) }, 'ValidationException'],
    ];
    for (const [more, name] of wrong) await expect(send(id, 'true', more)).rejects.toMatchObject(refusal(name));
    expect(aws.machines.census().machines.map(({ commands }) => commands)).toEqual([0, 0]);
  });

  it('end commands that are cancelled, take too long, or whose machine goes', async () => {
    await start();
    const id = await online();
    const cancelled = await send(id, 'sleep 600');
    await ssm.send(new CancelCommandCommand({ CommandId: cancelled }));
    expect(await ended(id, cancelled)).toMatchObject({ Status: 'Cancelled' });
    const slow = await send(id, 'sleep 600', { Parameters: { commands: ['sleep 600'], executionTimeout: ['10'] } });
    expect(await ended(id, slow)).toMatchObject({ Status: 'TimedOut', StatusDetails: 'Execution Timed Out' });
    const orphan = await send(id, 'sleep 600');
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await seenUntil(id, 'terminated');
    // Nobody is left to say how it ended.
    expect(await invocation(id, orphan)).toMatchObject({ Status: 'InProgress' });
    await expect(send(id, 'true')).rejects.toMatchObject(refusal('InvalidInstanceId'));
  });

  it('whose agent is lost say so, and take no command', async () => {
    await start();
    const id = await online();
    const running = await send(id, 'sleep 0.3');
    aws.machines.all.get(id)!.agentLost = true;
    const Filters = [{ Key: 'InstanceIds', Values: [id] }];
    const { InstanceInformationList } = await ssm.send(new DescribeInstanceInformationCommand({ Filters }));
    expect(InstanceInformationList).toMatchObject([{ PingStatus: 'ConnectionLost' }]);
    const late = await send(id, 'true', { TimeoutSeconds: 30 });
    expect(await ended(id, late)).toMatchObject({ Status: 'TimedOut', StatusDetails: 'Delivery Timed Out' });
    await sleep(500);
    expect(await invocation(id, running)).toMatchObject({ Status: 'InProgress' });
  });

  it('fail as they are told to: throttled, unavailable, without an answer', async () => {
    await start({ machines: { unseenSeconds: 0 } });
    aws.faults.next('DescribeInstances', 'throttle', 'unavailable', 'drop-before');
    const ask = (): Promise<unknown> => ec2.send(new DescribeInstancesCommand({}));
    await expect(ask()).rejects.toMatchObject(refusal('RequestLimitExceeded'));
    await expect(ask()).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    await expect(ask()).rejects.toThrow();
    await expect(ask()).resolves.toBeDefined();
  });
});
