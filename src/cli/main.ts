import { Command, CommanderError } from 'commander';
import { packageVersion } from '../app/package-root.js';
import { EXIT } from '../contracts/exit-codes.js';
import { cleanCommand } from './commands/clean.js';
import { clinicalCommand } from './commands/clinical.js';
import { codecServerCommand } from './commands/codec-server.js';
import { controlCommands } from './commands/control.js';
import { datasetCommand } from './commands/dataset.js';
import { demoCommand } from './commands/demo.js';
import { doctorCommand } from './commands/doctor.js';
import { featuresCommand } from './commands/features.js';
import { forgetCommand } from './commands/forget.js';
import { genomicsCommand } from './commands/genomics.js';
import { imagingCommand } from './commands/imaging.js';
import { planCommand } from './commands/plan.js';
import { reportCommand } from './commands/report.js';
import { retryCommand } from './commands/retry.js';
import { runCommand } from './commands/run.js';
import { serverCommand } from './commands/server.js';
import { sweepCommand } from './commands/sweep.js';
import { validateCommand } from './commands/validate.js';
import { workerCommand } from './commands/worker.js';
import { printJson, reportFailure } from './output.js';

const EXIT_CODES = `
Exit codes: 0 all done; 1 anything not listed; 2 bad usage or input, nothing was started; 3 finished with failed cases
(--fail-on none makes it 0); 4 paused by the circuit breaker; 130 cancelled.`;

/** The whole command line. Each verb is a file in `commands/` that reads its arguments and calls the application. */
export function createProgram(): Command {
  const program = new Command('cohortflow')
    .description(
      'Takes a cohort of patients and turns imaging (CT and tumour segmentation), genomics (RNA reads) and clinical tables ' +
        'into features, one data set and a report, as durable Temporal workflows.',
    )
    .version(packageVersion())
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addHelpText('after', EXIT_CODES)
    .addCommand(demoCommand())
    .addCommand(runCommand());
  for (const verb of controlCommands()) program.addCommand(verb);
  program.addCommand(retryCommand()).addCommand(reportCommand()).addCommand(datasetCommand());
  return program
    .addCommand(validateCommand())
    .addCommand(planCommand())
    .addCommand(doctorCommand())
    .addCommand(imagingCommand())
    .addCommand(genomicsCommand())
    .addCommand(clinicalCommand())
    .addCommand(featuresCommand())
    .addCommand(workerCommand())
    .addCommand(serverCommand())
    .addCommand(sweepCommand())
    .addCommand(cleanCommand())
    .addCommand(forgetCommand())
    .addCommand(codecServerCommand());
}

/** A key that cannot be used is refused before anything is started, a server too. */
async function checkKeys(): Promise<void> {
  if (!Object.keys(process.env).some((name) => /^COHORTFLOW_(REQUIRE_)?ENCRYPTION/.test(name))) return;
  const { dataConverter } = await import('../app/data-converter.js');
  dataConverter();
}

/** Whoever reads the output may stop reading (`| head`): that is no fault, and what is under way goes on. */
function tolerateClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** Parses and runs; the exit code is set, never thrown, so that output is flushed. */
export async function main(argv: readonly string[] = process.argv): Promise<void> {
  tolerateClosedOutput();
  const json = argv.includes('--json');
  const program = createProgram();
  const strict = (command: Command): void => {
    command.exitOverride();
    if (json) command.configureOutput({ writeErr: () => undefined });
    for (const child of command.commands) strict(child);
  };
  strict(program);
  program.hook('preAction', checkKeys);
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      process.exitCode = reportFailure(error, json);
    } else if (error.exitCode === 0) {
      process.exitCode = EXIT.ok;
    } else {
      process.exitCode = EXIT.input;
      if (json) printJson({ error: { code: 'InvalidInput', message: error.message, details: {} } });
    }
  }
}
