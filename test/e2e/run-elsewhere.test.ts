import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cohortWorkflowId } from '../../src/app/cohort-run.js';
import { layout } from '../../src/contracts/layout.js';
import { cli as cohortflow } from '../support/cli.js';
import { temporaryFolder } from '../support/run-step.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';

const cli = await temporalCli();

describe.skipIf(cli === undefined)('verbs about a run that another Temporal server holds', () => {
  const root = temporaryFolder('run-elsewhere');
  const output = join(root, 'out');
  let env: TestWorkflowEnvironment;

  beforeAll(async () => {
    env = await realTime(cli!);
    mkdirSync(layout.run(output), { recursive: true });
    const server = { namespaceId: 'another', namespace: 'trials', address: 'temporal.example.org:7233' };
    const run = { workflowId: cohortWorkflowId(output), runId: 'r', startedAt: '2026-03-01T10:00:00.000Z' };
    writeFileSync(layout.owner(output), JSON.stringify({ ...run, server, state: 'running' }));
  });

  afterAll(async () => {
    await env?.teardown();
    rmSync(root, { recursive: true, force: true });
  });

  it.each([
    [['status'], 'RunNotFound'],
    [['pause'], 'RunNotFound'],
    [['resume'], 'RunNotFound'],
    [['set-concurrency', '3'], 'RunNotFound'],
    [['set-start-rate', '3'], 'RunNotFound'],
    [['cancel'], 'RunNotFound'],
    [['retry', '--failed'], 'RunNotFound'],
    [['dataset'], 'InvalidInput'],
    [['forget', 'A'], 'OutputBusy'],
    [['clean'], 'OutputBusy'],
  ])('%j names that server', async (verb, code) => {
    const { exitCode, stderr } = await cohortflow([...verb, '--output', output], {
      TEMPORAL_ADDRESS: env.address,
      COHORTFLOW_STATE: join(root, 'state'),
      COHORTFLOW_CACHE: join(root, 'cache'),
    });
    expect(exitCode, stderr).toBe(2);
    expect(stderr).toContain(`cohortflow: ${code}: `);
    expect(stderr).toContain('temporal.example.org:7233');
    expect(stderr).toContain('namespace trials');
  });
});
