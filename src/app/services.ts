import { join } from 'node:path';
import { log } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { createCohortActivities } from '../activities/cohort-activities.js';
import { createFeatureActivities } from '../activities/ingest-features.js';
import { createRemoteActivities } from '../activities/remote-work.js';
import { createSweepActivities } from '../activities/sweep.js';
import { createStepActivities } from '../activities/step-activities.js';
import { AwsAccountReader } from '../adapters/aws/account/account-reader.js';
import { SageMakerFeatureStore } from '../adapters/aws/sagemaker-feature-store.js';
import { FileLedger } from '../adapters/local/file-ledger.js';
import { ProcessPool, type ProcessPoolOptions } from '../adapters/local/process-pool.js';
import { LocalToolRunner } from '../adapters/local/tool-runner.js';
import { loadPseudonymKey } from '../codec/pseudonym.js';
import type { Config } from '../config/config.js';
import type { CohortActivities, StepActivities } from '../contracts/activities.js';
import { pointerLayout } from '../contracts/feature-ingest.js';
import type { ServiceActivities } from '../contracts/service-activities.js';
import { Harmless } from '../observability/harmless.js';
import { readCheckedSheet } from '../steps/cohort/check-sheet.js';
import { createFiles, createFingerprints } from './create-files.js';
import { TemporalCohortServer } from './cohort-server.js';
import { createExecutors, planRemote } from './executors.js';
import { distPath, packageVersion } from './package-root.js';
import { sweepServices } from './sweep.js';
import { stepByName } from './step-registry.js';

/** The activities of a worker on this machine, wired to their adapters. */
export interface LocalServices {
  readonly quick: CohortActivities;
  readonly heavy: StepActivities;
  readonly remote: ServiceActivities;
  /** Ends the processes of steps; a step that still runs is given back to be done by another worker. */
  close(): Promise<void>;
}

/** Who wants to know what happens below the activities. */
export interface ServiceObserver {
  readonly processEnded: NonNullable<ProcessPoolOptions['onEnd']>;
}

/** Versions that decide results, for run/versions.json and the report. */
async function versions(): Promise<Record<string, string>> {
  const found: Record<string, string> = { cohortflow: packageVersion(), node: process.version };
  const tools = new LocalToolRunner();
  if ((await tools.find('salmon')) !== undefined) {
    const { stdout, stderr } = await tools.run('salmon', ['--version']);
    found['salmon'] = `${stdout}${stderr}`.trim().replace(/^salmon\s+/, '');
  }
  return found;
}

/**
 * Wires config and client to activities: the one place where this machine's adapters meet the activities.
 *
 * @param client asks the server about other runs; a function is called within the activity that needs one
 */
export function createLocalServices(
  config: Config,
  client: Client | (() => Client),
  observer?: ServiceObserver,
): LocalServices {
  const files = createFiles(config.aws);
  const ledger = new FileLedger(files, (message) => void log.warn(message));
  const { jobs, memoryPerJobMb, cacheFolder } = config;
  const harmless = new Harmless();
  const runner = new ProcessPool({
    entry: distPath('workers/step-host.js'),
    jobs,
    memoryMb: memoryPerJobMb,
    onEnd: (reason) => harmless.try('metrics', log, () => observer?.processEnded(reason)),
  });
  const fingerprints = createFingerprints(files, config);
  const workFolder = join(cacheFolder, 'work');
  const sharedFolder = join(cacheFolder, 'shared');
  const versionOf = (step: string): number => stepByName(step).version;
  const ask = typeof client === 'function' ? client : (): Client => client;
  const executor = createExecutors(config.aws, files, () => ask().options.namespace);
  const account = new AwsAccountReader(config.aws);
  const pseudonym = loadPseudonymKey();
  return {
    quick: createCohortActivities({
      files,
      ledger,
      ...{ fingerprints, versionOf, sharedFolder },
      versions,
      readSheet: (path) => readCheckedSheet(path, files),
      server: new TemporalCohortServer(ask, config.taskQueue),
      planRemote: (input, modalities) => planRemote(input, modalities, config.aws, account),
      ...(pseudonym === undefined ? {} : { pseudonym }),
      requesterPays: config.aws.s3?.requesterPays ?? [],
    }),
    heavy: createStepActivities({ files, ledger, fingerprints, runner, versionOf, sharedFolder, workFolder }),
    remote: {
      ...createRemoteActivities({
        ...{ files, ledger, fingerprints, versionOf, sharedFolder, executor },
        workPlace: config.aws.work,
      }),
      ...createFeatureActivities({
        ...{ files, ledger, runner, workFolder, store: new SageMakerFeatureStore(config.aws) },
        prefix: config.aws.features?.prefix ?? 'cohortflow',
        ...(config.aws.work === undefined ? {} : { pointers: pointerLayout.folder(config.aws.work) }),
      }),
      ...createSweepActivities(sweepServices(executor, ask)),
    },
    close: () => runner.close(),
  };
}
