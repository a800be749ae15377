import { join } from 'node:path';
import { Command, Option } from 'commander';
import { loadConfig } from '../../config/load-config.js';
import { CohortflowError } from '../../domain/errors.js';
import { annotateStep } from '../../steps/genomics/annotate.js';
import { indexStep } from '../../steps/genomics/index-transcripts.js';
import { quantifyStep } from '../../steps/genomics/quantify.js';
import { absolute, existing, existingFile, jsonOption, wholeNumber } from '../options.js';
import { printJson, say } from '../output.js';
import { interruptSignal, runSingleStep } from '../single-step.js';

interface GenomicsOptions {
  readonly output: string;
  readonly fastq1?: readonly string[];
  readonly fastq2?: readonly string[];
  readonly sra?: readonly string[];
  readonly quant?: string;
  readonly strandedness: string;
  readonly transcripts?: string;
  readonly index?: string;
  readonly annotation?: string;
  readonly threads?: number;
  readonly json?: boolean;
}

/** An accession is no path; anything else must be there. */
function archive(text: string): string {
  return /^[SED]RR\d+$/.test(text) ? text : existing(text, '--sra');
}

function inputsOf(options: GenomicsOptions): Record<string, readonly string[]> {
  const inputs: Record<string, readonly string[]> = {};
  if (options.fastq1 !== undefined) inputs['fastq1'] = options.fastq1.map((path) => existingFile(path, '--fastq-1'));
  if (options.fastq2 !== undefined) inputs['fastq2'] = options.fastq2.map((path) => existingFile(path, '--fastq-2'));
  if (options.sra !== undefined) inputs['sra'] = options.sra.map(archive);
  if (options.quant !== undefined) inputs['quant'] = [existingFile(options.quant, '--quant')];
  const kinds = [options.fastq1, options.sra, options.quant].filter((given) => given !== undefined);
  if (kinds.length !== 1) {
    throw new CohortflowError(
      'InvalidInput',
      'genomics: give the sample as --fastq-1 (and --fastq-2), as --sra or as --quant',
    );
  }
  return inputs;
}

async function genomics(options: GenomicsOptions): Promise<void> {
  const folder = absolute(options.output);
  const signal = interruptSignal();
  const inputs = inputsOf(options);
  if (options.annotation !== undefined) {
    const where = join(folder, 'reference');
    await runSingleStep(
      annotateStep,
      {},
      { annotation: [existingFile(options.annotation, '--annotation')] },
      where,
      signal,
    );
    inputs['annotation'] = [join(where, 'tx2gene.tsv')];
  }
  if (options.quant === undefined) {
    if (options.index !== undefined) inputs['index'] = [existing(options.index, '--index')];
    else if (options.transcripts !== undefined) {
      const where = join(folder, 'reference');
      await runSingleStep(
        indexStep,
        {},
        { transcripts: [existingFile(options.transcripts, '--transcripts')] },
        where,
        signal,
      );
      inputs['index'] = [join(where, 'salmon-index')];
    } else throw new CohortflowError('InvalidInput', 'genomics: reads need --transcripts or --index');
  }
  const params = { strandedness: options.strandedness, threads: options.threads ?? loadConfig().jobs };
  const { summary, outputs } = await runSingleStep(quantifyStep, params, inputs, folder, signal);
  if (options.json === true) printJson({ output: folder, outputs, ...summary });
  else {
    const mapped = summary.mappedPercent === null ? '' : `, ${summary.mappedPercent.toFixed(1)} % of fragments mapped`;
    say(`${summary.genes} genes${mapped}, in ${folder}`);
    for (const warning of summary.warnings) say(`warning: ${warning}`);
  }
}

export function genomicsCommand(): Command {
  return new Command('genomics')
    .description('Quantify one sample into gene expression, without Temporal.')
    .requiredOption('--output <folder>', 'where quant.sf, quant.genes.sf and quant.json go')
    .option('--fastq-1 <files...>', 'first reads, a file per lane')
    .option('--fastq-2 <files...>', 'second reads, in the same order')
    .option('--sra <archives...>', 'SRA archives or accessions')
    .option('--quant <file>', 'a finished quant.sf or quant.genes.sf')
    .addOption(
      new Option('--strandedness <kind>', 'how the library was made')
        .choices(['auto', 'forward', 'reverse', 'unstranded'])
        .default('auto'),
    )
    .option('--transcripts <fasta>', 'transcripts to quantify against')
    .option('--index <folder>', 'a ready Salmon index, instead of --transcripts')
    .option('--annotation <file>', 'which transcript is of which gene (GTF, GFF3 or a table)')
    .option('--threads <n>', 'threads of Salmon (default: the cores)', wholeNumber)
    .addOption(jsonOption())
    .action(genomics);
}
