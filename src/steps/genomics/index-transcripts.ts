import { CohortflowError } from '../../domain/errors.js';
import type { Step, StepCall } from '../step.js';
import { baseName } from '../file-names.js';

/** Parameters of `genomics.index`. */
export type IndexParams = {
  /** k-mer length; odd, at most 31. Default 31. */
  readonly kmer?: number;
};

export type IndexSummary = {
  readonly transcripts: number;
  /** True when headers are `ENST…|ENSG…|…` and the first field was taken as the transcript. */
  readonly gencode: boolean;
};

interface FastaFacts extends Record<string, unknown> {
  readonly transcripts: number;
  readonly gencode: boolean;
}

/** Checks the FASTA whole: Salmon would index nonsense without a word, or stop without naming the line. */
async function checkFasta(path: string, call: StepCall<IndexParams>): Promise<FastaFacts> {
  const shown = baseName(path);
  const refuse = (line: number, why: string): never => {
    throw new CohortflowError('DamagedReference', `${shown}, line ${line}: ${why}`);
  };
  const names = new Set<string>();
  let piped = 0;
  let number = 0;
  let bases = 1;
  for await (const line of call.io.files.lines(path, call.signal)) {
    number += 1;
    if (line.startsWith('>')) {
      if (bases === 0) refuse(number - 1, 'a record without sequence');
      const name = line.slice(1).split(/\s/, 1)[0]!;
      if (name === '') refuse(number, 'a record without a name');
      const id = name.split('|', 1)[0]!;
      if (id !== name) piped += 1;
      if (names.has(id)) refuse(number, 'a transcript name that occurs twice');
      names.add(id);
      bases = 0;
    } else if (line !== '') {
      if (names.size === 0) refuse(number, 'sequence before the first >name line: not FASTA');
      if (!/^[A-Za-z*-]+$/.test(line)) refuse(number, 'letters that are no sequence');
      bases += line.length;
    }
  }
  if (names.size === 0) throw new CohortflowError('DamagedReference', `${shown} holds no transcript`);
  if (bases === 0) refuse(number, 'a record without sequence');
  return { transcripts: names.size, gencode: piped === names.size };
}

/** Builds the Salmon index of a transcript FASTA into `salmon-index/`. Input: `transcripts` (FASTA, gzipped or not). */
export const indexStep: Step<IndexParams, IndexSummary> = {
  name: 'genomics.index',
  version: 1,
  async run(call) {
    const { inputs, io, params, signal } = call;
    const [path] = inputs['transcripts'] ?? [];
    if (path === undefined) throw new CohortflowError('InvalidInput', 'genomics.index needs the input transcripts');
    const kmer = params.kmer ?? 31;
    if (!Number.isInteger(kmer) || kmer % 2 === 0 || kmer < 5 || kmer > 31) {
      throw new CohortflowError('InvalidInput', `kmer must be an odd number from 5 to 31, found ${String(kmer)}`);
    }
    call.progress('checking the transcripts');
    const facts = await checkFasta(path, call);
    const args = ['index', '-t', path, '-i', `${io.outputFolder}/salmon-index`, '-k', String(kmer), '-p', '2'];
    args.push('--tmpdir', `${io.scratchFolder}/salmon`);
    // Without it Salmon keeps the whole header as the name, and the gene table would silently hold transcripts.
    if (facts.gencode) args.push('--gencode');
    const { exitCode, stderr } = await io.tools.run('salmon', args, {
      signal,
      onLine: () => call.progress('indexing'),
    });
    if (exitCode !== 0) {
      const last = stderr.trim().split('\n').at(-1) ?? '';
      throw new CohortflowError('DamagedReference', `salmon index ended with exit code ${exitCode}: ${last}`);
    }
    return { transcripts: facts.transcripts, gencode: facts.gencode };
  },
};
