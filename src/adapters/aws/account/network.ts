import type { EC2Client, RouteTable } from '@aws-sdk/client-ec2';
import type { Subnet, VpcEndpoint } from '../../../ports/aws-account.js';
import { reading } from './reading.js';

type Sdk = typeof import('@aws-sdk/client-ec2');

/** A route to everywhere that leads to a gateway of the internet, a NAT or another network. */
function leadsOut({ Routes = [] }: RouteTable): boolean {
  return Routes.some(
    ({ DestinationCidrBlock, State, GatewayId, NatGatewayId, TransitGatewayId, NetworkInterfaceId }) =>
      DestinationCidrBlock === '0.0.0.0/0' &&
      State !== 'blackhole' &&
      (GatewayId?.startsWith('igw-') === true ||
        (NatGatewayId ?? TransitGatewayId ?? NetworkInterfaceId) !== undefined),
  );
}

/** The subnets of some ids that are there, with where their routes lead. */
export async function readSubnets(
  sdk: Sdk,
  client: EC2Client,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<readonly Subnet[]> {
  const options = { abortSignal: signal };
  // By filter: an id that is not there is then absent instead of an error that hides the others.
  const Filters = [{ Name: 'subnet-id', Values: [...ids] }];
  const { Subnets = [] } = await reading('ec2:DescribeSubnets', signal, () =>
    client.send(new sdk.DescribeSubnetsCommand({ Filters }), options),
  );
  const vpcs = [...new Set(Subnets.flatMap(({ VpcId }) => (VpcId === undefined ? [] : [VpcId])))];
  if (vpcs.length === 0) return [];
  const { RouteTables = [] } = await reading('ec2:DescribeRouteTables', signal, () =>
    client.send(new sdk.DescribeRouteTablesCommand({ Filters: [{ Name: 'vpc-id', Values: vpcs }] }), options),
  );
  const tableOf = (subnet: string, vpc: string): RouteTable | undefined =>
    RouteTables.find(({ Associations = [] }) => Associations.some(({ SubnetId }) => SubnetId === subnet)) ??
    RouteTables.find(({ VpcId, Associations = [] }) => VpcId === vpc && Associations.some(({ Main }) => Main === true));
  return Subnets.map(({ SubnetId: id = '', VpcId: vpc = '', AvailabilityZone: zone = '', AvailableIpAddressCount }) => {
    const table = tableOf(id, vpc);
    return {
      id,
      vpc,
      zone,
      freeAddresses: AvailableIpAddressCount ?? 0,
      internet: table !== undefined && leadsOut(table),
    };
  });
}

/** Endpoints of services in some networks. */
export async function readEndpoints(
  sdk: Sdk,
  client: EC2Client,
  vpcs: readonly string[],
  signal: AbortSignal,
): Promise<readonly VpcEndpoint[]> {
  const found: VpcEndpoint[] = [];
  await reading('ec2:DescribeVpcEndpoints', signal, async () => {
    let token: string | undefined;
    do {
      const answer = await client.send(
        new sdk.DescribeVpcEndpointsCommand({
          Filters: [{ Name: 'vpc-id', Values: [...vpcs] }],
          ...(token === undefined ? {} : { NextToken: token }),
        }),
        { abortSignal: signal },
      );
      for (const { VpcId: vpc = '', ServiceName = '', VpcEndpointType: kind = '', State } of answer.VpcEndpoints ??
        []) {
        const service = ServiceName.slice(ServiceName.lastIndexOf('.') + 1);
        found.push({ vpc, service, kind, available: State?.toLowerCase() === 'available' });
      }
      token = answer.NextToken === '' ? undefined : answer.NextToken;
    } while (token !== undefined);
  });
  return found;
}
