import { Context } from '@temporalio/activity';
import type { Client, ClientOptions, ClientPlugin } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import {
  NativeConnection,
  Runtime,
  Worker,
  type ActivityInterceptorsFactory,
  type BundleOptions,
  type BundlerPlugin,
  type NativeConnectionPlugin,
  type ReplayWorkerOptions,
  type WorkerOptions,
  type WorkerPlugin,
} from '@temporalio/worker';
import { dataConverter } from '../app/data-converter.js';
import { createLocalServices, type LocalServices } from '../app/services.js';
import type { Config } from '../config/config.js';
import { loadConfig } from '../config/load-config.js';
import { cpuQueue, remoteQueue } from '../contracts/queues.js';
import { CohortflowError } from '../domain/errors.js';
import { activityInterceptor } from '../observability/activity-interceptor.js';
import { createMetrics, type Metrics } from '../observability/metrics.js';
import { checkSearchAttributes } from '../workers/check-search-attributes.js';
import { createWorkers, queuesOf, runWorkers, type RunnableWorker } from '../workers/create-workers.js';
import { KNOWN, type CohortflowPluginOptions } from './options.js';
import { withRequiredWorkflows } from './require-workflows.js';

type Environment = Readonly<Record<string, string | undefined>>;
type Activities = Readonly<Record<string, unknown>>;

/** A worker asks the server through its own connection: an activity knows it. */
const workersClient = (): Client => Context.current().client;

/**
 * cohortflow inside a worker of one's own, for the `plugins` option of the SDK's Worker and Client. A worker gets our quick
 * activities beside its own, and further workers beside it, which start and end with it: on `<taskQueue>-cpu` for heavy steps
 * in child processes, on `<taskQueue>-remote` for work that is given to services. The host re-exports `cohortflow/workflows` from what it bundles; a worker without them refuses
 * to start. With an encryption key in the environment, workers and clients that have no data converter get ours.
 */
export class CohortflowPlugin implements WorkerPlugin, ClientPlugin, BundlerPlugin, NativeConnectionPlugin {
  readonly name = 'cohortflow';
  private readonly config: Config;
  private readonly converter: DataConverter | undefined;
  /** Activities of ours by the function of a worker's options, so that a plugin registered twice acts once. */
  private readonly ours = new WeakSet<object>();
  private readonly running = new WeakSet<Worker>();
  /** Queues of the workers that this plugin runs itself. */
  private readonly innerQueues = new Set<string>();
  private madeMetrics: Metrics | undefined;
  private madeObserver: ActivityInterceptorsFactory | undefined;

  /**
   * @param environment where settings and keys come from
   * @throws CohortflowError `InvalidInput` for an option or setting that cannot be used, `BadEncryptionKey`
   */
  constructor(
    private readonly options: CohortflowPluginOptions = {},
    environment: Environment = process.env,
  ) {
    const unknown = Object.keys(options).filter((name) => !Object.hasOwn(KNOWN, name));
    if (unknown.length > 0) {
      const message = `CohortflowPlugin: unknown: ${unknown.join(', ')}; known: ${Object.keys(KNOWN).join(', ')}`;
      throw new CohortflowError('InvalidInput', message);
    }
    const { registerSearchAttributes: _, ...settings } = options;
    this.config = loadConfig(environment, settings);
    this.converter = dataConverter(environment);
  }

  configureClient(options: Omit<ClientOptions, 'plugins'>): Omit<ClientOptions, 'plugins'> {
    return this.withConverter(options);
  }

  configureReplayWorker(options: ReplayWorkerOptions): ReplayWorkerOptions {
    return this.withConverter(options);
  }

  /** Workflows write their failures with the converter that their bundle was made with. */
  configureBundler(options: BundleOptions): BundleOptions {
    const path = this.converter?.failureConverterPath;
    if (path === undefined || options.failureConverterPath !== undefined) return options;
    return { ...options, failureConverterPath: path };
  }

  /**
   * @throws CohortflowError `WorkflowsNotInBundle` with the line to add; `ActivityNameTaken`; `TemporalSdkMismatch`
   */
  async configureWorker(given: WorkerOptions): Promise<WorkerOptions> {
    const { taskQueue = this.options.taskQueue } = given;
    if (taskQueue === undefined || !this.serves(taskQueue)) return given;
    const activities = (given.activities ?? {}) as Activities;
    if (Object.values(activities).some((one) => typeof one === 'function' && this.ours.has(one))) return given;
    requireOneSdk(given.connection === undefined || given.connection instanceof NativeConnection);
    const { roles } = this.config;
    const options: WorkerOptions = this.withConverter({ ...given, taskQueue });
    const checked = roles.includes('orchestration') ? await withRequiredWorkflows(options, logger()) : options;
    return roles.includes('io') ? this.withQuickActivities(checked, activities, taskQueue) : checked;
  }

