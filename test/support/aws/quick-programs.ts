import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = (name: string): string =>
  `exec "${process.execPath}" "${join(dirname(fileURLToPath(import.meta.url)), 'programs', name)}" "$@"`;

/** The AWS CLI as far as machines use it, as the body of a shell script. */
export const quickAws = program('quick-aws.mjs');

/** A fastq-dump whose archives are gzipped JSON: a list of the texts of mates. */
export const standInFastqDump = program('fastq-dump.mjs');

/**
 * Bodies of a `dragen` and a `fastq-dump` that compute nothing: for tests of everything around them.
 *
 * @param log a file outside the machine that gets a line for every call
 * @param before what the quantification does first, in shell: sleep, fail, kill
 * @param beforeTable the same of the hash table
 */
export function quickPrograms(log: string, before = ':', beforeTable = ':'): Readonly<Record<string, string>> {
  return {
    aws: quickAws,
    dragen: `
case "$*" in
  --version) printf 'DRAGEN Host Software Version 4.3.13\\ndragen Version 13.021.645.4.3.13\\n'; exit 0 ;;
  *--build-hash-table*) echo table >> ${log}; ${beforeTable}; echo table > hash-table/hash_table.cfg; exit 0 ;;
esac
echo "quantify $*" >> ${log}
[ -s hash-table/hash_table.cfg ] || { echo 'no hash table' >&2; exit 3; }
while [ $# -gt 0 ]; do
  case "$1" in
    --output-file-prefix) prefix=$2 ;;
    --fastq-list) cat "$2" >> ${log} ;;
    --lic-credentials) cat "$2" >> ${log} ;;
  esac
  shift
done
${before}
printf 'Name\\tLength\\tEffectiveLength\\tTPM\\tNumReads\\nENST1\\t100\\t50\\t1000000\\t7\\n' > "results/$prefix.quant.sf"
echo 'MAPPING/ALIGNING SUMMARY,,Mapped reads,7,87.5' > "results/$prefix.mapping_metrics.csv"
`,
    'fastq-dump': `
for archive; do :; done
echo "fastq-dump $*" >> ${log}
for mate in 1 2; do echo "@$archive" > "$(basename "$archive")_$mate.fastq"; done
`,
  };
}
