import { Command } from 'commander';
import { isRunning } from '../../app/cohort-run.js';
import { interimReport } from '../../app/control-run.js';
import { heldElsewhere } from '../../app/run-place.js';
import { runStepIntoFolder } from '../../app/step-folders.js';
import { createFiles } from '../../app/create-files.js';
import { layout } from '../../contracts/layout.js';
import { CohortflowError } from '../../domain/errors.js';
import { isFailureCode } from '../../domain/failures/index.js';
import { renderReportStep } from '../../steps/cohort/render-report.js';
import { absolute, jsonOption } from '../options.js';
import { printJson, say } from '../output.js';
import { placeServices, withClient, workflowIdOf } from './control.js';

interface ReportOptions {
  readonly output: string;
  readonly json?: boolean;
}

/** Place of the report that a running cohort has written of what has ended so far; undefined when none runs there. */
async function ofRunning(options: ReportOptions): Promise<string | undefined> {
  const workflowId = workflowIdOf(undefined, options);
  return withClient(async (client) => {
    if (!(await isRunning(client, workflowId))) {
      const held = await heldElsewhere(absolute(options.output), placeServices(client));
      if (held !== undefined) say(`this is what the folder holds: ${held}`);
      return undefined;
    }
    const { report, code } = await interimReport(client, workflowId);
    if (report !== undefined) return report;
    const known = code !== undefined && isFailureCode(code) ? code : 'InternalError';
    throw new CohortflowError(known, 'the report of the running cohort could not be written');
  });
}

/** Renders the report of a run that has ended anew from what lies in its folder; needs no worker. */
async function ofEnded(output: string): Promise<string> {
  if ((await createFiles().stat(layout.owner(output))) === undefined) {
    throw new CohortflowError('RunNotFound', `no run has written into ${output}`);
  }
  await runStepIntoFolder(renderReportStep, {
    params: {},
    inputs: { output: [output] },
    outputFolder: output,
    signal: new AbortController().signal,
    progress: () => undefined,
  });
  return `${output}/report.html`;
}

async function report(options: ReportOptions): Promise<void> {
  const output = absolute(options.output);
  const running = await ofRunning(options);
  const path = running ?? (await ofEnded(output));
  if (options.json === true) printJson({ report: path, running: running !== undefined });
  else say(`report    ${path}${running === undefined ? '' : ' (of the cases that have ended so far)'}`);
}

export function reportCommand(): Command {
  return new Command('report')
    .description('Write the report of a run: anew when it has ended, of the cases so far while it is under way.')
    .requiredOption('--output <folder>', 'the folder the run writes into')
    .addOption(jsonOption())
    .action(report);
}
