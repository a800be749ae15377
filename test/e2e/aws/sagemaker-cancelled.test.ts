import { endedFromOutside, ROUNDS } from '../../support/ended-from-outside.js';

const IMAGE = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/cohortflow@sha256:${'0'.repeat(64)}`;

endedFromOutside({
  title: 'cohorts on SageMaker that are ended from outside',
  account: {
    // A job takes ten minutes: longer than any round waits, but for those that are killed in their first seconds.
    ...{ images: { [IMAGE]: { simulatedSeconds: 600 } }, startSeconds: 0.5 },
    // Cohorts share the account's quota. What a terminated one held is given on only by the pool's lease, after minutes:
    // with room for all of them no round waits for it.
    quota: 100 * ROUNDS,
  },
  mishaps: { killJob: 0.2 },
  ...{ workflow: 'imagingCohort', input: { imagingExecutor: 'sagemaker' } },
  writeCohort: async (place, files, cases) => {
    for (const id of cases) await files.write(`${place}/dicom/${id}/1.dcm`, 'not looked at');
    const rows = cases.map((id) => `${id},dicom/${id}`);
    await files.write(`${place}/cohort.csv`, ['case_id,imaging', ...rows, ''].join('\n'));
  },
  settings: () => ({
    sagemaker: {
      ...{ image: IMAGE, roleArn: 'arn:aws:iam::123456789012:role/processing' },
      ...{ pollSeconds: 1, pollsPerSecond: 50 },
    },
  }),
  given: ({ jobs }) => jobs.census().jobs.length,
  alive: ({ jobs }) => jobs.census().alive,
  once: ({ jobs }) => jobs.census().jobs.every(({ executions }) => executions <= 1),
});
