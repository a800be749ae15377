import { failed, ok, unknown, warning, type Check } from '../check.js';
import { increase } from './quota-fix.js';
import type { AwsSubject } from './wanted.js';

/** Feature groups that one data set makes at most of each modality, parts of wide tables included. */
const GROUPS_OF_A_RUN = 6;
const GROUP_QUOTA = /feature groups/i;

/** Room for feature groups. */
export function featureGroupCheck({ account }: AwsSubject): Check {
  return {
    name: 'Quota of feature groups',
    look: async (signal) => {
      const quotas = await account.quotas('sagemaker', (name) => GROUP_QUOTA.test(name), signal);
      const quota = quotas.find(({ name }) => !/creat|concurrent/i.test(name));
      const count = await account.featureGroupCount(signal);
      if (quota === undefined)
        return unknown(`${count} groups; their quota is not listed`, 'it is 100 where not raised');
      const found = `${count} of ${quota.value} feature groups`;
      const fix = `${increase('sagemaker', quota.code, quota.name, quota.value * 2)}, or remove old ones (clean --features)`;
      if (count >= quota.value) return failed(found, fix);
      return count + GROUPS_OF_A_RUN > quota.value ? warning(found, fix) : ok(found);
    },
  };
}

/** Where queries run. */
export function workgroupCheck({ account, settings }: AwsSubject): Check {
  const { workgroup = 'primary', results } = settings.athena ?? {};
  return {
    name: 'Athena workgroup',
    look: async (signal) => {
      const group = await account.workgroup(workgroup, signal);
      if (group === undefined) return failed(`there is no workgroup ${workgroup}`, 'correct aws.athena.workgroup');
      if (!group.enabled) {
        return failed(
          `${workgroup} is disabled`,
          'enable it (console: Athena, Workgroups), or set aws.athena.workgroup',
        );
      }
      const place = results ?? group.results;
      if (place === undefined) {
        return failed(`${workgroup} has no place for results`, 'set aws.athena.results to s3://bucket/folder');
      }
      return ok(`${workgroup}, results in ${place}`);
    },
  };
}
