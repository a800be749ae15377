import { Command, Option } from 'commander';
import { anyFailed, runChecks, type CheckState, type Finding } from '../../app/doctor/check.js';
import { awsSubject, lookAtAccount } from '../../app/doctor/check-profile.js';
import { wantedByProfile } from '../../app/doctor/aws/wanted.js';
import { localChecks } from '../../app/doctor/local-checks.js';
import { loadConfig } from '../../config/load-config.js';
import { EXIT } from '../../contracts/exit-codes.js';
import { jsonOption } from '../options.js';
import { printJson, say } from '../output.js';

interface DoctorOptions {
  readonly profile?: 'aws';
  readonly json?: boolean;
}

const MARKS: Readonly<Record<CheckState, string>> = {
  ok: 'ok      ',
  warning: 'warning ',
  failed: 'FAILED  ',
  unknown: 'unknown ',
};

function show(findings: readonly Finding[]): void {
  for (const { name, state, found, fix } of findings) {
    say(`${MARKS[state]} ${name}: ${found}`);
    if (fix !== undefined) say(`           ${fix}`);
  }
  const count = (state: CheckState): number => findings.filter((finding) => finding.state === state).length;
  say(`${count('ok')} ok, ${count('warning')} warnings, ${count('failed')} failed, ${count('unknown')} unknown`);
}

async function doctor(options: DoctorOptions): Promise<void> {
  const config = loadConfig();
  const aws = options.profile === 'aws';
  const { signal } = new AbortController();
  const here = await runChecks(localChecks(config, process.cwd(), aws), signal);
  const subject = awsSubject(config.aws, wantedByProfile(config.aws));
  const findings = aws ? [...here, ...(await lookAtAccount(subject, signal))] : here;
  const well = !anyFailed(findings);
  if (options.json === true) printJson({ well, findings });
  else show(findings);
  if (!well) process.exitCode = EXIT.input;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Look at everything that a run needs, before one is started, and say how to mend what is not well.')
    .addOption(new Option('--profile <name>', 'look at an account too').choices(['aws']))
    .addOption(jsonOption())
    .action(doctor);
}
