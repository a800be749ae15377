import { invalid } from './service-error.js';

type Json = Readonly<Record<string, unknown>>;

const NAME = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/;
const S3_URI = /^(https|s3):\/\/([^/]+)\/?(.*)$/;
/** The one account that there is. */
export const ACCOUNT = '123456789012';
const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role\/?[a-zA-Z_0-9+=,.@\-_/]+$/;
const TYPE = /^ml\.[a-z0-9-]+\.(medium|large|\d*xlarge)$/;
/** Families with instance store volumes, as EC2's documentation lists them. */
const OWN_DISKS =
  /^ml\.(\w+\dd|r5dn|m5dn|c5ad|m5ad|r5ad|m6id|m6idn|c6id|r6idn|g4dn|g4ad|g5|g6|g6e|gr6|p3dn|p4de|p5|p5e|p5en|trn1|trn1n|i3|i3en|i4i|d3)\./;

function object(value: unknown, where: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${where} must be a structure`);
  return value as Json;
}

function list(value: unknown, where: string, most: number, least = 0): readonly unknown[] {
  if (value === undefined && least === 0) return [];
  if (!Array.isArray(value) || value.length < least || value.length > most) {
    throw invalid(`${where} must have length between ${least} and ${most}`);
  }
  return value as unknown[];
}

function text(value: unknown, where: string, most: number, pattern = /^/): string {
  if (typeof value !== 'string' || value.length > most || !pattern.test(value)) {
    throw invalid(
      `Value at '${where}' failed to satisfy constraint: length at most ${most}, pattern ${String(pattern)}`,
    );
  }
  return value;
}

function whole(value: unknown, where: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw invalid(`Value at '${where}' must be between ${least} and ${most}`);
  }
  return value;
}

function known(value: Json, names: readonly string[], where: string): void {
  for (const name of Object.keys(value)) if (!names.includes(name)) throw invalid(`${where}: unknown member ${name}`);
}

function localPath(value: unknown, where: string): void {
  if (!text(value, where, 256).startsWith('/opt/ml/processing/')) {
    throw invalid(`${where}: LocalPath must begin with /opt/ml/processing/`);
  }
}

function checkCluster(cluster: Json): void {
  const { InstanceType, InstanceCount, InstancePreferences, VolumeSizeInGB, VolumeKmsKeyId } = cluster;
  known(
    cluster,
    ['InstanceType', 'InstanceCount', 'InstancePreferences', 'VolumeSizeInGB', 'VolumeKmsKeyId'],
    'ClusterConfig',
  );
  const types: unknown[] = [];
  if (InstancePreferences !== undefined) {
    if (InstanceType !== undefined) throw invalid('InstanceType and InstancePreferences exclude each other');
    const preferences = list(InstancePreferences, 'InstancePreferences', 5, 1).map((one) => object(one, 'preference'));
    for (const one of preferences) {
      known(one, ['InstanceType', 'InstanceCount'], 'InstancePreference');
      types.push(one['InstanceType']);
    }
    // The count stands once for all of them, or with each of them.
    const counts = preferences.map((one) => one['InstanceCount']).filter((count) => count !== undefined);
    for (const count of counts) whole(count, 'InstancePreference.InstanceCount', 1, 100);
    if (counts.length > 0 && counts.length < types.length) {
      throw invalid('InstanceCount must be specified in all InstancePreferences or in none');
    }
    if (counts.length > 0 && InstanceCount !== undefined) {
      throw invalid('InstanceCount of the cluster and of InstancePreferences exclude each other');
    }
    if (counts.length === 0) whole(InstanceCount, 'InstanceCount', 1, 100);
    if (new Set(types).size !== types.length) throw invalid('an instance type can appear only once');
  } else {
    types.push(InstanceType);
    whole(InstanceCount, 'InstanceCount', 1, 100);
  }
  for (const type of types) text(type, 'InstanceType', 64, TYPE);
  whole(VolumeSizeInGB, 'VolumeSizeInGB', 1, 16384);
  if (VolumeKmsKeyId !== undefined && types.some((type) => OWN_DISKS.test(String(type)))) {
    throw invalid('VolumeKmsKeyId is not supported for instances with local storage');
  }
  if (/alias\//.test(String(VolumeKmsKeyId ?? ''))) throw invalid('VolumeKmsKeyId must be the id or ARN of a key');
}

/** Refuses a CreateProcessingJob request as the service would: names, lengths, ranges, unknown members. */
export function validateJob(request: Json): void {
  known(
    request,
    [
      ...['ProcessingJobName', 'ProcessingResources', 'AppSpecification', 'RoleArn', 'ProcessingInputs'],
      ...['ProcessingOutputConfig', 'StoppingCondition', 'Environment', 'NetworkConfig', 'Tags', 'ExperimentConfig'],
    ],
    'CreateProcessingJob',
  );
  text(request['ProcessingJobName'], 'processingJobName', 63, NAME);
  text(request['RoleArn'], 'roleArn', 2048, ROLE);
  if (!String(request['RoleArn']).includes(`::${ACCOUNT}:`)) throw invalid('Cross-account pass role is not allowed.');
  const app = object(request['AppSpecification'], 'AppSpecification');
  text(app['ImageUri'], 'imageUri', 255, /^\S+$/);
  for (const field of ['ContainerEntrypoint', 'ContainerArguments']) {
    if (app[field] === undefined) continue;
    for (const one of list(app[field], field, 100, 1)) text(one, field, 256);
  }
  const names = new Set<string>();
  const named = (name: unknown, where: string): void => {
    const value = text(name, where, 64);
    if (names.has(value)) throw invalid(`${where}: ${value} is given twice`);
    names.add(value);
  };
  for (const one of list(request['ProcessingInputs'], 'ProcessingInputs', 10)) {
    const input = object(one, 'ProcessingInput');
    named(input['InputName'], 'InputName');
    if ((input['S3Input'] === undefined) === (input['DatasetDefinition'] === undefined)) {
      throw invalid('exactly one of S3Input and DatasetDefinition is wanted');
    }
    const s3 = object(input['S3Input'], 'S3Input');
    text(s3['S3Uri'], 's3Uri', 1024, S3_URI);
    localPath(s3['LocalPath'], 'S3Input.LocalPath');
    text(s3['S3DataType'], 's3DataType', 64, /^(ManifestFile|S3Prefix)$/);
    text(s3['S3InputMode'], 's3InputMode', 64, /^(Pipe|File)$/);
    if (s3['S3CompressionType'] === 'Gzip' && s3['S3InputMode'] !== 'Pipe') throw invalid('Gzip needs Pipe mode');
  }
  const outputs = request['ProcessingOutputConfig'];
  if (outputs !== undefined) {
    for (const one of list(object(outputs, 'ProcessingOutputConfig')['Outputs'], 'Outputs', 10)) {
      const output = object(one, 'ProcessingOutput');
      named(output['OutputName'], 'OutputName');
      const s3 = object(output['S3Output'], 'S3Output');
      text(s3['S3Uri'], 's3Uri', 1024, S3_URI);
      localPath(s3['LocalPath'], 'S3Output.LocalPath');
      text(s3['S3UploadMode'], 's3UploadMode', 64, /^(Continuous|EndOfJob)$/);
    }
  }
  checkCluster(object(object(request['ProcessingResources'], 'ProcessingResources')['ClusterConfig'], 'ClusterConfig'));
  const stopping = request['StoppingCondition'];
  if (stopping !== undefined) {
    whole(object(stopping, 'StoppingCondition')['MaxRuntimeInSeconds'], 'MaxRuntimeInSeconds', 1, 777_600);
  }
  const environment = Object.entries(object(request['Environment'] ?? {}, 'Environment'));
  if (environment.length > 100) throw invalid('Environment has at most 100 entries');
  for (const [name, value] of environment) {
    text(name, 'Environment', 256, /^[a-zA-Z_][a-zA-Z0-9_]*$/);
    text(value, 'Environment', 256);
  }
  const network = object(request['NetworkConfig'] ?? {}, 'NetworkConfig');
  if (network['VpcConfig'] !== undefined) {
    const vpc = object(network['VpcConfig'], 'VpcConfig');
    list(vpc['SecurityGroupIds'], 'SecurityGroupIds', 5, 1);
    list(vpc['Subnets'], 'Subnets', 16, 1);
  }
  const keys = new Set<string>();
  for (const one of list(request['Tags'], 'Tags', 50)) {
    const tag = object(one, 'Tag');
    const key = text(tag['Key'], 'tag.key', 128, /^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$/u);
    if (/^aws:/i.test(key)) throw invalid(`tag.key: ${key}: aws: is reserved`);
    if (keys.has(key)) throw invalid(`tag.key: ${key} is given twice`);
    keys.add(key);
    text(tag['Value'], 'tag.value', 256, /^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$/u);
  }
}
