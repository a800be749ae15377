import { join } from 'node:path';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { createCohortActivities } from '../activities/cohort-activities.js';
import { createStepActivities } from '../activities/step-activities.js';
import { FileLedger } from '../adapters/local/file-ledger.js';
import { LocalFiles } from '../adapters/local/files.js';
import { LocalFingerprints } from '../adapters/local/fingerprints.js';
import { ProcessPool } from '../adapters/local/process-pool.js';
import { LocalToolRunner } from '../adapters/local/tool-runner.js';
import type { Config } from '../config/config.js';
import type { CohortActivities, StepActivities } from '../contracts/activities.js';
import { CohortflowError, messageOf } from '../domain/errors.js';
import { readCheckedSheet } from '../steps/cohort/check-sheet.js';
import { distPath, packageVersion } from './package-root.js';
import { stepByName } from './step-registry.js';

/** The activities of a worker on this machine, wired to their adapters. */
export interface LocalServices {
  readonly quick: CohortActivities;
  readonly heavy: StepActivities;
  close(): Promise<void>;
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
 * True when the workflow is open on the server; unknown there counts as closed. A server that does not answer decides
 * nothing: taking an output folder from a running cohort would be worse than asking again.
 */
async function isOpen(client: Client, workflowId: string, runId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId, runId).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw new CohortflowError('ServerUnavailable', `asking for workflow ${workflowId}: ${messageOf(error)}`, {}, error);
  }
}

/** Wires config and client to activities: the one place where this machine's adapters meet the activities. */
export function createLocalServices(config: Config, client: Client): LocalServices {
  const files = new LocalFiles();
  const ledger = new FileLedger(files);
  const { jobs, memoryPerJobMb, cacheFolder } = config;
  const runner = new ProcessPool({ entry: distPath('workers/step-host.js'), jobs, memoryMb: memoryPerJobMb });
  const fingerprints = new LocalFingerprints(files, join(cacheFolder, 'hashes'));
  const sharedFolder = join(cacheFolder, 'shared');
  const versionOf = (step: string): number => stepByName(step).version;
  return {
    quick: createCohortActivities({
      files,
      ledger,
      versions,
      readSheet: (path) => readCheckedSheet(path, files),
      isOpen: (workflowId, runId) => isOpen(client, workflowId, runId),
    }),
    heavy: createStepActivities({ files, ledger, fingerprints, runner, versionOf, sharedFolder }),
    close: () => runner.close(),
  };
}
