import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const QUICK_AWS = join(dirname(fileURLToPath(import.meta.url)), 'programs/quick-aws.mjs');

/** The AWS CLI as far as machines use it, as the body of a shell script. */
export const quickAws = `exec "${process.execPath}" "${QUICK_AWS}" "$@"`;

/**
 * Bodies of a `dragen` and a `fastq-dump` that compute nothing: for tests of everything around them.
 *
 * @param log a file outside the machine that gets a line for every call
 * @param before what the quantification does first, in shell: sleep, fail, kill
 */
export function quickPrograms(log: string, before = ':'): Readonly<Record<string, string>> {
  return {
    aws: quickAws,
    dragen: `
case "$*" in
  *--build-hash-table*) echo table >> ${log}; echo table > hash-table/hash_table.cfg; exit 0 ;;
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
