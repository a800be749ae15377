import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endedRun, startOrAttach } from '../../src/app/cohort-run.js';
import { TemporalCohortServer } from '../../src/app/cohort-server.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { TEST_QUEUE } from '../support/temporal-workers.js';

const program = await temporalCli();

// No worker: what a server says of workflows that are open or were ended from outside.
describe.skipIf(program === undefined)('what a server knows of the owner of an output', () => {
  let env: TestWorkflowEnvironment;
  let server: TemporalCohortServer;

  beforeAll(async () => {
    env = await realTime(program!);
    server = new TemporalCohortServer(() => env.client, TEST_QUEUE);
  });
  afterAll(async () => env?.teardown());

  it('which server it is: the same for all who ask, and another for another server', async () => {
    const other = await realTime(program!);
    try {
      const { namespaceId, namespace, address } = await server.identity();
      expect(namespaceId).toMatch(/^[0-9a-f-]{36}$/);
      expect({ namespace, address }).toEqual({ namespace: 'default', address: env.address });
      expect((await server.identity()).namespaceId).toBe(namespaceId);
      const { namespaceId: others } = await new TemporalCohortServer(() => other.client, TEST_QUEUE).identity();
      expect(others).not.toBe(namespaceId);
    } finally {
      await other.teardown();
    }
  });

  it('a run is come back to by the command that started it, and by no other', async () => {
    const output = `/out/${randomUUID()}`;
    const given = { output, cohort: '/sheet.csv', genes: ['b', 'a'] };
    const { handle, attached } = await startOrAttach(env.client, TEST_QUEUE, given);
    expect(attached).toBe(false);
    const again = { genes: ['b', 'a'], cohort: '/sheet.csv', output, force: false, takeOver: true };
    expect(await startOrAttach(env.client, TEST_QUEUE, again)).toMatchObject({ attached: true });
    const other = { ...given, cohort: '/other.csv', force: true, roi: 'Mass' };
    const refused = startOrAttach(env.client, TEST_QUEUE, other);
    await expect(refused).rejects.toMatchObject({
      code: 'OutputBusy',
      details: { fields: ['cohort', 'force', 'roi'] },
    });
    await handle.terminate();
    expect(await endedRun(env.client, handle.workflowId)).toMatchObject({ type: 'multimodalCohort', input: given });
    const next = await startOrAttach(env.client, TEST_QUEUE, other);
    expect(next.attached).toBe(false);
    await next.handle.terminate();
  });

  it('a run is open until it has ended, whatever else runs under its id', async () => {
    const workflowId = `owner-${randomUUID()}`;
    const start = { workflowId, taskQueue: TEST_QUEUE, workflowIdReusePolicy: 'ALLOW_DUPLICATE' } as const;
    const handle = await env.client.workflow.start('nobody', start);
    const runId = handle.firstExecutionRunId;
    expect(await server.isOpen(workflowId, runId)).toBe(true);
    await handle.terminate();
    expect(await server.isOpen(workflowId, runId)).toBe(false);
    const later = await env.client.workflow.start('nobody', start);
    // Another run under the same id is not this one.
    expect(await server.isOpen(workflowId, runId)).toBe(false);
    expect(await server.isOpen(workflowId)).toBe(true);
    await later.terminate();
    expect(await server.isOpen('unknown', runId)).toBe(false);
  });
});
