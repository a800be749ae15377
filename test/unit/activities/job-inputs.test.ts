import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkInputs, noteInputs } from '../../../src/activities/job-inputs.js';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import type { LookUpServices } from '../../../src/activities/finished-step.js';
import type { ImagingStudyInput } from '../../../src/contracts/inputs.js';
import { temporaryFolder } from '../../support/run-step.js';

const { signal } = new AbortController();

describe('a study or sample whose work is waited for', () => {
  const files = new LocalFiles();
  const known = async (path: string): Promise<string | undefined> =>
    (await files.stat(path)) === undefined ? undefined : files.sha256(path);
  const services = { files, fingerprints: { known } as unknown as LookUpServices['fingerprints'] };

  function study(): {
    folder: string;
    unit: Pick<ImagingStudyInput['unit'], 'source'>;
    ticket: { name: string; place: string };
  } {
    const folder = temporaryFolder('study');
    for (const name of ['image', 'mask']) writeFileSync(join(folder, name), name);
    const source = { kind: 'nifti', image: join(folder, 'image'), mask: join(folder, 'mask') } as const;
    return { folder, unit: { source }, ticket: { name: 'job-1', place: temporaryFolder('job') } };
  }

  it('is taken over where it is what it was', async () => {
    const { unit, ticket } = study();
    await checkInputs(ticket, services, signal);
    await noteInputs(ticket.place, unit, services, signal);
    await checkInputs(ticket, services, signal);
  });

  it('is computed by another job where it was replaced, also when it is asked for again meanwhile', async () => {
    const { folder, unit, ticket } = study();
    await noteInputs(ticket.place, unit, services, signal);
    writeFileSync(join(folder, 'mask'), 'another');
    await noteInputs(ticket.place, unit, services, signal);
    await expect(checkInputs(ticket, services, signal)).rejects.toMatchObject({
      name: 'CohortflowError',
      code: 'JobLost',
      details: { replaced: 1 },
      message: 'what job-1 was to read was replaced while it ran',
    });
  });

  it('is looked at in all its lanes of reads', async () => {
    const folder = temporaryFolder('reads');
    const names = ['a_1', 'a_2', 'b_1'].map((name) => join(folder, name));
    for (const name of names) writeFileSync(name, name);
    const [fastq1 = '', fastq2 = '', alone = ''] = names;
    const source = { kind: 'fastq', lanes: [{ fastq1, fastq2 }, { fastq1: alone }], strandedness: 'auto' } as const;
    const ticket = { name: 'work-1', place: temporaryFolder('work') };
    await noteInputs(ticket.place, { source }, services, signal);
    await checkInputs(ticket, services, signal);
    writeFileSync(alone, 'another');
    await expect(checkInputs(ticket, services, signal)).rejects.toMatchObject({ code: 'JobLost' });
  });
});