  /** Serves the queue of heavy steps for as long as the host's worker runs; either ends with the other. */
  async runWorker(worker: Worker, next: (worker: Worker) => Promise<void>): Promise<void> {
    const { taskQueue } = worker.options;
    if (!this.serves(taskQueue) || this.running.has(worker)) return next(worker);
    this.running.add(worker);
    const outer: RunnableWorker = {
      run: () => next(worker),
      shutdown: () => worker.shutdown(),
      getState: () => worker.getState(),
    };
    const services = createLocalServices({ ...this.config, taskQueue }, workersClient, this.metrics);
    try {
      let inner: readonly Worker[];
      try {
        inner = await this.innerWorkers(worker, services);
      } catch (error) {
        // A worker must have run to let go of its connection.
        await runWorkers([outer], AbortSignal.abort());
        throw error;
      }
      await runWorkers([outer, ...inner], new AbortController().signal);
    } finally {
      await services.close();
      this.running.delete(worker);
    }
  }

  private async innerWorkers(worker: Worker, services: LocalServices): Promise<readonly Worker[]> {
    const { connection, client, options } = worker;
    requireOneSdk(worker instanceof Worker);
    if (connection === undefined || client === undefined) {
      throw new CohortflowError('InternalError', 'a worker without a connection was run');
    }
    await checkSearchAttributes(client, this.options.registerSearchAttributes ?? false, logger());
    const { jobs, remoteWork, roles } = this.config;
    const queues = queuesOf(roles).filter((queue) => queue !== 'own');
    if (queues.length === 0) return [];
    const { taskQueue, namespace, shutdownGraceTimeMs, dataConverter: converter } = options;
    for (const queue of [cpuQueue(taskQueue), remoteQueue(taskQueue)]) this.innerQueues.add(queue);
    const plan = {
      ...{ connection, namespace, taskQueue, jobs, remoteWork, roles, ...services },
      // A host's grace is ours, unless it was told otherwise.
      shutdownGrace: this.options.shutdownGrace ?? shutdownGraceTimeMs / 1000,
      ...(converter === undefined ? {} : { dataConverter: converter }),
      interceptors: { activity: [this.observer] },
    };
    return createWorkers(plan, queues);
  }

  private withQuickActivities(options: WorkerOptions, hosts: Activities, taskQueue: string): WorkerOptions {
    const { quick } = createLocalServices({ ...this.config, taskQueue }, workersClient, this.metrics);
    const taken = Object.keys(quick).filter((name) => Object.hasOwn(hosts, name));
    if (taken.length > 0) {
      const message = `the worker on ${taskQueue} has activities of its own named ${taken.join(', ')}`;
      throw new CohortflowError('ActivityNameTaken', message, { taken });
    }
    for (const activity of Object.values(quick)) this.ours.add(activity as object);
    const { interceptors } = options;
    return {
      ...options,
      activities: { ...hosts, ...quick },
      interceptors: { ...interceptors, activity: [...(interceptors?.activity ?? []), this.observeUnits] },
    };
  }

  /** The host's own activities are not looked at: one of them may be called as our heavy one is. */
  private readonly observeUnits: ActivityInterceptorsFactory = (context) =>
    context.info.activityType === 'nextUnits' ? this.observer(context) : {};

  /** Made when a worker is: before, the host may still install a runtime of its own. */
  private get metrics(): Metrics {
    return (this.madeMetrics ??= createMetrics(Runtime.instance().metricMeter));
  }

  private get observer(): ActivityInterceptorsFactory {
    return (this.madeObserver ??= activityInterceptor(this.metrics));
  }

  private serves(taskQueue: string): boolean {
    if (this.innerQueues.has(taskQueue)) return false;
    return this.options.taskQueue === undefined || this.options.taskQueue === taskQueue;
  }

  private withConverter<T extends { dataConverter?: DataConverter }>(options: T): T {
    if (this.converter === undefined || options.dataConverter !== undefined) return options;
    return { ...options, dataConverter: this.converter };
  }
}

function logger(): Runtime['logger'] {
  return Runtime.instance().logger;
}

function requireOneSdk(one: boolean): void {
  if (one) return;
  const message =
    'the worker comes from another copy of @temporalio/worker than cohortflow uses; install the same version of it';
  throw new CohortflowError('TemporalSdkMismatch', message);
}
