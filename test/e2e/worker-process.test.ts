import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../src/adapters/local/temporal-server-process.js';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';
import type { CohortActivities, StepActivities } from '../../src/contracts/activities.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { createWorkers, runWorkers } from '../../src/workers/create-workers.js';
import { temporaryFolder } from '../support/run-step.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { TestWorker } from '../support/worker-process.js';

const cli = await temporalCli();
const { EventType } = temporal.api.enums.v1;
const SLOW_MODULE = pathToFileURL(join(PACKAGE_ROOT, 'test', 'support', 'slow-steps.mjs')).href;

/** Environment of a worker whose steps take that much longer. */
function slow(seconds: number): Record<string, string> {
  return { NODE_OPTIONS: `--import=${SLOW_MODULE}`, TEST_STEP_WAITS_MS: `${seconds * 1000}` };
}

describe.skipIf(cli === undefined)('worker processes in roles', () => {
  const root = temporaryFolder('workers');
  const clinical = join(root, 'clinical.csv');
  const workers: TestWorker[] = [];
  let env: TestWorkflowEnvironment;
  let ports: number[];
  let runs = 0;

  beforeAll(async () => {
    writeFileSync(clinical, 'case_id,age,smoking\nSECRET-1,50,never\nSECRET-2,51,former\n');
    env = await realTime(cli!);
    ports = await freePorts(2);
  });

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.end('SIGKILL')));
  });

  afterAll(async () => {
    await env?.teardown();
    rmSync(root, { recursive: true, force: true });
  });

  async function startWorker(options: readonly string[], variables: Record<string, string> = {}): Promise<TestWorker> {
    const worker = await TestWorker.start(env.address, root, options, variables);
    workers.push(worker);
    return worker;
  }

  function startRun(): Promise<WorkflowHandle> {
    const workflowId = `clinical-${(runs += 1)}`;
    const args = [{ clinical, output: join(root, workflowId) }];
    return env.client.workflow.start('clinicalFeatures', { workflowId, taskQueue: 'cohortflow', args });
  }

  async function get(path: string, port = ports[0]!): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, text: await response.text() };
  }

  /** Waits until a worker is in the middle of a step. */
  async function untilStepRuns(worker: TestWorker): Promise<void> {
    const started = (): boolean => worker.lines.some(({ message }) => message === 'step started');
    await expect.poll(started, { timeout: 60_000, interval: 100 }).toBe(true);
  }

  /** The attempts in which the heavy steps of a run succeeded, and the last failures before them. */
  async function attemptsOf(handle: WorkflowHandle): Promise<{ attempt: number; failure: string | undefined }[]> {
    const events = (await handle.fetchHistory()).events ?? [];
    const scheduled = new Map(
      events.map((event) => [
        String(event.eventId),
        event.activityTaskScheduledEventAttributes?.activityType?.name ?? undefined,
      ]),
    );
    return events
      .filter(({ eventType }) => eventType === EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)
      .map((event) => event.activityTaskStartedEventAttributes!)
      .filter(({ scheduledEventId }) => scheduled.get(String(scheduledEventId)) === 'runStep')
      .map(({ attempt, lastFailure }) => ({
        attempt: attempt ?? 0,
        failure: lastFailure?.applicationFailureInfo?.type ?? undefined,
      }));
  }

  const CPU = ['--role', 'cpu'];
  const OTHERS = ['--role', 'orchestration', '--role', 'io'];
  const DEBUG = { COHORTFLOW_LOG_LEVEL: 'debug' };

  it('a step that is shorter than the grace ends in the worker that was told to stop; its health and metrics say what goes on', async () => {
    await startWorker(OTHERS);
    const [health, metrics] = ports;
    const listen = ['--health-port', `127.0.0.1:${health}`, '--metrics-port', `127.0.0.1:${metrics}`];
    const worker = await startWorker([...CPU, '--shutdown-grace', '60', ...listen], { ...slow(8), ...DEBUG });
    expect((await get('/readyz')).status).toBe(200);
    const handle = await startRun();
    await untilStepRuns(worker);
    expect((await get('/metrics', metrics)).text).toMatch(
      /cohortflow_steps_in_flight\{(?=[^}]*step="clinical.features")(?=[^}]*role="cpu")[^}]*\} 1\n/,
    );
    const ended = worker.end('SIGTERM');
    await expect.poll(async () => (await get('/readyz')).status, { timeout: 10_000, interval: 50 }).toBe(503);
    expect(JSON.parse((await get('/healthz')).text)).toMatchObject({
      status: 'ok',
      workers: [{ queue: 'cohortflow-cpu', state: 'DRAINING', activities: { running: 1 } }],
    });
    expect(await ended).toBe(0);
    const done = worker.lines.find(({ message }) => message === 'step done');
    expect(done).toMatchObject({ run: 'clinical-1', step: 'clinical.features', attempt: 1, outcome: 'done' });
    expect(worker.output).not.toContain('SECRET');
    // The step that writes the feature group is for the next worker.
    await startWorker([...CPU, ...listen]);
    expect(((await handle.result()) as CohortResult).clinical?.outcome).toBe('done');
    expect((await attemptsOf(handle))[0]).toEqual({ attempt: 1, failure: undefined });
    const { text } = await get('/metrics', metrics);
    expect(text).toMatch(
      /cohortflow_steps_ended_total\{(?=[^}]*outcome="done")(?=[^}]*step="features.write")(?=[^}]*code="")[^}]*\} 1\n/,
    );
    expect(text).toMatch(/cohortflow_step_seconds_count\{(?=[^}]*step="features.write")[^}]*\} 1\n/);
    expect(text).toMatch(/temporal_activity_execution_latency_seconds_bucket/);
    expect(text).not.toContain('SECRET');
  }, 240_000);

  it('a step that is longer than the grace is given back and done by another worker', async () => {
    await startWorker(OTHERS);
    const worker = await startWorker([...CPU, '--shutdown-grace', '2'], { ...slow(3600), ...DEBUG });
    const handle = await startRun();
    await untilStepRuns(worker);
    expect(await worker.end('SIGTERM')).toBe(0);
    expect(worker.lines.find(({ message }) => message === 'step is tried again')).toMatchObject({
      ...{ run: 'clinical-2', step: 'clinical.features', code: 'WorkerShutdown', level: 'WARN' },
    });
    await startWorker(CPU);
    expect(((await handle.result()) as CohortResult).clinical?.outcome).toBe('done');
    expect((await attemptsOf(handle))[0]).toEqual({ attempt: 2, failure: 'WorkerShutdown' });
  }, 240_000);

  it('a second signal gives back at once what the grace would have waited for', async () => {
    await startWorker(OTHERS);
    const worker = await startWorker([...CPU, '--shutdown-grace', '3600'], { ...slow(3600), ...DEBUG });
    const handle = await startRun();
    await untilStepRuns(worker);
    worker.tell('SIGTERM');
    await expect.poll(() => worker.output.includes('worker stops'), { timeout: 10_000 }).toBe(true);
    expect(await worker.end('SIGINT')).toBe(0);
    await startWorker(CPU);
    expect(((await handle.result()) as CohortResult).clinical?.outcome).toBe('done');
    expect((await attemptsOf(handle))[0]).toEqual({ attempt: 2, failure: 'WorkerShutdown' });
  }, 240_000);

  it('what ends neither within the grace nor when told to is abandoned, with an error', async () => {
    await startWorker(['--role', 'orchestration']);
    let called = false;
    const prepareCohort = (): Promise<never> => {
      called = true;
      return new Promise(() => undefined);
    };
    const stuck = await createWorkers({
      ...{ connection: env.nativeConnection, namespace: 'default', taskQueue: 'cohortflow', roles: ['io'], jobs: 1 },
      quick: { prepareCohort } as unknown as CohortActivities,
      heavy: {} as StepActivities,
      ...{ shutdownGrace: 1, forceAfterGrace: 1 },
    });
    const stop = new AbortController();
    const running = runWorkers(stuck, stop.signal);
    const handle = await startRun();
    await expect.poll(() => called, { timeout: 60_000 }).toBe(true);
    stop.abort();
    await expect(running).rejects.toMatchObject({
      code: 'WorkerShutdown',
      message: expect.stringContaining('abandoned'),
    });
    await handle.terminate();
  }, 120_000);

  it('says once which search attributes the server lacks and how to have them, and registers them when told to', async () => {
    const about = (worker: TestWorker): unknown[] =>
      worker.lines.map(({ message }) => message).filter((message) => String(message).startsWith('search attributes'));
    const [said, ...more] = about(await startWorker(CPU));
    expect(said).toMatch(
      /not registered: CohortflowModality, CohortflowCode, CohortflowFailed; .*temporal operator search/,
    );
    expect(more).toEqual([]);
    expect(about(await startWorker([...CPU, '--register-search-attributes']))).toEqual([
      'search attributes registered: CohortflowModality, CohortflowCode, CohortflowFailed',
    ]);
    expect(about(await startWorker(CPU))).toEqual([]);
  }, 60_000);

  it('refuses a port that is taken, by its name', async () => {
    await startWorker([...CPU, '--health-port', `127.0.0.1:${ports[0]!}`]);
    const second = startWorker([...CPU, '--metrics-port', `127.0.0.1:${ports[0]!}`]);
    await expect(second).rejects.toThrow(`metrics cannot be served at 127.0.0.1:${ports[0]!}`);
  });
});
