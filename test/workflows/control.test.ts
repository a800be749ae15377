import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTROL_UPDATES, type InterimReport, type SteeringState } from '../../src/contracts/control.js';
import { PROGRESS_QUERY, type CohortProgress } from '../../src/contracts/progress.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { Gate, through, until } from '../support/gate.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { simulate, simulatedStudies } from '../support/temporal-simulation.js';
import { TEST_QUEUE, withWorkers } from '../support/temporal-workers.js';

const server = await temporalCli();
const STUDIES = 24;

const fanOutOf = async (handle: WorkflowHandle): Promise<CohortProgress['fanOut']> =>
  (await handle.query<CohortProgress, []>(PROGRESS_QUERY)).fanOut;

describe.skipIf(server === undefined)('controlling a cohort while it runs', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([realTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  it('widens, pauses and goes on, and refuses a width that makes no sense', async () => {
    const gate = new Gate();
    const simulation = simulate(simulatedStudies(STUDIES), (request) =>
      request.step === 'imaging.convert' ? gate.enter() : undefined,
    );
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        const handle = await env.client.workflow.start('imagingCohort', {
          workflowId: 'controlled',
          taskQueue: TEST_QUEUE,
          args: [{ cohort: '/sheet.csv', output: '/out', concurrency: 3 }],
        });
        await until(() => gate.waiting.length === 3);
        const widened = await handle.executeUpdate<SteeringState, [number]>(CONTROL_UPDATES.setConcurrency, {
          args: [5],
        });
        expect(widened).toEqual({ paused: false, width: 5, startRate: 0 });
        await until(() => gate.waiting.length === 5);

        expect(await handle.executeUpdate<SteeringState, []>(CONTROL_UPDATES.pause)).toEqual({
          paused: true,
          width: 5,
          startRate: 0,
        });
        gate.letThrough(5);
        await until(async () => (await fanOutOf(handle))?.done === 5);
        expect(gate.waiting.length).toBe(0);
        expect(await fanOutOf(handle)).toMatchObject({ paused: true, running: 0 });

        const refused = handle.executeUpdate<SteeringState, [number]>(CONTROL_UPDATES.setConcurrency, { args: [0] });
        await expect(refused).rejects.toMatchObject({
          cause: { type: 'InvalidInput', message: expect.stringContaining('1 to 500') as unknown },
        });

        await handle.executeUpdate<SteeringState, []>(CONTROL_UPDATES.resume);
        gate.openForAll();
        expect(((await handle.result()) as CohortResult).imaging).toMatchObject({ total: STUDIES, done: STUDIES });
      }),
    );
  });

  it('passes what the whole cohort is told on to its modalities', async () => {
    const gate = new Gate();
    const simulation = simulate(simulatedStudies(STUDIES), (request) =>
      request.step === 'imaging.convert' ? gate.enter() : undefined,
    );
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        const handle = await env.client.workflow.start('multimodalCohort', {
          workflowId: 'whole',
          taskQueue: TEST_QUEUE,
          args: [{ cohort: '/sheet.csv', output: '/out', concurrency: 2 }],
        });
        await until(() => gate.waiting.length === 2);
        const args: [{ imaging: number }] = [{ imaging: 4 }];
        await handle.executeUpdate<SteeringState, typeof args>(CONTROL_UPDATES.setConcurrency, { args });
        await until(() => gate.waiting.length === 4);
        await handle.executeUpdate<SteeringState, []>(CONTROL_UPDATES.pause);
        const imaging = env.client.workflow.getHandle('whole/imaging');
        await until(async () => (await fanOutOf(imaging))?.paused === true);
        await handle.executeUpdate<SteeringState, []>(CONTROL_UPDATES.resume);
        gate.openForAll();
        expect(((await handle.result()) as CohortResult).imaging).toMatchObject({ done: STUDIES });
      }),
    );
  });

  it('writes the report of what has ended so far, as often as it is asked, and the whole one at the end', async () => {
    const gate = new Gate();
    const simulation = simulate(simulatedStudies(6), (request) =>
      request.step === 'imaging.overlay' ? gate.enter() : undefined,
    );
    const written = (step: string): number => simulation.steps.filter((one) => one.step === step).length;
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        const handle = await env.client.workflow.start('multimodalCohort', {
          workflowId: 'reported',
          taskQueue: TEST_QUEUE,
          args: [{ cohort: '/sheet.csv', output: '/out' }],
        });
        await until(() => gate.waiting.length === 6);
        const ask = (): Promise<InterimReport> => handle.executeUpdate<InterimReport, []>(CONTROL_UPDATES.report);
        expect(await Promise.all([ask(), ask()])).toEqual([
          { report: '/out/report.html' },
          { report: '/out/report.html' },
        ]);
        expect([written('dataset.join'), written('report.render')]).toEqual([2, 2]);
        gate.openForAll();
        expect(await handle.result()).toMatchObject({ imaging: { done: 6 }, report: '/out/report.html' });
        expect([written('dataset.join'), written('report.render')]).toEqual([3, 3]);
      }),
    );
  });
});
