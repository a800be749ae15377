import { EMPTY_READS, MIXED_LANES, NO_PROGRAM } from './box-end.js';
import { BOX_FUNCTIONS } from './box-functions.js';
import { BOX_NAMES } from './profiles.js';
import { commandLine, quoted } from './shell.js';

/** An object in S3 that a machine fetches, and how it may. */
export interface BoxObject {
  readonly uri: string;
  /** Options of `aws s3 cp`: who pays, or that nobody signs. */
  readonly options: readonly string[];
}

/** Reads of one lane, or an SRA archive that holds them. */
export type BoxReads =
  | { readonly kind: 'fastq'; readonly lanes: readonly { readonly first: BoxObject; readonly second?: BoxObject }[] }
  | { readonly kind: 'sra'; readonly runs: readonly BoxObject[] };

/** What a machine is to do with the reads of a sample. */
export interface BoxSample {
  readonly name: string;
  readonly reads: BoxReads;
  readonly annotation: BoxObject;
  /** Whether lanes go into a list, or are joined into one file or pair. */
  readonly lanesAsList: boolean;
  readonly fastqDump: readonly string[];
  /** Archive (`.tar.gz`) of the SRA tools, for machine images that have none. */
  readonly sraTools?: BoxObject;
  /** Bytes that the working folder must have room for, for each byte of an archive: its size may be known only there. */
  readonly roomPerByte: number;
  /** The command where reads are pairs, and where they are not. */
  readonly quantify: { readonly paired: readonly string[]; readonly single: readonly string[] };
  /** Where DRAGEN leaves its results, relative. */
  readonly resultsFolder: string;
  /** Command that prints the licence's credentials. */
  readonly licence?: readonly string[];
  /** `s3://…/` that keeps the alignments; absent where nobody wants them. */
  readonly alignments?: string;
}

/** All that a machine is to do. */
export interface BoxWork {
  /** `s3://…/<name>`: results go below it. */
  readonly place: string;
  /** `s3://…/<name>`: `<name>.log` is what the machine says of work that failed. */
  readonly logs: string;
  readonly kmsKey?: string;
  readonly reference: BoxObject;
  /** `s3://…/` of the hash table: fetched from there when it is ready, built and brought there when it is not. */
  readonly table: { readonly uri: string; readonly ready: boolean };
  readonly buildTable: readonly string[];
  /** Bytes that the working folder must have room for. */
  readonly bytes: number;
  /** Minutes after its work in which a machine that nobody ended ends itself. */
  readonly lingerMinutes: number;
  /** Minutes from the start of the work after which it does so in any case. */
  readonly watchdogMinutes: number;
  /** Nothing beyond the hash table when absent. */
  readonly sample?: BoxSample;
}

/** Says on the disk which table lies there whole. */
const TABLE_HERE = `${BOX_NAMES.hashTable}.from`;

const baseName = (uri: string): string => uri.slice(uri.lastIndexOf('/') + 1);
/** What an object is called on the machine: never as an option is. */
const fileName = (uri: string): string => baseName(uri).replace(/^-/, './-');
/** What a file is called once it is unpacked. */
export const plainName = (uri: string): string => fileName(uri).replace(/\.gz$/, '');

/** An object, and what it is called on the machine. */
interface Staged {
  readonly object: BoxObject;
  readonly file: string;
}

const copyWords = ({ object: { uri, options }, file }: Staged): readonly string[] => [...options, uri, file];
const fetch = (object: BoxObject, file: string): string => `transfer ${commandLine(copyWords({ object, file }))}`;

/** What each lane, or archive, is called on the machine: `L<n>_1` and `L<n>_2`, gzipped or not as they come. */
function stagedReads(reads: BoxReads): readonly Staged[] {
  if (reads.kind === 'sra') return reads.runs.map((object, at) => ({ object, file: `L${at + 1}` }));
  return reads.lanes.flatMap(({ first, second }, at) =>
    [first, second].flatMap((object, mate) =>
      object === undefined
        ? []
        : [{ object, file: `L${at + 1}_${mate + 1}.fastq${object.uri.endsWith('.gz') ? '.gz' : ''}` }],
    ),
  );
}

/** The command lines by which a machine fetches what a sample needs, for a plan: the same as its script runs. */
export function stagingCommands({ annotation, reads }: Pick<BoxSample, 'annotation' | 'reads'>): readonly string[][] {
  const staged = [{ object: annotation, file: fileName(annotation.uri) }, ...stagedReads(reads)];
  return staged.map((one) => ['aws', 's3', 'cp', '--only-show-errors', ...copyWords(one)]);
}

