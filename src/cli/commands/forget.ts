import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { SageMakerFeatureStore } from '../../adapters/aws/sagemaker-feature-store.js';
import { DuckDbTables } from '../../adapters/local/duckdb-tables.js';
import { RoutedTables } from '../../adapters/routed-tables.js';
import { FileLedger } from '../../adapters/local/file-ledger.js';
import { createFiles, createFingerprints } from '../../app/create-files.js';
import { historyTraces, retentionDays } from '../../app/case-histories.js';
import { TemporalCohortServer } from '../../app/cohort-server.js';
import { cohortWorkflowId, isRunning } from '../../app/cohort-run.js';
import { findCase, forgetCase } from '../../app/forget-case.js';
import { loadPseudonymKey } from '../../codec/pseudonym.js';
import { loadConfig } from '../../config/load-config.js';
import { CohortflowError } from '../../domain/errors.js';
import { absolute, jsonOption } from '../options.js';
import { printJson, say } from '../output.js';
import { withClient } from './control.js';

interface Options {
  readonly output: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

async function forget(caseId: string, options: Options): Promise<void> {
  const output = absolute(options.output);
  // Anything else, a path say, must not reach a removal.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(caseId)) {
    throw new CohortflowError('InvalidInput', 'forget: this is no case id');
  }
  const files = createFiles();
  const pseudonym = loadPseudonymKey();
  const { taskQueue } = loadConfig();
  await withClient(async (client) => {
    const { traces, remains } = await findCase(
      { output, caseId },
      {
        files,
        ledger: new FileLedger(files),
        fingerprints: createFingerprints(files, loadConfig()),
        tables: new RoutedTables(new DuckDbTables(), files),
        store: new SageMakerFeatureStore(loadConfig().aws),
        now: () => new Date(),
        unique: () => randomBytes(8).toString('hex'),
        isOpen: async (workflowId, run) =>
          (run !== undefined && (await new TemporalCohortServer(() => client, taskQueue).isOpenRun(run))) ||
          isRunning(client, workflowId),
        histories: (workflowIds) => historyTraces(client, workflowIds),
        retentionDays: () => retentionDays(client),
        workflowIdOf: cohortWorkflowId,
        ...(pseudonym === undefined ? {} : { pseudonym }),
      },
    );
    const removed = options.yes === true;
    const shown = traces.map(({ what, where, count }) => ({ what, where, count }));
    if (options.json !== true) for (const { what, where, count } of shown) say(`${what}: ${where} (${count})`);
    if (removed) await forgetCase(traces);
    if (options.json === true) {
      printJson({ caseId, output, removed, items: shown, remains });
      return;
    }
    say(removed ? `${caseId} is forgotten here. What remains:` : '--yes removes this. What would remain:');
    for (const line of remains) say(`  ${line}`);
  });
}

export function forgetCommand(): Command {
  return new Command('forget')
    .description(
      'List what a case left in an output folder: results, records, rows, features, histories; --yes removes it. Says what\n' +
        'remains, and where.',
    )
    .argument('<case>', 'its case_id, as the sheet has it')
    .requiredOption('--output <folder>', 'the output folder')
    .option('--yes', 'remove it')
    .addOption(jsonOption())
    .action(forget);
}
