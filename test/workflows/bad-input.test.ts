import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CohortActivities } from '../../src/contracts/activities.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { simulatedTime, timeSkippingServer } from '../support/temporal-servers.js';
import { simulate, simulatedStudies } from '../support/temporal-simulation.js';
import { TEST_QUEUE, runToEnd, startWorkers } from '../support/temporal-workers.js';

const server = await timeSkippingServer();

const SHEET_FAULT = 'faulty.csv: 2 faults, nothing was started';

/** Workflow type, input, and what the message must hold. */
const BAD: readonly (readonly [string, unknown, readonly string[]])[] = [
  ['imagingCohort', undefined, ['imagingCohort', 'found nothing', 'cohort, output']],
  ['imagingCohort', null, ['found nothing']],
  ['imagingCohort', ['/a.csv'], ['found a list']],
  ['imagingCohort', { output: '/out' }, ['cohort is missing']],
  [
    'imagingCohort',
    { cohort: '', output: 7 },
    ['cohort must be a text, found an empty text', 'output must be a text, found 7'],
  ],
  [
    'imagingCohort',
    { cohort: '/a.csv', output: '/out', concurency: 3 },
    ['unknown: concurency', 'known:', 'concurrency'],
  ],
  [
    'imagingCohort',
    { cohort: '/a.csv', output: '/out', concurrency: 0 },
    ['concurrency must be a whole number from 1'],
  ],
  [
    'imagingCohort',
    { cohort: '/a.csv', output: '/out', concurrency: 5000 },
    ['concurrency must be a whole number from 1 to 500'],
  ],
  ['imagingCohort', { cohort: '/a.csv', output: '/out', schemaVersion: 2 }, ['schemaVersion must be 1']],
  [
    'imagingCohort',
    { cohort: '/a.csv', output: '/out', featureSet: 'all' },
    ['featureSet must be one of default, seed'],
  ],
  ['genomicsCohort', { cohort: '/a.csv', output: '/out', genes: { panel: 1 } }, ['genes must be']],
  ['genomicsCohort', { cohort: '/a.csv' }, ['output is missing']],
  ['clinicalFeatures', { output: '/out' }, ['clinical is missing']],
  [
    'clinicalFeatures',
    { output: '/out', clinical: '/t.csv', clinicalSpec: 3 },
    ['clinicalSpec must be a text or an object'],
  ],
  ['multimodalCohort', { output: '/out' }, ['cohort or clinical is needed']],
  [
    'multimodalCohort',
    { output: '/out', cohort: '/a.csv', concurrency: { imagng: 3 } },
    ['concurrency: unknown: imagng'],
  ],
  ['multimodalCohort', { output: '/out', cohort: '/a.csv', concurrency: { imaging: 1.5 } }, ['concurrency.imaging']],
  ['imagingStudy', {}, ['unit is missing', 'output is missing']],
  [
    'imagingStudy',
    { output: '/out', unit: { caseId: '../x', source: { kind: 'dicom', folder: '/a' } } },
    ['unit.caseId'],
  ],
  ['imagingStudy', { output: '/out', unit: { caseId: 'A', source: { kind: 'tiff' } } }, ['unit.source.kind']],
  ['genomicsSample', { output: '/out', unit: { caseId: 'A', source: { kind: 'fastq' } } }, ['unit.source.lanes']],
  ['cohortLane', {}, ['fanOut is missing', 'slice is missing']],
];

describe.skipIf(server === undefined)('a workflow started with bad input', () => {
  let env: TestWorkflowEnvironment;
  let stop: () => Promise<void>;
  const simulation = simulate(simulatedStudies(1));

  const prepareCohort: CohortActivities['prepareCohort'] = (request) => {
    if (request.input.cohort !== '/faulty.csv') return simulation.prepareCohort(request);
    return Promise.reject(ApplicationFailure.nonRetryable(SHEET_FAULT, 'InvalidSheet'));
  };

  beforeAll(async () => {
    const [made, bundle] = await Promise.all([simulatedTime(server!), sourceBundle()]);
    env = made;
    stop = await startWorkers(env, bundle, { quick: { ...simulation, prepareCohort }, heavy: simulation });
  });

  afterAll(async () => {
    await stop?.();
    await env?.teardown();
  });

  it.each(BAD.map(([type, input, wanted], index) => ({ type, input, wanted, index })))(
    'fails at once and says why: $type $wanted',
    async ({ type, input, wanted, index }) => {
      const args = input === undefined ? [] : [input];
      const workflowId = `bad-${index}`;
      const handle = await env.client.workflow.start(type, { workflowId, taskQueue: TEST_QUEUE, args });
      const error: unknown = await handle.result().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(WorkflowFailedError);
      const { cause } = error as WorkflowFailedError;
      expect(cause).toBeInstanceOf(ApplicationFailure);
      const { type: code, message, nonRetryable } = cause as ApplicationFailure;
      expect(code).toBe('InvalidInput');
      expect(nonRetryable).toBe(true);
      for (const part of wanted) expect(message).toContain(part);
    },
  );

  it('does no work and touches no folder', () => {
    expect(simulation.steps).toEqual([]);
    expect(simulation.records).toEqual([]);
  });

  it('fails with the fault that preparing found, not with “activity failed”', async () => {
    const running = runToEnd(env, 'imagingCohort', 'bad-sheet', { cohort: '/faulty.csv', output: '/out' });
    await expect(running).rejects.toMatchObject({ cause: { type: 'InvalidSheet', message: SHEET_FAULT } });
  });
});