/** All programs that will be needed: better missed now than after an hour of fetching and building. */
function programLines(sample: BoxSample | undefined): readonly string[] {
  if (sample?.reads.kind !== 'sra') return ['need dragen'];
  const { sraTools } = sample;
  const tools = '"$root/var/lib/cohortflow/sra-tools"';
  const fetched =
    sraTools === undefined
      ? []
      : [
          'step=tools',
          `tools=${tools}`,
          `if [ "$(cat "$tools/from" 2> /dev/null)" != ${quoted(sraTools.uri)} ]; then`,
          '  rm -rf "$tools"; mkdir -p "$tools"',
          `  transfer ${commandLine([...sraTools.options, sraTools.uri])} "$tools/tools.tar.gz"`,
          // One that is damaged has no fastq-dump.
          '  tar -xzf "$tools/tools.tar.gz" -C "$tools" >> "$home/log/unpack.log" 2>&1 || true',
          '  rm "$tools/tools.tar.gz"',
          `  echo ${quoted(sraTools.uri)} > "$tools/from"`,
          'fi',
          'found=$(find "$tools" -name fastq-dump -print -quit)',
          'if [ -n "$found" ]; then export PATH="${found%/*}:$PATH"; fi',
          // Some versions do nothing until someone has configured them.
          'export HOME="${HOME:-/root}"; mkdir -p "$HOME/.ncbi"',
          '[ -e "$HOME/.ncbi/user-settings.mkfg" ] || echo "/LIBS/GUID = \\"$(cat /proc/sys/kernel/random/uuid)\\"" > "$HOME/.ncbi/user-settings.mkfg"',
        ];
  return ['need dragen', ...fetched, 'need fastq-dump'];
}

/** On the disk already, fetched where it is ready, or built and kept. */
function tableLines({ table: { uri, ready }, reference, buildTable }: BoxWork): readonly string[] {
  const { hashTable } = BOX_NAMES;
  const made = ready
    ? [
        '  step=table',
        `  transfer --recursive ${quoted(uri)} ${hashTable}`,
        // A folder that is not there is fetched without complaint.
        `  [ -n "$(find ${hashTable} -type f -print -quit)" ] || missing ${quoted(uri)}`,
      ]
    : [
        `  ${fetch(reference, fileName(reference.uri))}`,
        `  plain ${quoted(fileName(reference.uri))}`,
        '  step=table',
        `  ${commandLine(buildTable)} > "$home/log/table.log" 2>&1`,
        `  transfer --recursive "\${sse[@]}" ${hashTable} ${quoted(uri)}`,
      ];
  return [
    'step=reference',
    `if [ "$(cat ${TABLE_HERE} 2> /dev/null)" != ${quoted(uri)} ]; then`,
    `  rm -rf ${hashTable} ${TABLE_HERE}`,
    `  mkdir -p ${hashTable}`,
    ...made,
    `  echo ${quoted(uri)} > ${TABLE_HERE}`,
    'fi',
  ];
}

/** Brings the reads of each lane, unpacked from archives where they come in those. */
function laneLines({ reads, fastqDump, roomPerByte }: BoxSample): readonly string[] {
  if (reads.kind === 'sra') {
    const archives = reads.runs.map((_, at) => `L${at + 1}`);
    return [
      'step=reads',
      ...stagedReads(reads).map(({ object, file }) => fetch(object, file)),
      'step=unpack',
      `archives=$(du -cb ${archives.join(' ')} | tail -1 | cut -f1)`,
      // They lie here already.
      `room $((archives * ${Math.ceil((roomPerByte - 1) * 1000)} / 1000))`,
      ...archives.flatMap((archive) => [
        // It names what it makes after the archive.
        `${commandLine(['fastq-dump', ...fastqDump, `./${archive}`])} >> "$home/log/unpack.log" 2>&1`,
        `rm ${archive}`,
      ]),
    ];
  }
  return ['step=reads', ...stagedReads(reads).map(({ object, file }) => fetch(object, file))];
}

/** The one file, or pair, that all lanes of a sample are joined into. */
export function joinedReads(name: string, paired: boolean): readonly [string, string?] {
  return paired ? [`${name}_1.fastq.gz`, `${name}_2.fastq.gz`] : [`${name}_1.fastq.gz`];
}

/** Lanes as DRAGEN is given them: a list, or joined; members of a gzip file may follow one another. */
function givenLines({ name, reads, lanesAsList }: BoxSample): readonly string[] {
  const lanes = reads.kind === 'sra' ? reads.runs.length : reads.lanes.length;
  const each = lanesAsList
    ? `printf '%s,%s,library,%s,%s,%s\n' ${quoted(name)}".$n" ${quoted(name)} "$n" "$first" "$second" >> ${BOX_NAMES.fastqList}`
    : `join "$first" ${quoted(joinedReads(name, false)[0])}; [ -z "$second" ] || join "$second" ${quoted(joinedReads(name, true)[1] ?? '')}`;
  return [
    // An archive tells only now whether its reads are pairs; all lanes must agree.
    'pairs=0; for file in L*_2.fastq*; do [ ! -e "$file" ] || pairs=$((pairs + 1)); done',
    `case $pairs in 0) paired=no ;; ${lanes}) paired=yes ;; *) give_up ${MIXED_LANES} ;; esac`,
    'join() { case "$1" in *.gz) cat "$1" ;; *) gzip -1 -c "$1" ;; esac >> "$2"; rm "$1"; }',
    ...(lanesAsList ? [`echo RGID,RGSM,RGLB,Lane,Read1File,Read2File > ${BOX_NAMES.fastqList}`] : []),
    `for n in $(seq 1 ${lanes}); do`,
    `  first=$(echo "L$n"_1.fastq*); [ -s "$first" ] || give_up ${EMPTY_READS}`,
    `  second=; if [ $paired = yes ]; then second=$(echo "L$n"_2.fastq*); [ -s "$second" ] || give_up ${EMPTY_READS}; fi`,
    `  ${each}`,
    'done',
  ];
}

