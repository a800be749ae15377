import { stat } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { AwsHoldingsReader } from '../../adapters/aws/account/holdings.js';
import { FileLedger } from '../../adapters/local/file-ledger.js';
import { LEAST_KEY_DAYS, infrastructure, type AccountServices, type Demolition } from '../../app/clean-account.js';
import { featureGroups } from '../../app/clean-features.js';
import { resultsOfOutput } from '../../app/clean-results.js';
import { removableOfCache, removableOfOutput, removeAll, type CleanServices, type Removable } from '../../app/clean.js';
import { TemporalCohortServer } from '../../app/cohort-server.js';
import { createFiles } from '../../app/create-files.js';
import { createExecutors } from '../../app/executors.js';
import { configuredExecutors, sweep } from '../../app/sweep.js';
import { loadConfig } from '../../config/load-config.js';
import { CohortflowError } from '../../domain/errors.js';
import { absolute, jsonOption } from '../options.js';
import { printJson, say } from '../output.js';
import { withClient } from './control.js';

interface Options {
  readonly output?: string;
  readonly data?: boolean;
  readonly features?: boolean;
  readonly infra?: boolean;
  readonly keyDays: number;
  readonly yes?: boolean;
  readonly json?: boolean;
}

function amount(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let at = 0;
  let value = bytes;
  for (; value >= 1000 && at < units.length - 1; at += 1) value /= 1000;
  return `${at === 0 ? value : value.toFixed(1)} ${units[at] ?? ''}`;
}

function filesText(count: number): string {
  return `${count} file${count === 1 ? '' : 's'}`;
}

function cleanServices(): CleanServices {
  const { taskQueue } = loadConfig();
  const files = createFiles();
  const isOpen: CleanServices['isOpen'] = (workflowId, runId, server) =>
    withClient((client) =>
      new TemporalCohortServer(() => client, taskQueue).isOpenRun({
        ...{ workflowId, runId },
        ...(server === undefined ? {} : { server }),
      }),
    );
  return { files, ledger: new FileLedger(files), isOpen };
}

/** What is alive in the account whatever its age, and what else is there. */
async function inAccount(services: AccountServices, keyDays: number, signal: AbortSignal): Promise<Demolition> {
  const { settings } = services;
  const namespace = await withClient(async (client) => client.options.namespace);
  const executors = createExecutors(settings, services.files, () => namespace);
  const request = { executors: configuredExecutors(settings), end: false, olderThanMinutes: 0, unknown: true };
  const alive =
    request.executors.length === 0
      ? { alive: 0, belongs: 0, found: [], unasked: [] }
      : await withClient((client) => sweep(request, executors, client, signal));
  const end: Parameters<typeof infrastructure>[1]['end'] = (work, abort) => executors(work.executor).end(work, abort);
  return infrastructure(services, { alive, end, keyDays }, signal);
}

/** Everything that the options speak of. */
async function toRemove(
  options: Options,
  output: string | undefined,
  signal: AbortSignal,
): Promise<Demolition & { readonly cache: readonly Removable[] }> {
  const { data = false, features = false, infra = false, keyDays } = options;
  const config = loadConfig();
  const clean = cleanServices();
  const { files } = clean;
  const account = { settings: config.aws, holdings: new AwsHoldingsReader(config.aws), files };
  const parts: Demolition[] = [];
  if (infra) parts.push(await inAccount(account, keyDays, signal));
  if (features) parts.push(await featureGroups(output, account, signal));
  if (output !== undefined) {
    // Whoever wants the groups alone keeps the folder as it is.
    const own = data ? await resultsOfOutput(output, clean) : features ? [] : await removableOfOutput(output, clean);
    parts.push({ holdings: [], files: own });
  }
  const modified = async (path: string): Promise<number> => (await stat(path)).mtimeMs;
  const cache = data || features || infra ? [] : await removableOfCache(config.cacheFolder, files, modified);
  return { holdings: parts.flatMap((part) => part.holdings), files: parts.flatMap((part) => part.files), cache };
}

async function clean(options: Options): Promise<void> {
  const output = options.output === undefined ? undefined : absolute(options.output);
  if (options.data === true && output === undefined) {
    throw new CohortflowError('InvalidInput', 'clean --data: say of which run: --output');
  }
  const { signal } = new AbortController();
  const { holdings, files, cache } = await toRemove(options, output, signal);
  const found = [...files, ...cache];
  const removed = options.yes === true;
  const said: Record<string, string> = {};
  if (removed) {
    // Work first, so that nothing writes any more; the key last, so that nothing is left that only it opens.
    for (const { what, kind, remove } of holdings) {
      if (kind === 'encryption key') continue;
      said[what] = (await remove(signal)) ?? '';
    }
    await removeAll(createFiles(), found);
    for (const { what, kind, remove } of holdings) {
      if (kind === 'encryption key') said[what] = (await remove(signal)) ?? '';
    }
  }
  const bytes = found.reduce((sum, one) => sum + one.bytes, 0);
  if (options.json === true) {
    const items = found.map(({ kind, path, files: count, bytes: size }) => ({ kind, path, files: count, bytes: size }));
    const held = holdings.map(({ kind, what, note }) => ({ kind, what, ...(note === undefined ? {} : { note }) }));
    const account = options.features === true || options.infra === true ? { account: held } : {};
    printJson({ ...(output === undefined ? {} : { output }), removed, bytes, items, ...account });
    return;
  }
  for (const { kind, what, note } of holdings) {
    say(`${kind}: ${what}${note === undefined ? '' : ` (${note})`}${said[what] ? `: ${said[what]}` : ''}`);
  }
  for (const { kind, path, files: count, bytes: size } of found) {
    say(`${kind}: ${path} (${filesText(count)}, ${amount(size)})`);
  }
  if (found.length + holdings.length === 0) say('nothing to remove');
  else say(removed ? `${amount(bytes)} removed` : `${amount(bytes)} in all; --yes removes them`);
}

/** KMS waits so many days before it deletes a key. */
function keyDays(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days) || days < LEAST_KEY_DAYS || days > 30) {
    throw new InvalidArgumentError(`a whole number from ${LEAST_KEY_DAYS} to 30 is wanted.`);
  }
  return days;
}

export function cleanCommand(): Command {
  return new Command('clean')
    .description(
      'List what nobody needs any more: records of earlier runs and leftovers of killed steps in an output folder, and\n' +
        'remembered hashes of paths that are gone and old bundles in the cache. With --data, --features or --infra what\n' +
        'runs made, where they were sent, or what an installation has in its account. --yes removes what is listed.',
    )
    .option('--output <folder>', 'the output folder; without it only the cache is looked at')
    .option('--data', 'all results and records of the runs into --output')
    .option('--features', 'feature groups and their files: of the runs into --output, else all of our prefix')
    .option('--infra', 'jobs, machines, images, the place of work and the encryption key of the installation')
    .option('--key-days <n>', 'days until the key is deleted', keyDays, 30)
    .option('--yes', 'remove them')
    .addOption(jsonOption())
    .action(clean);
}
