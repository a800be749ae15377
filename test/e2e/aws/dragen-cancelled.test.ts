import { join } from 'node:path';
import { quickPrograms } from '../../support/aws/quick-programs.js';
import { endedFromOutside, ROUNDS } from '../../support/ended-from-outside.js';
import { temporaryFolder } from '../../support/run-step.js';

const AMI = 'ami-00000000000000001';

endedFromOutside({
  title: 'cohorts on DRAGEN machines that are ended from outside',
  account: {
    scale: 10,
    machines: {
      // A sample takes longer than any round waits; a hash table takes no time.
      amis: {
        [AMI]: { rootGb: 50, programs: quickPrograms(join(temporaryFolder('dragen-calls'), 'log'), 'sleep 600') },
      },
      vcpus: 24 * 100 * ROUNDS,
    },
  },
  mishaps: { interrupt: 0.2, loseAgent: 0.05 },
  ...{ workflow: 'genomicsCohort', input: { genomicsExecutor: 'dragen' } },
  writeCohort: async (place, files, cases) => {
    const reads = cases.flatMap((id) => [`${id}_1.fastq`, `${id}_2.fastq`]);
    for (const name of ['genome.fa', ...reads]) await files.write(`${place}/${name}`, name);
    const transcript = 'gene_id "ENSG1"; transcript_id "ENST1";';
    await files.write(`${place}/genes.gtf`, ['1', 'x', 'transcript', '1', '9', '.', '+', '.', transcript].join('\t'));
    const rows = cases.map((id) => `${id},${id}_1.fastq,${id}_2.fastq`);
    await files.write(`${place}/cohort.csv`, ['case_id,fastq_1,fastq_2', ...rows, ''].join('\n'));
  },
  settings: (place) => ({
    region: 'eu-central-1',
    dragen: {
      ...{ ami: AMI, instanceProfile: 'dragen', subnets: ['subnet-a', 'subnet-b'], securityGroups: ['sg-1'] },
      ...{ pollSeconds: 1, reference: `${place}/genome.fa`, annotation: `${place}/genes.gtf` },
    },
  }),
  given: ({ machines }) => machines.census().launched,
  alive: ({ machines }) => machines.census().alive,
  once: ({ machines }) => machines.census().machines.every(({ commands }) => commands <= 2),
  // Logs of work that failed, and what Systems Manager wrote, are for people.
  keeps: /\.(log|ssm)$/,
});
