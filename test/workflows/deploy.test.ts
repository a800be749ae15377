import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporal } from '@temporalio/proto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { unitWorkflowId } from '../../src/contracts/workflow-ids.js';
import { until } from '../support/gate.js';
import { bundleOf, sourceBundle } from '../support/temporal-bundle.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { simulate, simulatedStudies, type StepBehaviour } from '../support/temporal-simulation.js';
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
        await imagingPlan(input, step);
        if (patched('imaging-check')) await step('imaging.check', {}, {});
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

  it('loses nothing, does nothing twice and fails no workflow task: what began goes on, what is new has the new step', async () => {
    const slow: StepBehaviour = () => new Promise((resolve) => setTimeout(resolve, 50));
    const [before, after] = [simulate(simulatedStudies(STUDIES), slow), simulate(simulatedStudies(STUDIES), slow)];
    const stopOld = await startWorkers(env, current, { quick: before, heavy: before });
    const handle = await env.client.workflow.start('imagingCohort', {
      workflowId: 'deployed',
      taskQueue: TEST_QUEUE,
      args: [{ cohort: '/sheet.csv', output: '/out', concurrency: 6 }],
    });
    const drawn = (): number => before.steps.filter(({ step }) => step === 'imaging.overlay').length;
    await until(() => drawn() >= STUDIES / 3);
    await stopOld();
    const stopNew = await startWorkers(env, next, { quick: after, heavy: after });
    try {
      const { imaging } = (await handle.result()) as CohortResult;
      expect(imaging).toEqual({ total: STUDIES, done: STUDIES, reused: 0, failed: 0, cancelled: 0 });
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
    expect([...checked].filter((caseId) => old.has(caseId) && checked.has(caseId)).length).toBeLessThanOrEqual(6);

    const ids = ['deployed', ...simulatedStudies(STUDIES).map(({ caseId }) => unitWorkflowId('deployed', caseId))];
    for (const id of ids) {
      const events = (await env.client.workflow.getHandle(id).fetchHistory()).events ?? [];
      const failed = events.filter(({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED);
      expect(failed, id).toEqual([]);
    }
  }, 120_000);
});
