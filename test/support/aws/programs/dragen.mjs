// A stand-in for DRAGEN: takes its command lines as strictly, and quantifies really, with Salmon.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const VERSION = process.env.DRAGEN_VERSION ?? '4.3';
const SEED = VERSION.startsWith('3.');

function fail(message) {
  process.stderr.write(`ERROR: ${message}\n`);
  process.exit(1);
}

const BOOL = ['true', 'false'];
const TABLE = {
  'build-hash-table': BOOL,
  'ht-build-rna-hashtable': BOOL,
  'ht-reference': 'file',
  'output-directory': 'folder',
};
const COMMON = {
  'enable-rna': BOOL,
  'enable-duplicate-marking': BOOL,
  'enable-rna-quantification': BOOL,
  'enable-bam-indexing': BOOL,
  'output-format': ['bam', 'sam', 'cram'],
  'enable-map-align-output': BOOL,
  'enable-map-align': BOOL,
  'enable-sort': BOOL,
  'annotation-file': 'file',
  'ref-dir': 'folder',
  'output-directory': 'folder',
  'output-file-prefix': 'text',
  'fastq-list': 'file',
  'fastq-list-sample-id': 'text',
  1: 'file',
  2: 'file',
  RGID: 'text',
  RGSM: 'text',
};
const TYPES = ['A', 'IU', 'ISR', 'ISF', 'U', 'SR', 'SF'];
const OF_VERSION = SEED
  ? { 'alt-aware': BOOL, 'input-qname-suffix-delimiter': 'text', 'rna-quantification-library-type': TYPES }
  : {
      'rna-library-type': TYPES,
      'rna-quantification-gc-bias': BOOL,
      'intermediate-results-dir': 'folder',
      'lic-credentials': 'file',
      'lic-no-print': 'flag',
    };

/** Options by name: every one known, given once, with a value that it takes. */
function parse(words, known) {
  const given = {};
  for (let at = 0; at < words.length; at += 1) {
    const [, name, joined] = /^--?([^=]+?)(?:=(.*))?$/.exec(words[at]) ?? fail(`unexpected argument ${words[at]}`);
    const kind = known[name];
    if (kind === undefined) fail(`unrecognised option '--${name}'`);
    if (given[name] !== undefined) fail(`option '--${name}' cannot be specified more than once`);
    const value = kind === 'flag' ? 'true' : (joined ?? words[(at += 1)]);
    if (value === undefined || value === '') fail(`the required argument for option '--${name}' is missing`);
    if (Array.isArray(kind) && !kind.includes(value))
      fail(`the argument ('${value}') for option '--${name}' is invalid`);
    if (kind === 'file' && !(existsSync(value) && statSync(value).isFile())) fail(`--${name}: no such file ${value}`);
    if (kind === 'folder' && !(existsSync(value) && statSync(value).isDirectory())) {
      fail(`--${name}: no such directory ${value}`);
    }
    given[name] = value;
  }
  return given;
}

function text(path) {
  const bytes = readFileSync(path);
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString();
}

function readFasta(path) {
  const sequences = new Map();
  for (const record of text(path).split(/^>/m).slice(1)) {
    const [head, ...lines] = record.split(/\r?\n/);
    sequences.set(head.split(/\s/)[0], lines.join('').toUpperCase());
  }
  if (sequences.size === 0) fail(`${path} is not FASTA`);
  return sequences;
}

function buildTable(words) {
  const { 'ht-reference': reference, 'output-directory': folder, ...rest } = parse(words, TABLE);
  if (reference === undefined || folder === undefined) fail('--ht-reference and --output-directory are required');
  if (rest['ht-build-rna-hashtable'] !== 'true') fail('an RNA run needs --ht-build-rna-hashtable true');
  const sequences = readFasta(reference);
  writeFileSync(join(folder, 'reference.bin'), JSON.stringify([...sequences]));
  writeFileSync(join(folder, 'hash_table.cfg'), `reference_sequences = ${sequences.size}\n`);
  writeFileSync(join(folder, 'hash_table.cmp'), Buffer.alloc(64));
}

const COMPLEMENT = { A: 'T', C: 'G', G: 'C', T: 'A' };
const reversed = (sequence) =>
  [...sequence]
    .reverse()
    .map((base) => COMPLEMENT[base] ?? 'N')
    .join('');

