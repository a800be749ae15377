import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bring, processedSteps } from '../../../src/activities/job-results.js';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import type { LookUpServices } from '../../../src/activities/finished-step.js';
import { WorkFailed } from '../../../src/ports/remote-executor.js';
import { temporaryFolder } from '../../support/run-step.js';

const files = new LocalFiles();
const { signal } = new AbortController();
const output = { path: 'ct.nii.gz', size: 5, sha256: createHash('sha256').update('voxel').digest('hex') };
const step = { step: 'imaging.convert', version: 1, outputs: [output], summary: {}, started: '2026-01-01', seconds: 1 };

/** What a promise was rejected with. */
const failureOf = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

/** The place of a job that listed this; nothing when undefined. */
function jobThatWrote(list: unknown): { readonly name: string; readonly place: string } {
  const place = temporaryFolder('job');
  mkdirSync(join(place, 'results'));
  const text = typeof list === 'string' ? list : JSON.stringify(list);
  if (list !== undefined) writeFileSync(join(place, 'results/steps.json'), text);
  writeFileSync(join(place, 'results/ct.nii.gz'), 'voxel');
  return { name: 'job-1', place };
}

describe('what a processing job left', () => {
  it('is what its steps made', async () => {
    expect(await processedSteps(jobThatWrote({ steps: [step] }), files, signal)).toEqual([step]);
  });

  it.each([
    ['is not there', undefined],
    ['is cut off', '{"steps": ['],
    ['is empty', ''],
  ])('is wanted of another job where its list %s: no file of the user is missing', async (_, list) => {
    const failure = await failureOf(processedSteps(jobThatWrote(list), files, signal));
    expect(failure).toBeInstanceOf(WorkFailed);
    expect(failure).toMatchObject({
      code: 'JobLost',
      message: expect.stringMatching(/^the results of job-1: /) as string,
    });
  });

  it.each([
    ['nothing', null],
    ['no steps', {}],
    ['a number', { steps: 5 }],
    ['a step without outputs', { steps: [{ ...step, outputs: undefined }] }],
    ['a step without a summary', { steps: [{ ...step, summary: undefined }] }],
    ['a file elsewhere', { steps: [{ ...step, outputs: [{ ...output, path: '../../ct.nii.gz' }] }] }],
    ['a file at the root', { steps: [{ ...step, outputs: [{ ...output, path: '/ct.nii.gz' }] }] }],
  ])('is refused where its list has %s', async (_, list) => {
    const failure = await failureOf(processedSteps(jobThatWrote(list), files, signal));
    expect(failure).not.toBeInstanceOf(WorkFailed);
    expect(failure).toMatchObject({ code: 'JobRejected', message: expect.stringContaining('one of ours?') as string });
  });

  it('is wanted of another job where a file is gone or changed, and taken over again where its copy is damaged', async () => {
    const fingerprints = { stamp: () => Promise.resolve('stamp') } as unknown as LookUpServices['fingerprints'];
    const job = jobThatWrote({ steps: [step] });
    const folder = temporaryFolder('study');
    const take = (from = files): Promise<unknown> => bring(job, { files: from, fingerprints }, output, folder, signal);
    expect(await take()).toEqual({ ...output, stamp: 'stamp' });
    const damaging = Object.assign(new LocalFiles(), {
      copy: async (_from: string, to: string) => writeFileSync(to, 'pixel'),
    });
    expect(await failureOf(take(damaging))).toMatchObject({ code: 'ChecksumMismatch' });
    expect(await files.names(folder)).toEqual([]);
    appendFileSync(join(job.place, 'results/ct.nii.gz'), 'x');
    expect(await failureOf(take())).toMatchObject({
      code: 'JobLost',
      message: expect.stringContaining('ct.nii.gz is not what') as string,
    });
    rmSync(join(job.place, 'results/ct.nii.gz'));
    expect(await failureOf(take())).toMatchObject({
      code: 'JobLost',
      message: expect.stringContaining('is not there') as string,
    });
    expect(await files.names(folder)).toEqual([]);
  });
});
