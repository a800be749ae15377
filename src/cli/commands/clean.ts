import { stat } from 'node:fs/promises';
import { Command } from 'commander';
import { FileLedger } from '../../adapters/local/file-ledger.js';
import { createFiles } from '../../app/create-files.js';
import { removableOfCache, removableOfOutput, removeAll, type Removable } from '../../app/clean.js';
import { TemporalCohortServer } from '../../app/cohort-server.js';
import { loadConfig } from '../../config/load-config.js';
import { absolute, jsonOption } from '../options.js';
import { printJson, say } from '../output.js';
import { withClient } from './control.js';

interface Options {
  readonly output?: string;
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

async function inOutput(output: string): Promise<readonly Removable[]> {
  const { taskQueue } = loadConfig();
  const files = createFiles();
  const isOpen = (workflowId: string, runId: string): Promise<boolean> =>
    withClient((client) => new TemporalCohortServer(() => client, taskQueue).isOpen(workflowId, runId));
  return removableOfOutput(output, { files, ledger: new FileLedger(files), isOpen });
}

async function clean(options: Options): Promise<void> {
  const files = createFiles();
  const output = options.output === undefined ? undefined : absolute(options.output);
  const found = [
    ...(output === undefined ? [] : await inOutput(output)),
    ...(await removableOfCache(loadConfig().cacheFolder, files, async (path) => (await stat(path)).mtimeMs)),
  ];
  const removed = options.yes === true;
  if (removed) await removeAll(files, found);
  const bytes = found.reduce((sum, one) => sum + one.bytes, 0);
  if (options.json === true) {
    const items = found.map(({ kind, path, files: count, bytes: size }) => ({ kind, path, files: count, bytes: size }));
    printJson({ ...(output === undefined ? {} : { output }), removed, bytes, items });
    return;
  }
  for (const { kind, path, files: count, bytes: size } of found) {
    say(`${kind}: ${path} (${filesText(count)}, ${amount(size)})`);
  }
  if (found.length === 0) say('nothing to remove');
  else say(removed ? `${amount(bytes)} removed` : `${amount(bytes)} in all; --yes removes them`);
}

export function cleanCommand(): Command {
  return new Command('clean')
    .description(
      'List what nobody needs any more: records of earlier runs and leftovers of killed steps in an output folder, and\n' +
        'remembered hashes of paths that are gone and old bundles in the cache. Results are never touched.',
    )
    .option('--output <folder>', 'the output folder; without it only the cache is looked at')
    .option('--yes', 'remove them')
    .addOption(jsonOption())
    .action(clean);
}