/** Transcripts as the exons of the annotation cut them out of the reference. */
function transcriptsOf(annotation, sequences) {
  const found = new Map();
  for (const line of text(annotation).split(/\r?\n/)) {
    const [chromosome, , kind, start, end, , strand, , attributes = ''] = line.split('\t');
    if (kind !== 'exon') continue;
    const [, transcript] = /transcript_id "([^"]+)"/.exec(attributes) ?? [];
    const [, gene] = /gene_id "([^"]+)"/.exec(attributes) ?? [];
    const sequence = sequences.get(chromosome);
    if (transcript === undefined || sequence === undefined) continue;
    const known = found.get(transcript) ?? { gene, strand, exons: [] };
    known.exons.push([Number(start), Number(end), sequence]);
    found.set(transcript, known);
  }
  if (found.size === 0) fail('no exon of the annotation lies in the reference');
  return new Map(
    [...found].map(([name, { gene, strand, exons }]) => {
      exons.sort(([a], [b]) => a - b);
      const joined = exons.map(([start, end, sequence]) => sequence.slice(start - 1, end)).join('');
      return [name, { gene, sequence: strand === '-' ? reversed(joined) : joined }];
    }),
  );
}

/** Lanes as pairs of files. */
function lanesOf(given) {
  if (given['fastq-list'] === undefined) {
    if (given[1] === undefined) fail('no reads are given: -1, or --fastq-list');
    if (given.RGID === undefined || given.RGSM === undefined) fail('--RGID and --RGSM are required with -1');
    return [[given[1], given[2]]];
  }
  const [header, ...rows] = text(given['fastq-list']).trim().split('\n');
  if (header !== 'RGID,RGSM,RGLB,Lane,Read1File,Read2File') fail('the fastq list has another header');
  const ours = rows.map((row) => row.split(',')).filter(([, sample]) => sample === given['fastq-list-sample-id']);
  if (ours.length === 0) fail('the fastq list has no lane of the sample');
  return ours.map(([, , , , first, second]) => [first, second === '' ? undefined : second]);
}

/** First names of reads; mates must have one name, or suffixes that the option takes off. */
function checkNames([first, second], delimiter) {
  if (second === undefined) return;
  const name = (path) => /^@(\S+)/.exec(text(path))?.[1] ?? fail(`${path} is not FASTQ`);
  const bare = (value) => (delimiter === undefined ? value : value.replace(new RegExp(`\\${delimiter}[12]$`), ''));
  // An Illumina suffix is always understood.
  const [one, two] = [first, second].map((path) => bare(name(path).replace(/\/[12]$/, '')));
  if (one !== two) fail(`the names of mates differ: ${one}, ${two}`);
}

function run(program, args) {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) fail(`${program}: ${stderr.trim().split('\n').at(-1)}`);
}

