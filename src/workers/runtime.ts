import { DefaultLogger, Runtime, type TelemetryOptions } from '@temporalio/worker';
import type { Config } from '../config/config.js';
import { CohortflowError, messageOf } from '../domain/errors.js';
import { jsonLine, textLine } from '../observability/log-line.js';
import { STEP_SECONDS, STEP_SECONDS_BUCKETS } from '../observability/metrics.js';
import { isNoise } from '../observability/noise.js';

function metricsOptions({ metricsPort, roles }: Config): Pick<TelemetryOptions, 'metrics'> {
  if (metricsPort === 'off') return {};
  return {
    metrics: {
      // As Prometheus names things.
      prometheus: {
        bindAddress: metricsPort,
        countersTotalSuffix: true,
        unitSuffix: true,
        useSecondsForDurations: true,
        histogramBucketOverrides: { [STEP_SECONDS]: [...STEP_SECONDS_BUCKETS] },
      },
      globalTags: { role: roles.join('-') },
      attachServiceName: false,
    },
  };
}

/**
 * Sets up what all workers of this process share: one log on standard error (JSON, a line each; text on a terminal) that
 * the SDK's native part writes into too, and metrics. Call once, before any connection.
 *
 * @throws CohortflowError `InvalidInput` when nothing can listen on `metricsPort`
 */
export function installRuntime(config: Config): void {
  const { logLevel } = config;
  const line = process.stderr.isTTY ? textLine : jsonLine;
  const logger = new DefaultLogger(logLevel, ({ timestampNanos, ...entry }) => {
    if (isNoise(entry)) return;
    const time = new Date(Number(timestampNanos / 1_000_000n));
    process.stderr.write(`${line({ ...entry, time })}\n`);
  });
  // The native part tells much at INFO that only its makers need.
  const core = logLevel === 'INFO' ? 'WARN' : logLevel;
  const logging = { filter: { core, other: 'ERROR' }, forward: {} } as const;
  try {
    Runtime.install({ logger, shutdownSignals: [], telemetryOptions: { logging, ...metricsOptions(config) } });
  } catch (error) {
    const { metricsPort } = config;
    if (metricsPort === 'off') throw error;
    const message = `metrics cannot be served at ${metricsPort}: ${messageOf(error)}`;
    throw new CohortflowError('InvalidInput', message, {}, error);
  }
}
