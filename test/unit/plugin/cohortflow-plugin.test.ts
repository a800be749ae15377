import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ActivityInboundCallsInterceptor, WorkerOptions } from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import { CohortflowPlugin, type CohortflowPluginOptions } from '../../../src/plugin/index.js';
import '../../support/temporal-servers.js';

const KEY = { COHORTFLOW_ENCRYPTION_KEY: `k1:${randomBytes(32).toString('base64')}` };
const QUICK = ['prepareCohort', 'nextUnits', 'selectFailed', 'recordOutcome', 'compactOutcomes', 'closeRun'];
const own = async (): Promise<void> => undefined;

function plugin(options: CohortflowPluginOptions = {}, environment: Record<string, string> = {}): CohortflowPlugin {
  return new CohortflowPlugin({ roles: ['io', 'cpu'], cacheFolder: '/nowhere', ...options }, environment);
}

const namesOf = ({ activities }: WorkerOptions): string[] => Object.keys(activities ?? {});

describe('the plugin in the options of a worker', () => {
  it("adds our quick activities to the host's and leaves the rest as it was", async () => {
    const interceptors = { activity: [() => ({ inbound: {} as ActivityInboundCallsInterceptor })] };
    const given: WorkerOptions = { taskQueue: 'host', activities: { own }, maxCachedWorkflows: 7, interceptors };
    const options = await plugin().configureWorker(given);
    expect(namesOf(options)).toEqual(expect.arrayContaining(['own', ...QUICK]));
    expect((options.activities as { own: unknown }).own).toBe(own);
    expect(namesOf(options)).not.toContain('runStep');
    expect(options.maxCachedWorkflows).toBe(7);
    expect(options.interceptors?.activity?.[0]).toBe(interceptors.activity[0]);
    expect(namesOf(given)).toEqual(['own']);
  });

  it("refuses to put an activity of ours in the place of the host's", async () => {
    const attempt = plugin().configureWorker({ taskQueue: 'host', activities: { own, closeRun: own } });
    await expect(attempt).rejects.toMatchObject({ code: 'ActivityNameTaken', details: { taken: ['closeRun'] } });
  });

  it('acts once when a worker and its connection both have it', async () => {
    const one = plugin();
    const once = await one.configureWorker({ taskQueue: 'host', activities: { own } });
    expect(await one.configureWorker(once)).toBe(once);
  });

  it('leaves workers on other queues alone, and names the queue where the host does not', async () => {
    const one = plugin({ taskQueue: 'imaging' });
    const other: WorkerOptions = { taskQueue: 'billing', activities: { own } };
    expect(await one.configureWorker(other)).toBe(other);
    const nameless = await one.configureWorker({ activities: { own } } as WorkerOptions);
    expect(nameless.taskQueue).toBe('imaging');
    expect(namesOf(nameless)).toContain('prepareCohort');
  });

  it('adds no activities without the role io', async () => {
    const given: WorkerOptions = { taskQueue: 'host', activities: { own } };
    expect(namesOf(await plugin({ roles: ['cpu'] }).configureWorker(given))).toEqual(['own']);
  });

  it('looks for our workflows unless the role orchestration was left out', async () => {
    const attempt = plugin({ roles: ['orchestration', 'io', 'cpu'] }).configureWorker({ taskQueue: 'host' });
    await expect(attempt).rejects.toMatchObject({ code: 'WorkflowsNotInBundle' });
  });

  it('refuses an option that cannot be used, before anything is started', () => {
    expect(() => plugin({ jobs: 0 })).toThrow(/jobs.*found 0/);
    const misspelt = { job: 2 } as CohortflowPluginOptions;
    expect(() => plugin(misspelt)).toThrow(/unknown: job; known: jobs/);
  });
});

describe('the data converter of the plugin', () => {
  const hosts: DataConverter = { payloadCodecs: [] };

  it('is ours where there is a key and the host has none, in workers, replays, clients and bundles', async () => {
    const one = plugin({}, KEY);
    const { dataConverter } = await one.configureWorker({ taskQueue: 'host' });
    expect(dataConverter?.payloadCodecs?.length).toBe(1);
    expect(one.configureClient({}).dataConverter).toBe(dataConverter);
    expect(one.configureReplayWorker({}).dataConverter).toBe(dataConverter);
    expect(one.configureBundler({ workflowsPath: '/w.js' }).failureConverterPath).toBe(
      dataConverter?.failureConverterPath,
    );
  });

  it("stays the host's where it has one", async () => {
    const one = plugin({}, KEY);
    expect((await one.configureWorker({ taskQueue: 'host', dataConverter: hosts })).dataConverter).toBe(hosts);
    expect(one.configureClient({ dataConverter: hosts }).dataConverter).toBe(hosts);
    expect(one.configureBundler({ workflowsPath: '/w.js', failureConverterPath: '/f.js' }).failureConverterPath).toBe(
      '/f.js',
    );
  });

  it('does not appear without a key', async () => {
    const one = plugin();
    expect(await one.configureWorker({ taskQueue: 'host' })).not.toHaveProperty('dataConverter');
    expect(one.configureClient({})).not.toHaveProperty('dataConverter');
  });
});