function quantify(words) {
  const given = parse(words, { ...COMMON, ...OF_VERSION });
  for (const name of ['ref-dir', 'output-directory', 'output-file-prefix', 'annotation-file']) {
    if (given[name] === undefined) fail(`--${name} is required`);
  }
  for (const name of ['enable-rna', 'enable-rna-quantification', 'enable-map-align']) {
    if (given[name] !== 'true') fail(`--${name} true is required for RNA quantification`);
  }
  const table = join(given['ref-dir'], 'reference.bin');
  if (!existsSync(table)) fail(`${given['ref-dir']} holds no hash table`);
  const lanes = lanesOf(given);
  for (const lane of lanes) checkNames(lane, given['input-qname-suffix-delimiter']);

  const transcripts = transcriptsOf(given['annotation-file'], new Map(JSON.parse(readFileSync(table, 'utf8'))));
  const work = mkdtempSync(join(tmpdir(), 'dragen-'));
  try {
    const fasta = join(work, 'transcripts.fa');
    writeFileSync(fasta, [...transcripts].map(([name, { sequence }]) => `>${name}\n${sequence}\n`).join(''));
    run('salmon', ['index', '-t', fasta, '-i', join(work, 'index'), '-k', '31', '-p', '1', '--keepDuplicates']);
    const [firsts, seconds] = [0, 1].map((mate) => lanes.map((lane) => lane[mate]).filter(Boolean));
    const reads = seconds.length > 0 ? ['-1', ...firsts, '-2', ...seconds] : ['-r', ...firsts];
    const type = given['rna-library-type'] ?? given['rna-quantification-library-type'] ?? 'A';
    run('salmon', ['quant', '-i', join(work, 'index'), '-l', type, ...reads, '-o', join(work, 'out'), '-p', '1']);
    const info = JSON.parse(readFileSync(join(work, 'out/aux_info/meta_info.json'), 'utf8'));
    report(given, readFileSync(join(work, 'out/quant.sf'), 'utf8'), transcripts, info, seconds.length > 0);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function report(given, table, transcripts, info, paired) {
  const at = (name) => join(given['output-directory'], `${given['output-file-prefix']}${name}`);
  writeFileSync(at('.quant.sf'), table);
  const genes = new Map();
  for (const line of table.trim().split('\n').slice(1)) {
    const [name, length, , tpm, reads] = line.split('\t');
    const gene = transcripts.get(name)?.gene ?? name;
    const sum = genes.get(gene) ?? [Number(length), 0, 0];
    genes.set(gene, [sum[0], sum[1] + Number(tpm), sum[2] + Number(reads)]);
  }
  const rows = [...genes].map(([gene, [length, tpm, reads]]) => [gene, length, length, tpm, reads].join('\t'));
  writeFileSync(at('.quant.genes.sf'), `Name\tLength\tEffectiveLength\tTPM\tNumReads\n${rows.join('\n')}\n`);
  const mates = paired ? 2 : 1;
  const [all, mapped] = [info.num_processed * mates, info.num_mapped * mates];
  const percent = (value) => ((100 * value) / Math.max(1, all)).toFixed(2);
  const counts = [
    ['Number of duplicate marked reads', 0],
    ['Number of duplicate marked and mate reads removed'],
    ['Reads with mate sequenced', paired ? all : 0],
    ['Reads without mate sequenced', paired ? 0 : all],
    ['Mapped reads', mapped],
    ['Properly paired reads', paired ? mapped : 0],
  ].map(([name, value]) => [name, value === undefined ? 'NA' : `${value},${percent(value)}`].join(','));
  writeFileSync(
    at('.mapping_metrics.csv'),
    [
      ...[`Total input reads,${all},100.00`, ...counts].map((row) => `MAPPING/ALIGNING SUMMARY,,${row}\n`),
      ...[`Total reads in RG,${all},100.00`, ...counts].map(
        (row) => `MAPPING/ALIGNING PER RG,${given.RGID ?? 'all'},${row}\n`,
      ),
    ].join(''),
  );
  const statistics = [
    ['Library orientation', info.library_types?.[0] ?? ''],
    ['Total Genes', genes.size],
    ['Total Transcripts', transcripts.size],
    // By strand, and under another name, in current versions.
    ...(SEED
      ? [['Transcript fragments', info.num_mapped]]
      : [
          ['Forward transcript fragments', 0],
          ['Reverse transcript fragments', info.num_mapped],
        ]),
  ];
  writeFileSync(
    at(SEED ? '.quant.metrics.csv' : '.quant_metrics.csv'),
    statistics.map(([name, value]) => `RNA QUANTIFICATION STATISTICS,,${name},${value}\n`).join(''),
  );
  writeFileSync(at('.time_metrics.csv'), 'RUN TIME,,Total runtime,00:00:01.000,1.00\n');
  if (VERSION >= '4.4') writeFileSync(at('.metrics.json'), JSON.stringify({ metadata: { dragenVersion: VERSION } }));
  if (given['enable-map-align-output'] === 'true') writeFileSync(at('.bam'), Buffer.from('BAM\u0001'));
}

const words = process.argv.slice(2);
if (words[0] === '--version') {
  const build = SEED ? '07.021.624' : '13.031.818';
  process.stdout.write(
    `${SEED ? '' : `DRAGEN Host Software Version ${VERSION}\n`}dragen Version ${build}.${VERSION}\n`,
  );
} else if (words.some((word) => word.startsWith('--build-hash-table'))) buildTable(words);
else quantify(words);
