import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAIR_QUEUES } from '../../src/adapters/local/temporal-server-process.js';
import { unitWorkflowId } from '../../src/contracts/workflow-ids.js';
import { createWorkers, runWorkers } from '../../src/workers/create-workers.js';
import { Gate, through, until } from '../support/gate.js';
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
    const turns: string[] = [];
    const gate = new Gate();
    const simulation = simulate(simulatedStudies(MANY), async ({ step, output }) => {
      await gate.enter();
      if (step.startsWith('imaging.')) turns.push(output);
      // Long enough for the next step of a study to be in line before its turn comes.
      await new Promise((resolve) => setTimeout(resolve, 50));
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
    /** True when every study of a cohort has its first step in line. */
    const inLine = async (name: string, studies: number): Promise<boolean> => {
      for (const { caseId } of simulatedStudies(studies)) {
        const unit = env.client.workflow.getHandle(unitWorkflowId(name, caseId));
        const found = await unit.describe().catch(() => undefined);
        if ((found?.raw.pendingActivities ?? []).length === 0) return false;
      }
      return true;
    };
    try {
      await through(gate, async () => {
        const many = await start('many');
        await until(() => inLine('many', MANY), 60);
        const few = await start('few');
        await until(() => inLine('few', FEW), 60);
        // From here on both have all their studies in line, however slow the machine is.
        gate.openForAll();
        await few.result();
        await many.result();
      });
    } finally {
      stop.abort();
      await running;
    }
    const last = turns.lastIndexOf('/few');
    expect(turns.filter((output) => output === '/few')).toHaveLength(3 * FEW);
    // In line behind it, the small one would begin when the large one has had a turn for each of its studies.
    expect(turns.slice(0, last).filter((output) => output === '/many').length).toBeLessThan(MANY);
  }, 120_000);
});
