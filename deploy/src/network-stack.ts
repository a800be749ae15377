import { Stack, type StackProps } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  IpAddresses,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
  type ISubnet,
} from 'aws-cdk-lib/aws-ec2';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { addEndpoints } from './parts/endpoints.js';
import type { Settings } from './settings.js';

/** Private subnets and what may speak with what. Nothing accepts a connection from outside, nothing has a public address. */
export class NetworkStack extends Stack {
  readonly vpc: Vpc;
  readonly subnets: readonly ISubnet[];
  /** Of workers, jobs and machines: none of them is called by anyone. */
  readonly workers: SecurityGroup;
  readonly jobs: SecurityGroup;
  readonly machines: SecurityGroup;
  /** Where the Temporal server is reached, when that is by a private link. */
  readonly temporalHost: string | undefined;

  constructor(scope: Construct, id: string, settings: Settings, flows: ILogGroup, props: StackProps = {}) {
    super(scope, id, { ...props, description: `${settings.name}: private network and endpoints` });
    const { name, network, temporal } = settings;
    const out = network.wayOut === 'nat';
    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(network.cidr),
      ...(network.zones === undefined ? { maxAzs: 2 } : { availabilityZones: [...network.zones] }),
      natGateways: out ? 1 : 0,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: 'private', subnetType: out ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PRIVATE_ISOLATED },
        // The gateway's own; nothing of ours is in it.
        ...(out ? [{ name: 'gateway', subnetType: SubnetType.PUBLIC, cidrMask: 28, mapPublicIpOnLaunch: false }] : []),
      ],
    });
    this.subnets = out ? this.vpc.privateSubnets : this.vpc.isolatedSubnets;
    this.vpc.addFlowLog('Flow', {
      destination: FlowLogDestination.toCloudWatchLogs(flows),
      trafficType: FlowLogTrafficType.ALL,
    });
    const group = (what: string): SecurityGroup =>
      new SecurityGroup(this, what, {
        vpc: this.vpc,
        description: `${name} ${what.toLowerCase()}: nothing comes in`,
        allowAllOutbound: false,
      });
    this.workers = group('Workers');
    this.jobs = group('Jobs');
    this.machines = group('Machines');
    for (const caller of [this.workers, this.jobs, this.machines]) {
      caller.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS by its endpoints and gateways');
    }
    const port = Number(temporal?.address.split(':').at(-1) ?? 443);
    if (port !== 443) this.workers.addEgressRule(Peer.anyIpv4(), Port.tcp(port), 'Temporal');
    const endpoints = group('Endpoints');
    const ports = temporal?.privateLink === undefined ? [443] : [...new Set([443, port])];
    for (const open of ports) {
      for (const caller of [this.workers, this.jobs, this.machines]) endpoints.addIngressRule(caller, Port.tcp(open));
    }
    this.temporalHost = addEndpoints(this.vpc, settings, endpoints);
  }
}
