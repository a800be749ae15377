import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { BoxEnd } from '../../../src/domain/genomics/dragen/index.js';

/** What programs of the machine do besides writing down their words, in bash. */
export interface Behaviour {
  /** Before an object is fetched or kept; `$from` and `$to` are what `aws s3 cp` is given last. */
  readonly copy?: string;
  /** Before DRAGEN quantifies; `$prefix` and `$folder` say where it goes. */
  readonly dragen?: string;
  readonly table?: string;
  /** What DRAGEN does when it is asked for its version, which no call of it counts. */
  readonly version?: string;
  /** Before an archive is unpacked; `$archive` names it, `$mates` are 2 unless it says otherwise. */
  readonly unpack?: string;
  /** What the system says of itself: `running`, `stopping`. */
  readonly going?: string;
  /** Programs that are not there. */
  readonly without?: readonly string[];
}

const AWS = ({ copy = ':' }: Behaviour): string => `
case "$1 $2" in
  's3 cp') ;;
  *) echo licence; exit 0 ;;
esac
from=\${@: -2:1}; to=\${@: -1}
case "$to" in -) echo licence; exit 0 ;; -*) exit 252 ;; esac
${copy}
case "$from" in
  s3://*/) mkdir -p "$to"; echo fetched > "$to/hash_table.cfg" ;;
  s3://*.gz) printf '%s\\n' "$from" | gzip > "$to" ;;
  s3://*) printf '%s\\n' "$from" > "$to" ;;
  *) cp -R "$from" "$COHORTFLOW_BOX_ROOT/kept/\${to##*/}" ;;
esac`;

/** As current versions say theirs. */
const VERSION = "printf 'DRAGEN Host Software Version 4.3.13\\ndragen Version 13.021.645.4.3.13\\n'";

const DRAGEN = ({ dragen = ':', table = ':' }: Behaviour): string => `
folder=.
for word; do case "$word" in
  --build-hash-table*) ${table}; echo made > hash-table/hash_table.cfg; exit 0 ;;
esac; done
words=("$@")
for at in "\${!words[@]}"; do case "\${words[at]}" in
  --output-directory) folder=\${words[at + 1]} ;;
  --output-file-prefix) prefix=\${words[at + 1]} ;;
  --output-file-prefix=*) prefix=\${words[at]#*=} ;;
esac; done
for file in fastq-list.csv *.fastq *.fastq.gz; do [ ! -f "$file" ] || cp "$file" "$COHORTFLOW_BOX_ROOT/kept/"; done
${dragen}
echo table > "$folder/$prefix.quant.sf"
echo mapped > "$folder/$prefix.mapping_metrics.csv"
echo alignments > "$folder/$prefix.bam"; echo index > "$folder/$prefix.bam.bai"`;

const FASTQ_DUMP = ({ unpack = ':' }: Behaviour): string => `
archive=\${@: -1}; mates=2
${unpack}
for mate in $(seq 1 $mates); do echo "$archive $mate" > "\${archive##*/}_$mate.fastq"; done`;

/** All that a machine has besides what it is for: this computer may have an AWS CLI of its own. */
const TOOLS =
  'awk basename bash cat chmod cp cut date df du find flock grep gzip mkdir mktemp rm seq sh sha256sum tail tar timeout tr uname';

/** The inside of a machine whose programs write down every word that they are given. */
export class RecordingMachine {
  readonly root = mkdtempSync(join(tmpdir(), 'cohortflow-recording-'));
  readonly #calls = join(this.root, 'calls');

  constructor(behaviour: Behaviour = {}) {
    for (const folder of ['bin', 'calls', 'kept']) mkdirSync(join(this.root, folder));
    const places = (process.env['PATH'] ?? '').split(delimiter);
    for (const tool of TOOLS.split(' ')) {
      const found = places.map((place) => join(place, tool)).find((path) => existsSync(path));
      if (found === undefined) throw new Error(`${tool} is not on the PATH`);
      symlinkSync(found, join(this.root, 'bin', tool));
    }
    this.become(behaviour);
  }

  /** Other programs from now on; the disk stays. */
  become(behaviour: Behaviour): void {
    const bodies = {
      aws: AWS(behaviour),
      dragen: DRAGEN(behaviour),
      'fastq-dump': FASTQ_DUMP(behaviour),
      shutdown: '',
      systemctl: `echo ${behaviour.going ?? 'running'}`,
    };
    for (const [name, body] of Object.entries(bodies)) {
      const path = join(this.root, 'bin', name);
      rmSync(path, { force: true });
      if (behaviour.without?.includes(name) === true) continue;
      const record = `printf '%s\\0' ${name} "$@" > "$COHORTFLOW_BOX_ROOT/calls/$(date +%s%N)-$$"`;
      const asked = `[ "${name} $*" != 'dragen --version' ] || { ${behaviour.version ?? VERSION}; exit; }`;
      writeFileSync(path, `#!/bin/bash\n${asked}\n${record}\n${body}\n`, { mode: 0o755 });
    }
    // Nobody waits in a test.
    writeFileSync(join(this.root, 'bin/sleep'), '#!/bin/sh\n', { mode: 0o755 });
  }

  /** Runs a script to its end by the shell that would; gives its exit code. */
  run(
    script: string,
    shell: 'bash' | 'sh' = 'bash',
    environment: Readonly<Record<string, string>> = {},
  ): Promise<number> {
    return this.start(script, shell, environment).ended;
  }

  /** Starts a script; `pid` is its own and that of the group of all that it starts. */
  start(
    script: string,
    shell: 'bash' | 'sh' = 'bash',
    environment: Readonly<Record<string, string>> = {},
  ): { readonly pid: number; readonly ended: Promise<number> } {
    const file = join(this.root, `script-${crypto.randomUUID()}`);
    writeFileSync(file, script);
    const env = { PATH: join(this.root, 'bin'), COHORTFLOW_BOX_ROOT: this.root, HOME: this.root, ...environment };
    const child = spawn(join(this.root, 'bin', shell), [file], {
      cwd: this.root,
      env,
      stdio: 'ignore',
      detached: true,
    });
    const ended = new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
    });
    return { pid: child.pid ?? 0, ended };
  }

  /** The words of every call, in order; of one program where it is named. */
  calls(program?: string): readonly (readonly string[])[] {
    const all = readdirSync(this.#calls).sort();
    const words = all.map((name) => readFileSync(join(this.#calls, name), 'utf8').split('\0').slice(0, -1));
    return program === undefined ? words : words.filter(([first]) => first === program);
  }

  /** Where objects were brought to, in order. */
  kept(): readonly string[] {
    return this.calls('aws')
      .filter((words) => words[2] === 'cp' && !words.at(-2)!.startsWith('s3://'))
      .map((words) => words.at(-1)!);
  }

  /** What was brought to S3, or lay there for DRAGEN, under this last part of its name. */
  file(name: string): Buffer | undefined {
    const path = join(this.root, 'kept', name);
    return existsSync(path) ? readFileSync(path) : undefined;
  }

  end(): BoxEnd {
    return JSON.parse(String(this.file('end.json'))) as BoxEnd;
  }

  /** Loses the hash table that it has on its disk. */
  forget(): void {
    rmSync(join(this.root, 'var/lib/cohortflow/work'), { recursive: true, force: true });
  }

  destroy(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
