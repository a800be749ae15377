import type { Grounds } from './roles/grounds.js';
import { TABLES_FOLDER } from './roles/machines.js';
import type { StorageSettings } from './settings.js';

/** What the `aws:` block of cohortflow.yaml is made of, and a worker gets as `COHORTFLOW_AWS`. */
export interface BlockParts extends Grounds {
  readonly region: string;
  readonly jobsImage: string;
  readonly machinesProfileName?: string;
}

type Value = string | number | boolean | readonly string[] | { readonly [name: string]: Value };

/** Settings under the names of the product; what the file does not say is left to the product. */
function said(settings: object, ...without: readonly string[]): Readonly<Record<string, Value>> {
  const entries = Object.entries(settings) as readonly (readonly [string, Value])[];
  return Object.fromEntries(entries.filter(([name]) => !without.includes(name)));
}

/** How S3 is read and written; without `s3` where there is nothing to say. */
function s3Block({ anonymous, requesterPays, onlyTaggedObjects }: StorageSettings): Readonly<Record<string, Value>> {
  const block = {
    ...(anonymous.length === 0 ? {} : { anonymous }),
    ...(requesterPays.length === 0 ? {} : { requesterPays }),
    ...(onlyTaggedObjects ? { objectTags: { sagemaker: 'true' } } : {}),
  };
  return Object.keys(block).length === 0 ? {} : { s3: block };
}

/** The settings of the account, as `docs/aws.md` describes them. */
export function awsBlock(parts: BlockParts): Readonly<Record<string, Value>> {
  const { settings, results, key, subnetIds, machinesProfileName } = parts;
  const { dragen, features, jobs, storage, name } = settings;
  const place = (folder: string): string => `s3://${results.bucketName}/${folder}`;
  return {
    region: parts.region,
    work: place('work'),
    kmsKey: key.keyArn,
    tags: { 'cohortflow:installation': name },
    ...s3Block(storage),
    sagemaker: {
      ...said(jobs),
      image: parts.jobsImage,
      roleArn: parts.jobsRole.roleArn,
      subnets: subnetIds,
      securityGroups: [parts.jobsGroupId],
    },
    features: { ...said(features), offlineStore: place('features'), roleArn: parts.featuresRole.roleArn, prefix: name },
    athena: { workgroup: 'primary', results: place('athena') },
    ...(dragen === undefined || machinesProfileName === undefined
      ? {}
      : {
          dragen: {
            ...said(dragen, 'keepAlignments'),
            ...(dragen.keepAlignments ? { alignments: place('alignments') } : {}),
            instanceProfile: machinesProfileName,
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
