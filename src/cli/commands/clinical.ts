import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { isUri } from '../../domain/cohort/sheet-paths.js';
import { clinicalStep } from '../../steps/clinical/features.js';
import { absolute, existingFile, jsonOption, readDocument } from '../options.js';
import { printJson, say } from '../output.js';
import { interruptSignal, runSingleStep } from '../single-step.js';

interface ClinicalOptions {
  readonly output: string;
  /** From `--spec` or `--clinical-spec`: commander names it after the second. */
  readonly clinicalSpec?: string;
  readonly json?: boolean;
}

async function clinical(table: string, options: ClinicalOptions): Promise<void> {
  // A file of that name wins over a built-in specification.
  const named = options.clinicalSpec;
  const isFile = named !== undefined && (isUri(named) || existsSync(named));
  const spec = isFile ? await readDocument(named, '--clinical-spec') : named;
  const output = absolute(options.output);
  const inputs = { table: [existingFile(table, 'table')] };
  const result = await runSingleStep(
    clinicalStep,
    spec === undefined ? {} : { spec },
    inputs,
    output,
    interruptSignal(),
  );
  if (options.json === true) printJson({ output, outputs: result.outputs, ...result.summary });
  else {
    const { rows, columns, dropped, warnings } = result.summary;
    for (const warning of warnings) say(`warning: ${warning}`);
    say(`${String(rows)} rows by ${String(columns)} columns, ${String(dropped)} rows dropped, in ${output}`);
  }
}

export function clinicalCommand(): Command {
  return new Command('clinical')
    .description('Turn one clinical table into features, without Temporal.')
    .argument('<table>', 'CSV file')
    .requiredOption(
      '--output <folder>',
      'where features.csv, dropped.csv, bias-report.json, leakage.json, encoding.json go',
    )
    .option('--spec, --clinical-spec <name or file>', 'specification: a built-in name, or a YAML or JSON file')
    .addOption(jsonOption())
    .action(clinical);
}
