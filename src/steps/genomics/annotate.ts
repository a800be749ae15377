import { CohortflowError } from '../../domain/errors.js';
import { formatAnnotation, readAnnotation } from '../../domain/genomics/annotation.js';
import type { Step } from '../step.js';
import { baseName } from '../file-names.js';

/**
 * Reads an annotation once into `tx2gene.tsv`, the table of transcript and gene that every sample then uses: a human GTF
 * is 1.5 GB, its table 10 MB. Input: `annotation` (GTF, GFF3 or such a table, gzipped or not).
 */
export const annotateStep: Step<Record<string, never>, { readonly transcripts: number }> = {
  name: 'genomics.annotate',
  version: 1,
  async run({ inputs, io, signal }) {
    const [path] = inputs['annotation'] ?? [];
    if (path === undefined) throw new CohortflowError('InvalidInput', 'genomics.annotate needs the input annotation');
    const annotation = await readAnnotation(io.files.lines(path, signal), baseName(path));
    await io.files.write(`${io.outputFolder}/tx2gene.tsv`, formatAnnotation(annotation));
    return { transcripts: annotation.genes.size };
  },
};
