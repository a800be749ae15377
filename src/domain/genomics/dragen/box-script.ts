import { BOX_NAMES } from './profiles.js';
import { END_NAME, NO_PROGRAM, NO_ROOM } from './box-end.js';
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
  readonly kmsKey?: string;
  readonly reference: BoxObject;
  /** `s3://…/`: the hash table, made where its `READY` is not there. */
  readonly table: string;
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

/** Name of the object that makes a hash table one that can be used: it is written last. */
export const TABLE_READY = 'READY';

export const baseName = (uri: string): string => uri.slice(uri.lastIndexOf('/') + 1);
/** What an object is called on the machine: never as an option is. */
const fileName = (uri: string): string => baseName(uri).replace(/^-/, './-');
/** What a file is called once it is unpacked. */
export const plainName = (uri: string): string => fileName(uri).replace(/\.gz$/, '');

/** The folder that is worked in: local disks first, for the root volume holds little and is slow. */
const FOLDERS = `
root="\${COHORTFLOW_BOX_ROOT:-}" # empty on a machine of its own
# What is known of this work; other work that the machine had lies beside it.
home="$root/var/lib/cohortflow/$name"
mkdir -p "$home"
step=space
began=$(date +%s)

# One at a time: a command that was sent again waits for the first one and ends as that did.
exec 9>"$root/var/lib/cohortflow/lock"
flock 9
if [ -f "$home/exit" ]; then exit "$(cat "$home/exit")"; fi
# From now on the machine has the time of this work: whatever becomes of us, it ends itself.
shutdown -h "+$watchdog" > /dev/null 2>&1 || true
export PATH="$PATH:/opt/edico/bin$(printf ':%s' /opt/dragen/*/bin)"

local_disk() {
  [ -z "$root" ] || return 1
  for mounted in /ephemeral /mnt/cohortflow; do
    if mountpoint -q $mounted && [ -w $mounted ]; then echo $mounted; return; fi
  done
  disk=$(lsblk -dnpo NAME,MODEL | awk '/Instance Storage/ { print $1; exit }')
  [ -n "$disk" ] && [ -z "$(lsblk -no MOUNTPOINT "$disk" | tr -d '[:space:]')" ] || return 1
  mkfs.xfs -q -f "$disk" >&2 && mkdir -p /mnt/cohortflow && mount "$disk" /mnt/cohortflow && echo /mnt/cohortflow
}
folder="$(local_disk || echo "$root/var/lib/cohortflow")/work"
mkdir -p "$folder" "$home/log"
cd "$folder"
# Reads and results of work before this one go; its hash table may serve again.
clear_folder() { find "$folder" -mindepth 1 -maxdepth 1 ! -name '${BOX_NAMES.hashTable}*' -exec rm -rf {} +; }
clear_folder
`;

/** Whatever ends the script says so in S3, where it outlives the machine. */
const ENDING = `
finish() {
  code=$?
  trap - EXIT
  set +e
  # Ended from outside, as by a machine that goes down, when the status is that of whatever came before: no word of it is
  # true, and the work may be done again.
  if [ "$code" -eq 0 ] && [ "$whole" = no ]; then code=143; fi
  case "$code" in 129 | 130 | 143) exit "$code" ;; esac
  ok=false
  [ "$code" -eq 0 ] && ok=true || : > "$home/sums"
  list=$(awk 'BEGIN { first = 1 } { name = substr($0, 67); if (!first) printf ","; first = 0
    printf "{\\"name\\":\\"%s\\",\\"sha256\\":\\"%s\\"}", name, substr($0, 1, 64) }' "$home/sums")
  printf '{"ok":%s,"step":"%s","exit":%s,"seconds":%s,"results":[%s]}\\n' \\
    "$ok" "$step" "$code" "$(($(date +%s) - began))" "$list" > "$home/end.json"
  if [ "$code" -ne 0 ]; then
    for log in "$home"/log/*.log; do [ -f "$log" ] && { echo "== $(basename "$log")"; tail -c 200000 "$log"; }; done > "$home/all.log"
    put "$home/all.log" "$place.log"
  fi
  again 3 put "$home/end.json" "$place/results/${END_NAME}"
  clear_folder
  echo "$code" > "$home/exit"
  shutdown -h "+$linger" >/dev/null 2>&1
  exit "$code"
}
: > "$home/sums"
whole=no
`;

/** Transfers by the AWS CLI, which checks what it moves; its words go into a log. */
const TRANSFERS = `
again() { # times command…
  left=$1; shift
  until "$@"; do left=$((left - 1)); [ "$left" -gt 0 ] || return 1; sleep 5; done
}
put() { aws s3 cp --only-show-errors "\${sse[@]}" "$1" "$2" >> "$home/log/transfers.log" 2>&1; }
get() { # object file options…
  local object=$1 file=$2; shift 2
  again 3 aws s3 cp --only-show-errors "$@" "$object" "$file" >> "$home/log/transfers.log" 2>&1
}
need() { command -v "$1" > /dev/null || exit ${NO_PROGRAM}; }
plain() { if [ "\${1%.gz}" != "$1" ]; then gzip -d "$1"; fi; }
`;

function fetch({ uri, options }: BoxObject, file: string): string {
  return `get ${commandLine([uri, file, ...options])}`;
}

