import { Fn } from 'aws-cdk-lib';
import {
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpoint,
  InterfaceVpcEndpointAwsService as Service,
  InterfaceVpcEndpointService,
  type ISecurityGroup,
  type Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { Settings } from '../settings.js';

/**
 * The services that workers, jobs and machines of an installation call, by what needs them. Service Quotas is not among those
 * that have endpoints: workers do without.
 */
function services({ temporal, dragen }: Settings): ReadonlyMap<string, Service> {
  const all: [string, Service][] = [
    ['Logs', Service.CLOUDWATCH_LOGS],
    ['EcrApi', Service.ECR],
    ['EcrDocker', Service.ECR_DOCKER],
    ['Kms', Service.KMS],
    ['SageMaker', Service.SAGEMAKER_API],
    ['FeatureStore', Service.SAGEMAKER_FEATURESTORE_RUNTIME],
  ];
  const licence = dragen?.licence?.includes(':secretsmanager:') === true;
  if (temporal?.secret !== undefined || licence) all.push(['Secrets', Service.SECRETS_MANAGER]);
  if (dragen !== undefined) {
    all.push(['Ec2', Service.EC2], ['Ec2Messages', Service.EC2_MESSAGES]);
    all.push(['Ssm', Service.SSM], ['SsmMessages', Service.SSM_MESSAGES]);
  }
  return new Map(all);
}

/**
 * S3 by its gateway (free) in any case; all other services by interface endpoints where the network has no way out, so that
 * data cannot leave by another.
 *
 * @returns the name by which Temporal is reached, where that is by a private link
 */
export function addEndpoints(vpc: Vpc, settings: Settings, securityGroup: ISecurityGroup): string | undefined {
  vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 });
  const common = { open: false, securityGroups: [securityGroup] };
  if (settings.network.wayOut === 'endpoints') {
    for (const [id, service] of services(settings)) {
      vpc.addInterfaceEndpoint(id, { service, privateDnsEnabled: true, ...common });
    }
  }
  const { temporal } = settings;
  if (temporal?.privateLink === undefined) return undefined;
  const port = Number(temporal.address.split(':').at(-1));
  const service = new InterfaceVpcEndpointService(temporal.privateLink, port);
  const endpoint = new InterfaceVpcEndpoint(vpc, 'Temporal', { vpc, service, ...common });
  // An entry is `zone:name`; the first is the name for all zones.
  return Fn.select(1, Fn.split(':', Fn.select(0, endpoint.vpcEndpointDnsEntries)));
}
