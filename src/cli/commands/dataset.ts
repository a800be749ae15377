import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { AthenaQueries } from '../../adapters/aws/athena-queries.js';
import { DuckDbQueries } from '../../adapters/local/duckdb-queries.js';
import { FileLedger } from '../../adapters/local/file-ledger.js';
import { createFiles } from '../../app/create-files.js';
import {
  readFinishedRun,
  withGroupsHere,
  type FinishedRun,
  type JoinedGroup,
  type RunGroup,
} from '../../app/dataset/finished-run.js';
import type { LatestSource, TableWorkshop } from '../../app/dataset/latest-tables.js';
import { joinedColumns, makeDataset } from '../../app/dataset/make-dataset.js';
import { readIngests, storedSource, waitUntilVisible } from '../../app/dataset/stored-features.js';
import { loadConfig } from '../../config/load-config.js';
import { isUri } from '../../domain/cohort/sheet-paths.js';
import { CohortflowError } from '../../domain/errors.js';
import { parquetSource } from '../../domain/feature-table/latest-sql.js';
import type { Files } from '../../ports/files.js';
import { absolute, jsonOption } from '../options.js';
import { printJson, say } from '../output.js';
import { interruptSignal } from '../single-step.js';

interface DatasetOptions {
  readonly output: string;
  readonly engine: 'duckdb' | 'athena';
  readonly population?: 'sheet' | 'union';
  readonly asOf?: string;
  readonly to?: string;
  readonly json?: boolean;
}

/** Minutes that records may take to be seen, where the settings do not say. */
const VISIBLE_WITHIN_MINUTES = 20;

/** A time of ISO 8601 as the store keeps event times: UTC. */
function time(text: string): string {
  const value = /^\d{4}-\d\d-\d\d(T.*(Z|[+-]\d\d:\d\d))?$/.test(text) ? new Date(text) : undefined;
  if (value === undefined || Number.isNaN(value.getTime())) {
    throw new InvalidArgumentError('a date or a time with its zone is wanted, as 2026-03-04T05:06:07Z.');
  }
  return value.toISOString();
}

function target({ to, json }: DatasetOptions): string | undefined {
  if (to === undefined) {
    if (json === true) throw new CohortflowError('InvalidInput', 'dataset: --json needs --to, where the table goes');
    return undefined;
  }
  const path = absolute(to);
  if (!/\.(csv|parquet)$/.test(path)) {
    throw new CohortflowError('InvalidInput', `--to ${to}: a file .csv or .parquet is wanted`);
  }
  return path;
}

/** Puts the table where it is wanted, whole; on standard output when no place is named. */
async function deliver(
  made: { readonly csv: string; readonly parquet: string },
  to: string | undefined,
  files: Files,
): Promise<void> {
  if (to === undefined) {
    await pipeline(createReadStream(made.csv), process.stdout, { end: false });
    return;
  }
  const table = to.endsWith('.csv') ? made.csv : made.parquet;
  if (isUri(to)) return files.copy(table, to);
  await mkdir(dirname(to), { recursive: true });
  const aside = `${to}.part`;
  await copyFile(table, aside);
  await rename(aside, to);
}

/** Who answers for the latest records of the groups. */
async function sourceBy(
  { engine, asOf }: DatasetOptions,
  run: FinishedRun,
  workshop: TableWorkshop,
  progress: (message: string) => void,
): Promise<(group: JoinedGroup, found: RunGroup) => LatestSource> {
  if (engine === 'duckdb') {
    return (group, found) => ({
      engine: workshop.local,
      schema: found.schema,
      tables: [{ source: parquetSource(found.folder), columns: joinedColumns(group, found) }],
      ...(asOf === undefined ? {} : { asOf }),
    });
  }
  const { aws } = loadConfig();
  const { catalog } = aws.athena ?? {};
  const ingests = await readIngests(run, workshop.files);
  const stored = {
    engine: new AthenaQueries(aws, workshop.files),
    ingests,
    ...(catalog === undefined ? {} : { catalog }),
  };
  await waitUntilVisible(stored, run, workshop, {
    withinMinutes: aws.features?.visibleWithinMinutes ?? VISIBLE_WITHIN_MINUTES,
    pause: async (milliseconds, signal) => {
      await sleep(milliseconds, undefined, { signal });
    },
    now: () => Date.now(),
    progress,
  });
  return (group, found) => storedSource(stored, group, found, workshop.local, asOf);
}

async function dataset(options: DatasetOptions): Promise<void> {
  const output = absolute(options.output);
  const to = target(options);
  const folder = await mkdtemp(join(tmpdir(), 'cohortflow-dataset-'));
  try {
    const files = createFiles();
    const signal = interruptSignal();
    const workshop: TableWorkshop = { files, local: new DuckDbQueries(folder), folder, signal };
    const progress = (message: string): void => {
      if (options.json !== true) say(message);
    };
    const run = await withGroupsHere(
      await readFinishedRun(output, files, new FileLedger(files)),
      files,
      folder,
      signal,
    );
    const sourceOf = await sourceBy(options, run, workshop, progress);
    const { population } = options;
    const made = await makeDataset({
      ...{ run, workshop, sourceOf, progress },
      ...(population === undefined ? {} : { population }),
    });
    await deliver(made, to, files);
    const { rows, columns } = made;
    if (options.json === true) printJson({ dataset: to, engine: options.engine, rows, columns });
    else if (to !== undefined) say(`dataset   ${to} (${rows} rows by ${columns} columns, by ${options.engine})`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function datasetCommand(): Command {
  return new Command('dataset')
    .description(
      'Join the data set of a finished run from the latest records of its feature groups: the same rows and columns as the\n' +
        "run's own dataset.csv.",
    )
    .requiredOption('--output <folder>', 'the folder the run wrote into, s3:// too')
    .addOption(
      new Option(
        '--engine <name>',
        'duckdb: the Parquet files in the output folder; athena: the feature store, of a run that was sent there',
      )
        .choices(['duckdb', 'athena'])
        .default('duckdb'),
    )
    .addOption(
      new Option('--population <whose>', "sheet or union; the run's own when absent").choices(['sheet', 'union']),
    )
    .option('--as-of <time>', 'the latest records of that time', time)
    .option('--to <file>', '.csv or .parquet, s3:// too (default: CSV on standard output)')
    .addOption(jsonOption())
    .action(dataset);
}
