import type { AwsSettings } from '../../../config/aws-settings.js';
import type { AwsAccount, AwsIdentity, KeyFacts, SecretFacts, Workgroup } from '../../../ports/aws-account.js';
import { clientOptions } from '../client-options.js';
import { MachineReader } from './machines.js';
import { QuotaReader } from './quotas.js';
import { isNamed, reading } from './reading.js';

/** `<account>.dkr.ecr.<region>.amazonaws.com/<repository>`, then `:<tag>`, `@<digest>`, or both. */
const ECR_URI =
  /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([^:@]+)(?::([^@]+))?(?:@(sha256:[0-9a-f]{64}))?$/;

/** Where an image in ECR is; undefined for one that is elsewhere. */
export function ecrImage(uri: string):
  | {
      readonly registry: string;
      readonly region: string;
      readonly repository: string;
      readonly tag?: string;
      readonly digest?: string;
    }
  | undefined {
  const [, registry, region, repository, tag, digest] = ECR_URI.exec(uri) ?? [];
  if (registry === undefined || region === undefined || repository === undefined) return undefined;
  return {
    ...{ registry, region, repository },
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** {@link AwsAccount} through the SDK. Clients are loaded at first use. */
export class AwsAccountReader implements AwsAccount {
  readonly #machines: MachineReader;
  readonly #quotas: QuotaReader;
  readonly #region: string | undefined;

  constructor(settings: AwsSettings) {
    const { region } = settings;
    this.#region = region;
    this.#machines = new MachineReader(settings);
    this.#quotas = new QuotaReader(region);
  }

  readonly quotas: AwsAccount['quotas'] = (service, fits, signal) => this.#quotas.list(service, fits, signal);
  readonly machineImage: AwsAccount['machineImage'] = (id, signal) => this.#machines.image(id, signal);
  readonly zonesOf: AwsAccount['zonesOf'] = (type, signal) => this.#machines.zonesOf(type, signal);
  readonly subnets: AwsAccount['subnets'] = (ids, signal) => this.#machines.subnets(ids, signal);
  readonly securityGroups: AwsAccount['securityGroups'] = (ids, signal) => this.#machines.securityGroups(ids, signal);
  readonly endpoints: AwsAccount['endpoints'] = (vpcs, signal) => this.#machines.endpoints(vpcs, signal);
  readonly tryLaunch: AwsAccount['tryLaunch'] = (trial, signal) => this.#machines.tryLaunch(trial, signal);

  async region(): Promise<string | undefined> {
    const { STSClient } = await import('@aws-sdk/client-sts');
    try {
      return await new STSClient(clientOptions(this.#region)).config.region();
    } catch {
      // The SDK throws where neither settings, environment nor profile name one.
      return undefined;
    }
  }

  async identity(signal: AbortSignal): Promise<AwsIdentity> {
    const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
    const client = new STSClient(clientOptions(this.#region));
    return reading('sts:GetCallerIdentity', signal, async () => {
      const { Account: account = '', Arn: arn = '' } = await client.send(new GetCallerIdentityCommand({}), {
        abortSignal: signal,
      });
      return { account, arn };
    });
  }

  async parameter(name: string, signal: AbortSignal): Promise<string | undefined> {
    const { GetParameterCommand, SSMClient } = await import('@aws-sdk/client-ssm');
    const client = new SSMClient(clientOptions(this.#region));
    return reading('ssm:GetParameter', signal, async () => {
      try {
        const { Parameter } = await client.send(new GetParameterCommand({ Name: name }), { abortSignal: signal });
        return Parameter?.Value;
      } catch (error) {
        if (isNamed(error, /^ParameterNotFound/)) return undefined;
        throw error;
      }
    });
  }

  async hasParameter(name: string, signal: AbortSignal): Promise<boolean> {
    const { DescribeParametersCommand, SSMClient } = await import('@aws-sdk/client-ssm');
    const client = new SSMClient(clientOptions(this.#region));
    const ParameterFilters = [{ Key: 'Name', Option: 'Equals', Values: [name] }];
    return reading('ssm:DescribeParameters', signal, async () => {
      const { Parameters = [] } = await client.send(new DescribeParametersCommand({ ParameterFilters }), {
        abortSignal: signal,
      });
      return Parameters.length > 0;
    });
  }

  async secret(arn: string, signal: AbortSignal): Promise<SecretFacts | undefined> {
    const { DescribeSecretCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
    const client = new SecretsManagerClient(clientOptions(this.#region));
    return reading('secretsmanager:DescribeSecret', signal, async () => {
      try {
        const { DeletedDate: deleted, VersionIdsToStages: versions = {} } = await client.send(
          new DescribeSecretCommand({ SecretId: arn }),
          { abortSignal: signal },
        );
        const filled = Object.values(versions).some((stages) => stages.includes('AWSCURRENT'));
        return { filled, ...(deleted === undefined ? {} : { deletedAt: deleted.toISOString() }) };
      } catch (error) {
        if (isNamed(error, /^ResourceNotFound/)) return undefined;
        throw error;
      }
    });
  }

  async key(id: string, signal: AbortSignal): Promise<KeyFacts | undefined> {
    const { DescribeKeyCommand, KMSClient } = await import('@aws-sdk/client-kms');
    const client = new KMSClient(clientOptions(this.#region));
    return reading('kms:DescribeKey', signal, async () => {
      try {
        const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: id }), { abortSignal: signal });
        const { Enabled = false, KeySpec, KeyState = '' } = KeyMetadata ?? {};
        return { enabled: Enabled, symmetric: KeySpec === 'SYMMETRIC_DEFAULT', state: KeyState };
      } catch (error) {
        if (isNamed(error, /^NotFound/)) return undefined;
        throw error;
      }
    });
  }

  async tryKey(id: string, signal: AbortSignal): Promise<void> {
    const { GenerateDataKeyCommand, KMSClient } = await import('@aws-sdk/client-kms');
    const client = new KMSClient(clientOptions(this.#region));
    await reading('kms:GenerateDataKey', signal, async () => {
      const request = { KeyId: id, KeySpec: 'AES_256', DryRun: true } as const;
      try {
        await client.send(new GenerateDataKeyCommand(request), { abortSignal: signal });
      } catch (error) {
        if (!isNamed(error, /^DryRunOperation/)) throw error;
      }
    });
  }

  async containerImage(uri: string, signal: AbortSignal): Promise<string | undefined> {
    const image = ecrImage(uri);
    if (image === undefined) return undefined;
    const { registry, region, repository, tag, digest } = image;
    const { DescribeImagesCommand, ECRClient } = await import('@aws-sdk/client-ecr');
    const client = new ECRClient(clientOptions(region));
    const imageIds = [digest === undefined ? { imageTag: tag ?? 'latest' } : { imageDigest: digest }];
    return reading('ecr:DescribeImages', signal, async () => {
      try {
        const request = { registryId: registry, repositoryName: repository, imageIds };
        const { imageDetails = [] } = await client.send(new DescribeImagesCommand(request), { abortSignal: signal });
        return imageDetails[0]?.imageDigest;
      } catch (error) {
        if (isNamed(error, /^(Image|Repository)NotFound/)) return undefined;
        throw error;
      }
    });
  }

  async featureGroupCount(signal: AbortSignal): Promise<number> {
    const { ListFeatureGroupsCommand, SageMakerClient } = await import('@aws-sdk/client-sagemaker');
    const client = new SageMakerClient(clientOptions(this.#region));
    return reading('sagemaker:ListFeatureGroups', signal, async () => {
      let count = 0;
      let token: string | undefined;
      do {
        const request = { MaxResults: 100, ...(token === undefined ? {} : { NextToken: token }) };
        const page = await client.send(new ListFeatureGroupsCommand(request), { abortSignal: signal });
        count += page.FeatureGroupSummaries?.length ?? 0;
        token = page.NextToken;
      } while (token !== undefined);
      return count;
    });
  }

  async workgroup(name: string, signal: AbortSignal): Promise<Workgroup | undefined> {
    const { AthenaClient, GetWorkGroupCommand } = await import('@aws-sdk/client-athena');
    const client = new AthenaClient(clientOptions(this.#region));
    return reading('athena:GetWorkGroup', signal, async () => {
      try {
        const { WorkGroup } = await client.send(new GetWorkGroupCommand({ WorkGroup: name }), { abortSignal: signal });
        const results = WorkGroup?.Configuration?.ResultConfiguration?.OutputLocation;
        const enabled = WorkGroup?.State !== 'DISABLED';
        return { enabled, ...(results === undefined || results === '' ? {} : { results }) };
      } catch (error) {
        if (isNamed(error, /^InvalidRequest/) && /not found/i.test((error as Error).message)) return undefined;
        throw error;
      }
    });
  }
}
