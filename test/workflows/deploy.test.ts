import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporal } from '@temporalio/proto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { NativeConnection, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { unitWorkflowId } from '../../src/contracts/workflow-ids.js';
import { until } from '../support/gate.js';
import { bundleOf, sourceBundle } from '../support/temporal-bundle.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { simulate, simulatedStudies, type Simulation, type StepBehaviour } from '../support/temporal-simulation.js';
import { TEST_QUEUE, startWorkers } from '../support/temporal-workers.js';

const server = await temporalCli();
const STUDIES = 40;
const { EventType } = temporal.api.enums.v1;

/** The sources with a study workflow of the next version: one more step, guarded by a patch. */
function nextVersion(folder: string): Promise<WorkflowBundle> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(PACKAGE_ROOT, 'src'), join(folder, 'src'), { recursive: true });
  const study = join(folder, 'src', 'workflows', 'imaging-study.ts');
  const before = ': imagingPlan(input, step)';
  const after = `: (async () => {
        if (patched('imaging-check')) await step('imaging.check', {}, {});
        await imagingPlan(input, step);
      })()`;
  const text = readFileSync(study, 'utf8');
  expect(text).toContain(before);
  writeFileSync(study, `import { patched } from '@temporalio/workflow';\n${text.replace(before, after)}`);
  return bundleOf(join(folder, 'src', 'workflows', 'index.ts'));
}

describe.skipIf(server === undefined)('a new version deployed in the middle of a cohort', () => {
  // Below the checkout: the copy finds the packages there.
  const folder = join(PACKAGE_ROOT, '.cache', 'deploy-test');
  let env: TestWorkflowEnvironment;
  let current: WorkflowBundle;
  let next: WorkflowBundle;

  beforeAll(async () => {
    [env, current, next] = await Promise.all([realTime(server!), sourceBundle(), nextVersion(folder)]);
  });

  afterAll(async () => {
    await env?.teardown();
    rmSync(folder, { recursive: true, force: true });
  });

  const slow: StepBehaviour = () => new Promise((resolve) => setTimeout(resolve, 50));
  const both = () => [simulate(simulatedStudies(STUDIES), slow), simulate(simulatedStudies(STUDIES), slow)] as const;
  const start = (workflowId: string) =>
    env.client.workflow.start('imagingCohort', {
      workflowId,
      taskQueue: TEST_QUEUE,
      args: [{ cohort: '/sheet.csv', output: `/${workflowId}`, concurrency: 6 }],
    });
  const drawn = (...by: readonly Simulation[]): number =>
    by.flatMap(({ steps }) => steps).filter(({ step }) => step === 'imaging.overlay').length;
  const whole = { total: STUDIES, done: STUDIES, reused: 0, failed: 0, cancelled: 0 };

  /** Workflow tasks that failed, of the cohort and of all its studies. */
  async function failedTasks(workflowId: string): Promise<number> {
    const ids = [workflowId, ...simulatedStudies(STUDIES).map(({ caseId }) => unitWorkflowId(workflowId, caseId))];
    const histories = await Promise.all(ids.map((id) => env.client.workflow.getHandle(id).fetchHistory()));
    const events = histories.flatMap((history) => history.events ?? []);
    return events.filter(({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED).length;
  }

  it('loses nothing, does nothing twice and fails no workflow task: what began goes on, what is new has the new step', async () => {
    const [before, after] = both();
    const stopOld = await startWorkers(env, current, { quick: before, heavy: before });
    const handle = await start('deployed');
    await until(() => drawn(before) >= STUDIES / 3);
    await stopOld();
    const stopNew = await startWorkers(env, next, { quick: after, heavy: after });
    try {
      const { imaging } = (await handle.result()) as CohortResult;
      expect(imaging).toEqual(whole);
    } finally {
      await stopNew();
    }

    const stepsOf = (step: string) => [...before.steps, ...after.steps].filter((one) => one.step === step);
    for (const step of ['imaging.convert', 'imaging.radiomics', 'imaging.overlay']) {
      expect(new Set(stepsOf(step).map(({ caseId }) => caseId)).size).toBe(STUDIES);
    }
    const checked = new Set(stepsOf('imaging.check').map(({ caseId }) => caseId));
    const old = new Set(before.steps.filter(({ step }) => step === 'imaging.overlay').map(({ caseId }) => caseId));
    expect(checked.size).toBeGreaterThan(0);
    // A study that the old version saw through does not get the new step.
    expect([...checked].filter((caseId) => old.has(caseId))).toEqual([]);
    expect(await failedTasks('deployed')).toBe(0);
  }, 120_000);

  it('also when both versions run side by side for a while: tasks fail and are tried again, steps are not', async () => {
    const [before, after] = both();
    // What no worker keeps in its memory goes to and fro between the versions.
    const stopOld = await startWorkers(env, current, { quick: before, heavy: before }, { cachedWorkflows: 0 });
    const handle = await start('overlapping');
    await until(() => drawn(before) >= STUDIES / 4);
    const connection = await NativeConnection.connect({ address: env.address });
    const stopNew = await startWorkers(env, next, { quick: after, heavy: after }, { connection, cachedWorkflows: 0 });
    try {
      await until(() => drawn(before, after) >= (STUDIES * 3) / 4, 60).finally(stopOld);
      const { imaging } = (await handle.result()) as CohortResult;
      expect(imaging).toEqual(whole);
    } finally {
      await stopNew();
      await connection.close();
    }
    // The old version meets patches that it does not know: else this shows nothing.
    expect(await failedTasks('overlapping')).toBeGreaterThan(0);
    const done = [...before.steps, ...after.steps].filter(({ step }) => step.startsWith('imaging.'));
    const names = done.map(({ step, caseId }) => `${step} ${caseId}`);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    expect(names.length).toBeGreaterThan(3 * STUDIES);
  }, 120_000);
});
