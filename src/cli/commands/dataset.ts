import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { DuckDbQueries } from '../../adapters/local/duckdb-queries.js';
import { FileLedger } from '../../adapters/local/file-ledger.js';
import { LocalFiles } from '../../adapters/local/files.js';
import { readFinishedRun, type JoinedGroup, type RunGroup } from '../../app/dataset/finished-run.js';
import type { LatestSource, TableWorkshop } from '../../app/dataset/latest-tables.js';
import { joinedColumns, makeDataset } from '../../app/dataset/make-dataset.js';
import { isUri } from '../../domain/cohort/sheet-paths.js';
import { CohortflowError } from '../../domain/errors.js';
import { parquetSource } from '../../domain/feature-table/latest-sql.js';
import { absolute, jsonOption } from '../options.js';
import { printJson, say } from '../output.js';
import { interruptSignal } from '../single-step.js';

interface DatasetOptions {
  readonly output: string;
  readonly engine: 'duckdb';
  readonly population?: 'sheet' | 'union';
  readonly asOf?: string;
  readonly to?: string;
  readonly json?: boolean;
}

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
  if (isUri(path) || !/\.(csv|parquet)$/.test(path)) {
    throw new CohortflowError('InvalidInput', `--to ${to}: a file of this machine, .csv or .parquet, is wanted`);
  }
  return path;
}

/** Puts the table where it is wanted, whole; on standard output when no place is named. */
async function deliver(
  made: { readonly csv: string; readonly parquet: string },
  to: string | undefined,
): Promise<void> {
  if (to === undefined) {
    await pipeline(createReadStream(made.csv), process.stdout, { end: false });
    return;
  }
  await mkdir(dirname(to), { recursive: true });
  const aside = `${to}.part`;
  await copyFile(to.endsWith('.csv') ? made.csv : made.parquet, aside);
  await rename(aside, to);
}

async function dataset(options: DatasetOptions): Promise<void> {
  const output = absolute(options.output);
  if (isUri(output)) throw new CohortflowError('InvalidInput', '--output must be a folder of this machine');
  const to = target(options);
  const folder = await mkdtemp(join(tmpdir(), 'cohortflow-dataset-'));
  try {
    const files = new LocalFiles();
    const run = await readFinishedRun(output, files, new FileLedger(files));
    const local = new DuckDbQueries(folder);
    const workshop: TableWorkshop = { files, local, folder, signal: interruptSignal() };
    const { population, asOf } = options;
    const sourceOf = (group: JoinedGroup, found: RunGroup): LatestSource => ({
      engine: local,
      schema: found.schema,
      tables: [{ source: parquetSource(found.folder), columns: joinedColumns(group, found) }],
      ...(asOf === undefined ? {} : { asOf }),
    });
    const made = await makeDataset({
      run,
      workshop,
      sourceOf,
      ...(population === undefined ? {} : { population }),
      progress: () => undefined,
    });
    await deliver(made, to);
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
    .requiredOption('--output <folder>', 'the folder the run wrote into')
    .addOption(
      new Option('--engine <name>', 'duckdb: the Parquet files in the output folder')
        .choices(['duckdb'])
        .default('duckdb'),
    )
    .addOption(
      new Option('--population <whose>', "sheet or union; the run's own when absent").choices(['sheet', 'union']),
    )
    .option('--as-of <time>', 'the latest records of that time', time)
    .option('--to <file>', '.csv or .parquet (default: CSV on standard output)')
    .addOption(jsonOption())
    .action(dataset);
}
