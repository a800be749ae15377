// A stand-in for fastq-dump: its archives are gzipped lists of the texts of mates. Reads are named as the real one names them:
// after the archive and their number, and with -I after their mate too.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';

const words = process.argv.slice(2);
const archive = words.find((word) => !word.startsWith('-'));
const strange = words.filter((word) => word !== archive && !['-I', '--readids', '--split-files'].includes(word));
if (archive === undefined || strange.length > 0 || !words.includes('--split-files')) {
  process.stderr.write(`fastq-dump: unexpected ${strange.join(' ')}\n`);
  process.exit(64);
}
const withMate = words.includes('-I') || words.includes('--readids');
const name = basename(archive);
for (const [at, text] of JSON.parse(String(gunzipSync(readFileSync(archive)))).entries()) {
  const lines = text.split('\n').map((line, number) => {
    if (number % 4 !== 0 || line === '') return line;
    const spot = `${name}.${number / 4 + 1}`;
    return `@${spot}${withMate ? `.${at + 1}` : ''} ${number / 4 + 1} length=${text.split('\n', 2)[1].length}`;
  });
  writeFileSync(`${name}_${at + 1}.fastq`, lines.join('\n'));
}