function sampleLines(sample: BoxSample): readonly string[] {
  const { resultsFolder: from, name } = sample;
  const licence =
    sample.licence === undefined
      ? []
      : [
          'step=licence',
          `${commandLine(sample.licence)} > ${BOX_NAMES.licence} 2>> "$home/log/transfers.log"`,
          `[ -s ${BOX_NAMES.licence} ]`,
        ];
  const kept =
    sample.alignments === undefined
      ? []
      : [
          `for file in ${from}/${name}.bam*; do`,
          `  put "$file" ${quoted(sample.alignments)}"$(basename "$file")"`,
          'done',
        ];
  return [
    ...licence,
    'step=reference',
    fetch(sample.annotation, fileName(sample.annotation.uri)),
    `plain ${quoted(fileName(sample.annotation.uri))}`,
    ...laneLines(sample),
    ...givenLines(sample),
    'step=dragen',
    `mkdir -p ${BOX_NAMES.results} ${BOX_NAMES.temporary}`,
    `if [ $paired = yes ]; then ${commandLine(sample.quantify.paired)}`,
    `else ${commandLine(sample.quantify.single)}; fi > "$home/log/dragen.log" 2>&1`,
    // It tells its version alone, and in its log; a failure of that is none of the sample's.
    'said=$(timeout 60 dragen --version 2> /dev/null || true)',
    'if [[ $said =~ [Vv]ersion\\ ([0-9][0-9A-Za-z.-]*) ]]; then version=${BASH_REMATCH[1]}; fi',
    // It may end well and have quantified nothing.
    `[ -s ${from}/${quoted(name)}.quant.sf ]`,
    'step=results',
    ...kept,
    `for file in ${from}/${quoted(name)}.*; do`,
    '  case "$file" in *.quant*.sf | *.csv | *.json) ;; *) continue ;; esac',
    '  put "$file" "$place/results/$(basename "$file")"',
    '  sum=$(sha256sum < "$file")',
    '  printf \'%s  %s\\n\' "${sum%% *}" "$(basename "$file")" >> "$home/sums"',
    'done',
  ];
}

/**
 * The script that a machine runs, for bash: makes room, fetches or builds the hash table, stages, quantifies, brings the
 * results to S3, and says last in `end.json` how it went. Run twice it works once.
 */
export function boxScript(work: BoxWork): string {
  const { place, logs, kmsKey, bytes, lingerMinutes, watchdogMinutes, sample } = work;
  const sse = kmsKey === undefined ? '' : commandLine(['--sse', 'aws:kms', '--sse-kms-key-id', kmsKey]);
  return [
    '#!/bin/bash',
    '# Written by cohortflow for this piece of work.',
    'set -euo pipefail',
    'umask 077',
    `place=${quoted(place)}`,
    `logs=${quoted(logs)}`,
    'name="$(basename "$place")"',
    `linger=${lingerMinutes}`,
    `watchdog=${watchdogMinutes}`,
    `sse=(${sse})`,
    BOX_FUNCTIONS,
    'need aws',
    // What is needed counts the table, which may lie here.
    `here=$(du -sB1 ${BOX_NAMES.hashTable} 2> /dev/null | cut -f1 | grep . || echo 0)`,
    `room $((${Math.ceil(bytes)} - here))`,
    ...programLines(sample),
    ...tableLines(work),
    ...(sample === undefined ? [] : sampleLines(sample)),
    'whole=yes',
    '',
  ].join('\n');
}

/**
 * What SSM is given: fetches the script and becomes it.
 *
 * @param region of all services; that of the machine when absent, which older versions of the AWS CLI do not find by themselves
 */
export function fetchAndRun(script: string, region?: string): readonly string[] {
  return [
    'set -eu',
    `export AWS_DEFAULT_REGION=${region === undefined ? '"${AWS_SSM_REGION_NAME:-${AWS_DEFAULT_REGION:-us-east-1}}"' : quoted(region)}`,
    'home="${COHORTFLOW_BOX_ROOT:-}/var/lib/cohortflow"',
    'mkdir -p "$home"',
    `command -v aws > /dev/null || { echo 'the machine image has no AWS CLI' >&2; exit ${NO_PROGRAM}; }`,
    // A file of its own: a script that runs is not written over by the one that waits for it.
    'script=$(mktemp "$home/run.XXXXXX")',
    `aws s3 cp --only-show-errors ${quoted(script)} "$script"`,
    'exec bash "$script"',
  ];
}

/** What a machine does as it boots: whatever becomes of us, it ends itself. */
export function watchdog(minutes: number): string {
  return `#!/bin/bash\nshutdown -h +${Math.ceil(minutes)}\n`;
}
