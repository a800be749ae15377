/** Who is signed in. */
export interface AwsIdentity {
  readonly account: string;
  readonly arn: string;
}

/** A quota in force: the account's own value, or the service's default where the account has none of its own. */
export interface AwsQuota {
  readonly name: string;
  readonly code: string;
  readonly value: number;
}

export interface MachineImage {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  /** Product codes of the marketplace that must be subscribed to. */
  readonly products: readonly string[];
  /** GB of the root volume in the image: a machine's may not be smaller. */
  readonly rootGb?: number;
  /** As `/dev/sda1`. */
  readonly rootDevice?: string;
}

export interface Subnet {
  readonly id: string;
  readonly vpc: string;
  readonly zone: string;
  readonly freeAddresses: number;
  /** True when its routes lead out of the network. */
  readonly internet: boolean;
}

export interface VpcEndpoint {
  readonly vpc: string;
  /** Last part of the service's name: `s3`, `ssm`. */
  readonly service: string;
  readonly kind: string;
  readonly available: boolean;
}

/** A machine of the settings that is not started: whether it could be. */
export interface LaunchTrial {
  readonly image: string;
  readonly rootDevice?: string;
  readonly type: string;
  readonly subnet?: string;
  /** Whose machines; that of the settings when absent. */
  readonly dragenProfile?: string;
}

/** `allowed`, or the service's own code and words. */
export type LaunchVerdict =
  { readonly allowed: true } | { readonly allowed: false; readonly code: string; readonly message: string };

export interface KeyFacts {
  readonly enabled: boolean;
  readonly symmetric: boolean;
  readonly state: string;
}

/** A secret, without what is in it. */
export interface SecretFacts {
  /** False for one that was made and never given a value. */
  readonly filled: boolean;
  /** ISO; only where it is marked for deletion: nobody reads it any more. */
  readonly deletedAt?: string;
}

export interface Workgroup {
  readonly enabled: boolean;
  /** `s3://…` of its results, where it has one. */
  readonly results?: string;
}

/**
 * What can be asked of an account without changing anything in it. Faults are `CohortflowError`s; a call that is not allowed
 * is `AwsDenied` with the missing action in its details. What is not there is undefined, or absent from a list.
 */
export interface AwsAccount {
  /** The Region that calls go to, undefined where nobody says. */
  region(): Promise<string | undefined>;
  identity(signal: AbortSignal): Promise<AwsIdentity>;
  /** Quotas of a service (`sagemaker`, `ec2`) whose names fit. */
  quotas(service: string, fits: (name: string) => boolean, signal: AbortSignal): Promise<readonly AwsQuota[]>;
  machineImage(id: string, signal: AbortSignal): Promise<MachineImage | undefined>;
  /** Value of a public parameter. */
  parameter(name: string, signal: AbortSignal): Promise<string | undefined>;
  /** Whether a parameter is there; its value is not read. */
  hasParameter(name: string, signal: AbortSignal): Promise<boolean>;
  /** A secret by its ARN; its value is not read. */
  secret(arn: string, signal: AbortSignal): Promise<SecretFacts | undefined>;
  /** Zones of the Region in which a type is offered. */
  zonesOf(type: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Those of the subnets that are there. */
  subnets(ids: readonly string[], signal: AbortSignal): Promise<readonly Subnet[]>;
  /** Ids of those of the security groups that are there. */
  securityGroups(ids: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  endpoints(vpcs: readonly string[], signal: AbortSignal): Promise<readonly VpcEndpoint[]>;
  /** Asks whether a machine could be started; none is. */
  tryLaunch(trial: LaunchTrial, signal: AbortSignal): Promise<LaunchVerdict>;
  key(id: string, signal: AbortSignal): Promise<KeyFacts | undefined>;
  /** Asks for a data key without getting one: whether whoever asks may use the key. */
  tryKey(id: string, signal: AbortSignal): Promise<void>;
  /** Digest of an image in a repository, undefined when it is not there. */
  containerImage(uri: string, signal: AbortSignal): Promise<string | undefined>;
  featureGroupCount(signal: AbortSignal): Promise<number>;
  workgroup(name: string, signal: AbortSignal): Promise<Workgroup | undefined>;
}
