import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, makeTelemetryFilterString } from '@temporalio/worker';
import { findTemporalCli, findTestServer } from '../../scripts/lib/temporal-servers.mjs';

// The workers' life cycle would drown the tests' own lines.
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
});

/** Executable of the time-skipping server, or undefined; the skip is then printed with its reason. */
export async function timeSkippingServer(): Promise<string | undefined> {
  const path = process.env['COHORTFLOW_TEST_SERVER'] ?? (await findTestServer());
  if (path === undefined) console.warn('skipped: the time-skipping server is not here (npm test fetches it)');
  return path;
}

/** Executable of the Temporal CLI, or undefined; the skip is then printed with its reason. */
export async function temporalCli(): Promise<string | undefined> {
  const path = process.env['COHORTFLOW_TEMPORAL_CLI'] ?? (await findTemporalCli());
  if (path === undefined) console.warn('skipped: the Temporal CLI is not here (npm test fetches it)');
  return path;
}

/** The SDK waits five seconds for a server to listen; on a busy machine Java may need more. */
const STARTS = 4;

/** A fresh server with simulated time. One per test file: its clock is global. */
export async function simulatedTime(path: string): Promise<TestWorkflowEnvironment> {
  for (let start = 1; ; start += 1) {
    try {
      return await TestWorkflowEnvironment.createTimeSkipping({
        server: { executable: { type: 'existing-path', path } },
      });
    } catch (error) {
      if (start === STARTS) throw error;
    }
  }
}

/** A fresh development server in memory, in real time; with the further arguments. */
export function realTime(path: string, extraArgs: readonly string[] = []): Promise<TestWorkflowEnvironment> {
  const executable = { type: 'existing-path', path } as const;
  return TestWorkflowEnvironment.createLocal({ server: { executable, extraArgs: [...extraArgs] } });
}
