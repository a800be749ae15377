import type { Grounds } from './roles/grounds.js';
import { TABLES_FOLDER } from './roles/machines.js';

/** What the `aws:` block of cohortflow.yaml is made of, and a worker gets as `COHORTFLOW_AWS`. */
export interface BlockParts extends Grounds {
  readonly region: string;
  readonly jobsImage: string;
  readonly machinesProfileName?: string;
}

type Value = string | number | boolean | readonly string[] | { readonly [name: string]: Value };

/** The settings of the account, as `docs/aws.md` describes them. */
export function awsBlock(parts: BlockParts): Readonly<Record<string, Value>> {
  const { settings, results, key, subnetIds, machinesProfileName } = parts;
  const { dragen, storage, name } = settings;
  const place = (folder: string): string => `s3://${results.bucketName}/${folder}`;
  return {
    region: parts.region,
    work: place('work'),
    kmsKey: key.keyArn,
    tags: { 'cohortflow:installation': name },
    ...(storage.onlyTaggedObjects ? { s3: { objectTags: { sagemaker: 'true' } } } : {}),
    sagemaker: {
      image: parts.jobsImage,
      roleArn: parts.jobsRole.roleArn,
      subnets: subnetIds,
      securityGroups: [parts.jobsGroupId],
    },
    features: { offlineStore: place('features'), roleArn: parts.featuresRole.roleArn, prefix: name },
    athena: { workgroup: 'primary', results: place('athena') },
    ...(dragen === undefined || machinesProfileName === undefined
      ? {}
      : {
          dragen: {
            ...(dragen.ami === undefined ? {} : { ami: dragen.ami }),
            ...(dragen.amiParameter === undefined ? {} : { amiParameter: dragen.amiParameter }),
            ...(dragen.profile === undefined ? {} : { profile: dragen.profile }),
            ...(dragen.licence === undefined ? {} : { licence: dragen.licence }),
            ...(dragen.sraTools === undefined ? {} : { sraTools: dragen.sraTools }),
            ...(dragen.instances === undefined ? {} : { instances: dragen.instances }),
            instanceTypes: dragen.instanceTypes,
            instanceProfile: machinesProfileName,
            spot: dragen.spot,
            reference: dragen.reference,
            annotation: dragen.annotation,
            hashTable: place(TABLES_FOLDER),
            subnets: subnetIds,
            securityGroups: [parts.machinesGroupId],
          },
        }),
  };
}

function lines(value: Readonly<Record<string, Value>>, indent: string): readonly string[] {
  return Object.entries(value).flatMap(([name, entry]) => {
    if (Array.isArray(entry)) return [`${indent}${name}:`, ...entry.map((one) => `${indent}  - ${one}`)];
    if (typeof entry === 'object')
      return [`${indent}${name}:`, ...lines(entry as Record<string, Value>, `${indent}  `)];
    // Texts that YAML would take for something else are quoted.
    const plain = typeof entry !== 'string' || !/^(true|false|null|yes|no|[\d.]+)$/i.test(entry);
    return [`${indent}${name}: ${plain ? String(entry) : `'${entry}'`}`];
  });
}

/** The block as text, ready for the settings file. */
export function asYaml(block: Readonly<Record<string, Value>>): string {
  return ['aws:', ...lines(block, '  ')].join('\n');
}
