import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCohortActivities } from '../../src/activities/cohort-activities.js';
import { FileLedger } from '../../src/adapters/local/file-ledger.js';
import { LocalFiles } from '../../src/adapters/local/files.js';
import { LocalFingerprints } from '../../src/adapters/local/fingerprints.js';
import type { IndexedCase } from '../../src/contracts/case-index.js';
import { CONTROL_UPDATES, type SteeringState } from '../../src/contracts/control.js';
import type { OutcomeRecord } from '../../src/contracts/outcome.js';
import { PROGRESS_QUERY, type CohortProgress } from '../../src/contracts/progress.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { CohortflowError } from '../../src/domain/errors.js';
import { readCheckedSheet } from '../../src/steps/cohort/check-sheet.js';
import { readCsv } from '../support/csv.js';
import { until } from '../support/gate.js';
import { temporaryFolder } from '../support/run-step.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { simulate } from '../support/temporal-simulation.js';
import { TEST_QUEUE, startWorkers } from '../support/temporal-workers.js';

const server = await temporalCli();
const STEPS = ['imaging.convert', 'imaging.radiomics', 'imaging.overlay'];

describe.skipIf(server === undefined)('the outcomes of cases that the circuit breaker held', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([realTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  it('are those of the pass after it was mended, of a failure in the same step and of one in another', async () => {
    const root = temporaryFolder('held');
    const output = join(root, 'out');
    const files = new LocalFiles();
    const ledger = new FileLedger(files);
    const ids = ['C-0', 'C-1', 'C-2', 'C-3'];
    for (const id of ids) mkdirSync(join(root, 'dicom', id), { recursive: true });
    const cohort = join(root, 'cohort.csv');
    writeFileSync(cohort, ['case_id,imaging', ...ids.map((id) => `${id},dicom/${id}`), ''].join('\n'));
    const real = createCohortActivities({
      ...{ files, ledger, readSheet: (path: string) => readCheckedSheet(path, files) },
      versions: async () => ({ cohortflow: '1.2.3' }),
      fingerprints: new LocalFingerprints(files, join(root, 'hashes')),
      versionOf: () => 1,
      sharedFolder: join(root, 'shared'),
      planRemote: async () => ({}),
      server: {
        isOpen: async () => false,
        identity: async () => ({ namespaceId: 'here', namespace: 'default', address: 'here:7233' }),
        claimPool: async () => undefined,
        hasSearchAttributes: async () => false,
      },
    });
    // The service is a mock that reads no studies: they may lie here.
    const prepareCohort: typeof real.prepareCohort = ({ input, ...rest }) =>
      real.prepareCohort({ ...rest, input: { ...input, imagingExecutor: 'local' } });
    const quick = { ...real, prepareCohort };
    let mended = false;
    const mocks = simulate([], undefined, ({ name }) => {
      if (!mended) throw new CohortflowError('ToolMissing', 'the image lacks a program');
      // After that two fail for reasons of their own: under the name of the job again, and under that of a step.
      if (name.startsWith('C-1')) throw new CohortflowError('SegNotFound', 'no segmentation in the study');
      if (name.startsWith('C-2')) {
        throw new CohortflowError('MissingSlice', 'a slice is missing', { step: 'imaging.convert' });
      }
    });
    const adoptWork: typeof mocks.adoptWork = async ({ request }) => {
      if (!('input' in request) || request.executor !== 'sagemaker') throw new Error('no study');
      const { unit, round, runId } = request.input as typeof request.input & { readonly runId: string };
      for (const step of STEPS) {
        const record: OutcomeRecord = {
          ...{ caseId: unit.caseId, modality: 'imaging', part: '', step, outcome: 'done', code: '', why: 'new' },
          ...(round === undefined ? {} : { round }),
          ...{ attempts: 1, started: new Date().toISOString(), seconds: 1, message: '' },
        };
        await ledger.record(output, runId, record);
      }
      return { outcome: 'done' };
    };
    const stop = await startWorkers(env, bundle, { quick, heavy: mocks, remote: { ...mocks, adoptWork } });
    try {
      const handle = await env.client.workflow.start('imagingCohort', {
        workflowId: 'held-records',
        taskQueue: TEST_QUEUE,
        args: [{ cohort, output, imagingExecutor: 'sagemaker', concurrency: 4, pauseAfter: 2 }],
      });
      const fanOut = async (): Promise<CohortProgress['fanOut']> =>
        (await handle.query<CohortProgress, []>(PROGRESS_QUERY)).fanOut;
      await until(async () => {
        const now = await fanOut();
        return now?.breaker !== undefined && now.running === 0;
      });
      mended = true;
      await handle.executeUpdate<SteeringState, []>(CONTROL_UPDATES.resume);
      const { imaging } = (await handle.result()) as CohortResult;
      expect(imaging).toEqual({ total: 4, done: 2, reused: 0, failed: 2, cancelled: 0 });
    } finally {
      await stop();
    }
    const failed = readCsv(join(output, 'run/outcomes.csv')).filter(({ outcome }) => outcome === 'failed');
    expect(failed.map((row) => [row['case_id'], row['step'], row['code']])).toEqual([
      ['C-1', 'imaging.job', 'SegNotFound'],
      ['C-2', 'imaging.convert', 'MissingSlice'],
    ]);
    const lines = readFileSync(join(output, 'run/cases.jsonl'), 'utf8').trimEnd().split('\n');
    const statuses = lines.map((line) => (JSON.parse(line) as IndexedCase).imaging[0]?.status);
    expect(statuses).toEqual(['done', 'failed', 'failed', 'done']);
  }, 60_000);
});