/** On the disk already, fetched where it is ready, or built and kept. */
function tableLines({ table, reference, buildTable }: BoxWork): readonly string[] {
  const ready = `${table}${TABLE_READY}`;
  const { hashTable } = BOX_NAMES;
  return [
    'step=reference',
    `if [ "$(cat ${TABLE_HERE} 2> /dev/null)" != ${quoted(table)} ]; then`,
    `  rm -rf ${hashTable} ${TABLE_HERE}`,
    `  mkdir -p ${hashTable}`,
    `  if aws s3 ls ${quoted(ready)} >> "$home/log/transfers.log" 2>&1; then`,
    `    again 3 aws s3 cp --only-show-errors --recursive ${quoted(table)} ${hashTable} >> "$home/log/transfers.log" 2>&1`,
    '  else',
    `    ${fetch(reference, fileName(reference.uri))}`,
    `    plain ${quoted(fileName(reference.uri))}`,
    '    step=table',
    '    need dragen',
    `    ${commandLine(buildTable)} > "$home/log/table.log" 2>&1`,
    `    again 3 aws s3 cp --only-show-errors --recursive "\${sse[@]}" ${hashTable} ${quoted(table)} >> "$home/log/transfers.log" 2>&1`,
    '    : > "$home/ready"',
    `    put "$home/ready" ${quoted(ready)}`,
    '  fi',
    `  echo ${quoted(table)} > ${TABLE_HERE}`,
    'fi',
  ];
}

/** Brings the reads of each lane to `L<n>_1` and `L<n>_2`, gzipped or not as they come; unpacked from archives. */
function laneLines({ reads, fastqDump }: BoxSample): readonly string[] {
  if (reads.kind === 'sra') {
    return reads.runs.flatMap((run, at) => [
      'step=reads',
      fetch(run, `L${at + 1}`),
      'step=unpack',
      'need fastq-dump',
      // It names what it makes after the archive.
      `${commandLine(['fastq-dump', ...fastqDump, `./L${at + 1}`])} >> "$home/log/unpack.log" 2>&1`,
      `rm L${at + 1}`,
    ]);
  }
  const lanes = reads.lanes.flatMap(({ first, second }, at) => {
    const name = (object: BoxObject, mate: number): string =>
      `L${at + 1}_${mate}.fastq${object.uri.endsWith('.gz') ? '.gz' : ''}`;
    return [fetch(first, name(first, 1)), ...(second === undefined ? [] : [fetch(second, name(second, 2))])];
  });
  return ['step=reads', ...lanes];
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
    // An archive tells only now whether its reads are pairs.
    'paired=no; for file in L1_2.fastq*; do [ -e "$file" ] && paired=yes; done',
    'join() { case "$1" in *.gz) cat "$1" ;; *) gzip -1 -c "$1" ;; esac >> "$2"; rm "$1"; }',
    ...(lanesAsList ? [`echo RGID,RGSM,RGLB,Lane,Read1File,Read2File > ${BOX_NAMES.fastqList}`] : []),
    `for n in $(seq 1 ${lanes}); do`,
    '  first=$(echo "L$n"_1.fastq*); [ -s "$first" ]',
    '  second=; if [ $paired = yes ]; then second=$(echo "L$n"_2.fastq*); [ -s "$second" ]; fi',
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
          `  again 3 put "$file" ${quoted(sample.alignments)}"$(basename "$file")"`,
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
    'need dragen',
    `mkdir -p ${BOX_NAMES.results} ${BOX_NAMES.temporary}`,
    `if [ $paired = yes ]; then ${commandLine(sample.quantify.paired)}`,
    `else ${commandLine(sample.quantify.single)}; fi > "$home/log/dragen.log" 2>&1`,
    // It may end well and have quantified nothing.
    `[ -s ${from}/${quoted(name)}.quant.sf ]`,
    'step=results',
    ...kept,
    `for file in ${from}/${quoted(name)}.*; do`,
    '  case "$file" in *.quant*.sf | *.csv | *.json) ;; *) continue ;; esac',
    '  again 3 put "$file" "$place/results/$(basename "$file")"',
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
  const { place, kmsKey, bytes, lingerMinutes, watchdogMinutes, sample } = work;
  const sse = kmsKey === undefined ? '' : commandLine(['--sse', 'aws:kms', '--sse-kms-key-id', kmsKey]);
  return [
    '#!/bin/bash',
    '# Written by cohortflow for this piece of work.',
    'set -euo pipefail',
    'umask 077',
    `place=${quoted(place)}`,
    'name="$(basename "$place")"',
    `linger=${lingerMinutes}`,
    `watchdog=${watchdogMinutes}`,
    `sse=(${sse})`,
    FOLDERS,
    TRANSFERS,
    ENDING,
    'trap finish EXIT',
    'need aws',
    // What is needed counts the table, which may lie here.
    `free=$(($(df -B1 --output=avail . | tail -1) + $(du -sB1 ${BOX_NAMES.hashTable} 2> /dev/null | cut -f1 | grep . || echo 0)))`,
    `[ "$free" -ge ${Math.ceil(bytes)} ] || exit ${NO_ROOM}`,
    ...tableLines(work),
    ...(sample === undefined ? [] : sampleLines(sample)),
    'whole=yes',
    '',
  ].join('\n');
}

/** What SSM is given: fetches the script and becomes it. */
export function fetchAndRun(script: string): readonly string[] {
  return [
    'set -eu',
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
