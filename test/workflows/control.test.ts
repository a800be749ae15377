import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTROL_UPDATES, type InterimReport, type SteeringState } from '../../src/contracts/control.js';
import type { StepRequest } from '../../src/contracts/activities.js';
import { PROGRESS_QUERY, type CohortProgress } from '../../src/contracts/progress.js';
import type { CohortResult } from '../../src/contracts/results.js';
import type { CohortUnit } from '../../src/domain/cohort/manifest.js';
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

  it('takes them while it is prepared, for its first unit, and shows the last failures as its details', async () => {
    const sheet = new Gate();
    const studies = new Gate();
    const simulation = simulate(simulatedStudies(3), ({ step, unit }) => {
      if (unit?.caseId === 'S-0') throw ApplicationFailure.nonRetryable('no segmentation', 'SegNotFound');
      return step === 'imaging.overlay' ? studies.enter() : undefined;
    });
    const prepareCohort: typeof simulation.prepareCohort = async (request) => {
      await sheet.enter();
      return simulation.prepareCohort(request);
    };
    await withWorkers(env, bundle, { ...simulation, prepareCohort }, () =>
      through(sheet, () =>
        through(studies, async () => {
          const start = (type: string): Promise<WorkflowHandle> =>
            env.client.workflow.start(type, {
              ...{ workflowId: `early-${type}`, taskQueue: TEST_QUEUE },
              args: [{ cohort: '/sheet.csv', output: '/out' }],
            });
          const [whole, alone] = await Promise.all(['multimodalCohort', 'imagingCohort'].map(start));
          await until(() => sheet.waiting.length === 2);
          for (const handle of [whole!, alone!]) {
            await handle.executeUpdate<SteeringState, []>(CONTROL_UPDATES.pause);
            const args: [{ imaging: number }] = [{ imaging: 2 }];
            const said = await handle.executeUpdate<SteeringState, typeof args>(CONTROL_UPDATES.setConcurrency, {
              args,
            });
            expect(said).toMatchObject({ paused: true });
            for (const name of [CONTROL_UPDATES.retryFailed, CONTROL_UPDATES.report]) {
              await expect(handle.executeUpdate<unknown, []>(name)).rejects.toMatchObject({
                cause: { message: expect.stringContaining('being prepared') as unknown },
              });
            }
          }
          sheet.openForAll();
          const parts = [env.client.workflow.getHandle('early-multimodalCohort/imaging'), alone!];
          for (const handle of parts) {
            await until(async () => (await fanOutOf(handle).catch(() => undefined)) !== undefined);
            expect(await fanOutOf(handle)).toMatchObject({ paused: true, width: 2, running: 0, done: 0 });
          }
          expect(simulation.steps).toEqual([]);
          for (const handle of [whole!, alone!]) {
            await handle.executeUpdate<SteeringState, []>(CONTROL_UPDATES.resume);
            const details = async (): Promise<string> =>
              (await handle.query<{ currentDetails?: string }, []>('__temporal_workflow_metadata')).currentDetails ??
              '';
            await until(async () => (await details()).includes('S-0: imaging.convert SegNotFound'));
          }
          expect((await whole!.query<CohortProgress, []>(PROGRESS_QUERY)).lastFailures).toEqual([
            'imaging S-0: imaging.convert SegNotFound',
          ]);
          studies.openForAll();
          for (const handle of [whole!, alone!]) {
            expect(((await handle.result()) as CohortResult).imaging).toMatchObject({ done: 2, failed: 1 });
          }
        }),
      ),
    );
  }, 60_000);

  it('takes none once all units have ended', async () => {
    const gate = new Gate();
    const simulation = simulate(simulatedStudies(1), ({ step }) =>
      step === 'report.render' ? gate.enter() : undefined,
    );
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        for (const type of ['multimodalCohort', 'imagingCohort']) {
          const handle = await env.client.workflow.start(type, {
            ...{ workflowId: `late-${type}`, taskQueue: TEST_QUEUE },
            args: [{ cohort: '/sheet.csv', output: '/out' }],
          });
          await until(() => gate.waiting.length === 1);
          for (const name of [CONTROL_UPDATES.pause, CONTROL_UPDATES.resume, CONTROL_UPDATES.report]) {
            await expect(handle.executeUpdate<unknown, []>(name)).rejects.toMatchObject({
              cause: { message: expect.stringContaining('all units have ended') as unknown },
            });
          }
          gate.letThrough(1);
          await handle.result();
        }
      }),
    );
  }, 60_000);

  it('writes a report while the reference of a cohort of reads is prepared, too', async () => {
    const gate = new Gate();
    const reads: CohortUnit = {
      modality: 'genomics',
      caseId: 'G-0',
      source: { kind: 'fastq', lanes: [{ fastq1: '/reads/0.fq' }], strandedness: 'auto' },
    };
    const simulation = simulate([reads], ({ step }) => (step === 'genomics.index' ? gate.enter() : undefined));
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        const handle = await env.client.workflow.start('genomicsCohort', {
          ...{ workflowId: 'reported-early', taskQueue: TEST_QUEUE },
          args: [{ cohort: '/sheet.csv', output: '/out', transcripts: '/t.fa' }],
        });
        await until(() => gate.waiting.length === 1);
        const answer = await handle.executeUpdate<InterimReport, []>(CONTROL_UPDATES.report);
        expect(answer).toEqual({ report: '/out/report.html' });
        gate.openForAll();
        expect(await handle.result()).toMatchObject({ genomics: { done: 1 }, failures: 0 });
      }),
    );
  }, 60_000);

  it('writes the report of what has ended so far, as often as it is asked, and the whole one at the end', async () => {
    const gate = new Gate();
    const rendered: StepRequest[] = [];
    const simulation = simulate(simulatedStudies(6), (request) => {
      if (request.step === 'report.render') rendered.push(request);
      return request.step === 'imaging.overlay' ? gate.enter() : undefined;
    });
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
        // None is taken for an earlier one, which nothing would tell it from; the last knows what the run came to.
        expect(rendered.map(({ force }) => force)).toEqual([true, true, true]);
        const told = rendered.map(({ volatile = {} }) => volatile['run']);
        expect(told).toEqual([
          undefined,
          undefined,
          expect.objectContaining({ joinedAt: expect.any(String) as string }),
        ]);
        expect(told.at(-1)).toMatchObject({ result: { imaging: { done: 6 }, failures: 0 } });
      }),
    );
  });
});
