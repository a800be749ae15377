import { CohortflowError } from '../../domain/errors.js';
import { dragenMetrics, MACHINE_NAME, parseMachineFacts } from '../../domain/genomics/dragen/index.js';
import type { SampleQuality } from '../../domain/genomics/sample-quality.js';
import { baseName } from '../file-names.js';
import type { JsonObject, StepCall } from '../step.js';

/** What DRAGEN tells of its own run, and what it ran on. */
export interface DragenBeside {
  readonly quality: Partial<SampleQuality>;
  readonly warnings: readonly string[];
  readonly account: JsonObject;
}

/**
 * Reads what lies beside a table that DRAGEN made; undefined for a table from elsewhere. A file that is empty, damaged or not
 * there is a warning and its values are missing: the table is as good as it is without.
 *
 * @throws CohortflowError `NoReadsMapped`
 */
export async function dragenBeside<P extends JsonObject>(call: StepCall<P>): Promise<DragenBeside | undefined> {
  const { io, inputs, signal } = call;
  const { metrics: paths = [] } = inputs;
  if (paths.length === 0) return undefined;
  const files: { name: string; text: string }[] = [];
  for (const path of paths) {
    const name = baseName(path);
    files.push({ name, text: await io.files.readText(path, signal) });
    // Kept as they are: there is more in them than the report shows.
    await io.files.copy(path, `${io.outputFolder}/dragen/${name}`);
  }
  const { metrics, unreadable, missing } = dragenMetrics(files);
  if (metrics.mappedPercent === 0) throw new CohortflowError('NoReadsMapped', 'DRAGEN mapped none of the reads');
  const noted = files.find(({ name }) => name === MACHINE_NAME);
  const facts = noted === undefined ? {} : parseMachineFacts(noted.text);
  const machine = facts ?? {};
  const damaged = [...unreadable, ...(facts === undefined ? [MACHINE_NAME] : [])];
  const { version, programSeconds, ...counted } = metrics;
  return {
    quality: {
      ...counted,
      program: 'DRAGEN',
      version: machine.version ?? version,
      profile: machine.profile ?? null,
      reference: machine.reference ?? null,
      index: machine.hashTable ?? null,
      instanceType: machine.instanceType ?? null,
      spot: machine.spot ?? null,
      seconds: machine.seconds ?? null,
    },
    warnings: [
      ...(damaged.length === 0 ? [] : ['MetricsUnreadable']),
      ...(missing.length === 0 ? [] : ['MetricsMissing']),
    ],
    account: {
      programSeconds,
      ...(damaged.length === 0 ? {} : { metricsUnreadable: damaged }),
      ...(missing.length === 0 ? {} : { metricsMissing: missing }),
    },
  };
}
