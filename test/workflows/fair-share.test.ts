import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAIR_QUEUES } from '../../src/adapters/local/temporal-server-process.js';
import { createWorkers, runWorkers } from '../../src/workers/create-workers.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { simulate, simulatedStudies } from '../support/temporal-simulation.js';
import { TEST_QUEUE } from '../support/temporal-workers.js';

const server = await temporalCli();
const [MANY, FEW] = [40, 4];

describe.skipIf(server === undefined)('cohorts that share one slow worker', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    // The queues of the embedded server.
    [env, bundle] = await Promise.all([realTime(server!, FAIR_QUEUES), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  it('get equal turns: a small one does not wait for all that a large one has in line', async () => {
    const ends: string[] = [];
    const simulation = simulate(simulatedStudies(MANY), async ({ step, output }) => {
      await new Promise((resolve) => setTimeout(resolve, 25));
      if (step === 'imaging.overlay') ends.push(output);
    });
    const prepareCohort: typeof simulation.prepareCohort = async (request) => ({
      ...(await simulation.prepareCohort(request)),
      imaging: request.input.output === '/few' ? FEW : MANY,
    });
    const nextUnits: typeof simulation.nextUnits = async (page) => {
      const found = await simulation.nextUnits(page);
      return page.output === '/few' ? { ...found, units: found.units.filter(({ at }) => at < FEW), next: FEW } : found;
    };
    const workers = await createWorkers({
      connection: env.nativeConnection,
      namespace: env.namespace ?? 'default',
      taskQueue: TEST_QUEUE,
      workflowBundle: bundle,
      quick: { ...simulation, prepareCohort, nextUnits },
      heavy: simulation,
      jobs: 1,
    });
    const stop = new AbortController();
    const running = runWorkers(workers, stop.signal);
    const start = (name: string) =>
      env.client.workflow.start('imagingCohort', {
        workflowId: name,
        taskQueue: TEST_QUEUE,
        args: [{ cohort: '/sheet.csv', output: `/${name}`, concurrency: MANY }],
      });
    try {
      const many = await start('many');
      while (!simulation.steps.some(({ step }) => step === 'imaging.convert')) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const few = await start('few');
      await few.result();
      await many.result();
    } finally {
      stop.abort();
      await running;
    }
    const last = ends.lastIndexOf('/few');
    expect(ends.filter((output) => output === '/few')).toHaveLength(FEW);
    // In line behind it, the small one would end with the last of the large one.
    expect(ends.slice(0, last).filter((output) => output === '/many').length).toBeLessThan(MANY / 2);
  }, 120_000);
});
