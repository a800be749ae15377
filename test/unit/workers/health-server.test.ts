import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from '@temporalio/worker';
import { afterEach, describe, expect, it } from 'vitest';
import { freePorts } from '../../../src/adapters/local/temporal-server-process.js';
import { startHealthServer, type HealthServer, type WatchedWorker } from '../../../src/workers/health-server.js';
import { ifFree } from '../../../src/workers/listen.js';

const servers: HealthServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

interface Answer {
  readonly status: number;
  readonly document: { readonly status: string; readonly eventLoopLagMs: number; readonly workers: unknown[] };
}

function watched(state: () => ReturnType<Worker['getState']>): WatchedWorker {
  const numSlots = { type: 'fixed-size', numSlots: 4 };
  const options = {
    ...{ taskQueue: 'q-cpu', maxCachedWorkflows: 0, activities: new Map([['runStep', () => undefined]]) },
    tuner: { activityTaskSlotSupplier: numSlots, workflowTaskSlotSupplier: numSlots },
  };
  const status = { numInFlightActivities: 3, numInFlightWorkflowActivations: 0, numCachedWorkflows: 0 };
  return { options, getState: state, getStatus: () => status } as unknown as WatchedWorker;
}

async function start(
  workers: readonly WatchedWorker[],
  mostLagMs?: number,
): Promise<(path: string) => Promise<Answer>> {
  const [port] = await freePorts(1);
  const options = mostLagMs === undefined ? {} : { mostLagMs };
  servers.push(await startHealthServer({ listen: `127.0.0.1:${port!}`, workers: () => workers, ...options }));
  return async (path) => {
    const response = await fetch(`http://127.0.0.1:${port!}${path}`);
    const text = await response.text();
    return { status: response.status, document: (text === '' ? {} : JSON.parse(text)) as Answer['document'] };
  };
}

describe('health over HTTP', () => {
  it('is ready while every worker takes work, and not while one drains', async () => {
    let state: ReturnType<Worker['getState']> = 'RUNNING';
    const get = await start([watched(() => 'RUNNING'), watched(() => state)]);
    expect((await get('/readyz')).status).toBe(200);
    state = 'DRAINING';
    expect(await get('/readyz')).toMatchObject({ status: 503, document: { status: 'unavailable' } });
    expect((await get('/healthz')).status).toBe(200);
  });

  it('is not ready before there are workers, but alive', async () => {
    const get = await start([]);
    expect([(await get('/readyz')).status, (await get('/healthz')).status]).toEqual([503, 200]);
  });

  it('tells states and slots', async () => {
    const get = await start([watched(() => 'RUNNING')]);
    expect((await get('/healthz?verbose')).document.workers).toEqual([
      { queue: 'q-cpu', state: 'RUNNING', activities: { running: 3, slots: 4 } },
    ]);
  });

  it('is not alive when the event loop was blocked for too long, and alive again afterwards', async () => {
    const get = await start([watched(() => 'RUNNING')], 700);
    await sleep(600);
    const until = performance.now() + 1_500;
    while (performance.now() < until);
    const late = await get('/healthz');
    expect(late.status).toBe(503);
    expect(late.document.eventLoopLagMs).toBeGreaterThan(700);
    await expect.poll(async () => (await get('/healthz')).status, { timeout: 10_000, interval: 200 }).toBe(200);
  });

  it('has nothing else to say', async () => {
    const get = await start([]);
    expect((await get('/')).status).toBe(404);
  });

  it('names the port that is taken; a worker that may do without finds it taken', async () => {
    await start([]);
    const { address } = servers[0]!;
    const listen = address as `${string}:${number}`;
    await expect(startHealthServer({ listen, workers: () => [] })).rejects.toThrow(`cannot be served at ${address}`);
    expect(await ifFree(listen)).toBe('off');
    await servers.shift()!.close();
    expect(await ifFree(listen)).toBe(listen);
  });
});
