import type { ToolRunner } from '../../../ports/tool-runner.js';
import { ok, warning, type Check } from '../check.js';

interface Program {
  readonly program: string;
  readonly args: readonly string[];
  /** What cannot be done without it. */
  readonly without: string;
  readonly install: string;
}

const PROGRAMS: readonly Program[] = [
  {
    program: 'salmon',
    args: ['--version'],
    without: 'reads cannot be quantified on this machine',
    install: 'install Salmon (apt-get install salmon, or conda install -c bioconda salmon)',
  },
  {
    program: 'fastq-dump',
    args: ['--version'],
    without: 'SRA archives cannot be unpacked on this machine',
    install: 'install the SRA tools (apt-get install sra-toolkit)',
  },
];

/** The programs of other makers that steps run. Who has no reads needs none of them. */
export function programChecks(tools: ToolRunner): readonly Check[] {
  return PROGRAMS.map(({ program, args, without, install }) => ({
    name: program,
    look: async (signal) => {
      if ((await tools.find(program)) === undefined) return warning(`not on PATH: ${without}`, install);
      const { exitCode, stdout, stderr } = await tools.run(program, args, { signal });
      const [version = ''] = /\d+(\.\d+)+/.exec(`${stdout} ${stderr}`) ?? [];
      if (exitCode === 0 && version !== '') return ok(version);
      return warning(`it is there but does not run (exit code ${exitCode}): ${without}`, install);
    },
  }));
}
