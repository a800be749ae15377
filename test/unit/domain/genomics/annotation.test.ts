import { describe, expect, it } from 'vitest';
import { formatAnnotation, readAnnotation } from '../../../../src/domain/genomics/annotation.js';

async function* lines(text: string): AsyncIterable<string> {
  for (const line of text.split('\n')) yield await Promise.resolve(line);
}

const genesOf = async (text: string): Promise<Record<string, string>> =>
  Object.fromEntries((await readAnnotation(lines(text), 'a.gtf')).genes);

describe('readAnnotation', () => {
  it('reads a GTF: transcripts of any feature, versions as written', async () => {
    const gtf = [
      '##description: x',
      'chr1\tX\tgene\t1\t9\t.\t+\t.\tgene_id "G1.4"; gene_name "A";',
      'chr1\tX\ttranscript\t1\t9\t.\t+\t.\tgene_id "G1.4"; transcript_id "T1.2"; gene_name "A";',
      'chr1\tX\texon\t1\t5\t.\t+\t.\ttranscript_id "T1.2"; gene_id "G1.4";',
      'chr1\tX\texon\t1\t5\t.\t+\t.\ttranscript_id "T2.1"; gene_id "G1.4";',
    ].join('\n');
    expect(await genesOf(gtf)).toEqual({ 'T1.2': 'G1.4', 'T2.1': 'G1.4' });
  });

  it('reads a GFF3 of Ensembl, where transcripts are IDs and genes parents', async () => {
    const gff = [
      '##gff-version 3',
      '1\te\tgene\t1\t9\t.\t+\t.\tID=gene:ENSG1;Name=A',
      '1\te\tmRNA\t1\t9\t.\t+\t.\tID=transcript:ENST1;Parent=gene:ENSG1;Name=A-201',
      '1\te\tlnc_RNA\t1\t9\t.\t+\t.\tID=transcript:ENST2;Parent=gene:ENSG2',
      '1\te\texon\t1\t5\t.\t+\t.\tParent=transcript:ENST1;ID=exon:E1',
    ].join('\n');
    expect(await genesOf(gff)).toEqual({ ENST1: 'ENSG1', ENST2: 'ENSG2' });
  });

  it('reads a GFF3 of Gencode, which names both', async () => {
    const gff = 'chr1\tH\ttranscript\t1\t9\t.\t+\t.\tID=ENST1.1;Parent=ENSG1.1;gene_id=ENSG1.1;transcript_id=ENST1.1';
    expect(await genesOf(gff)).toEqual({ 'ENST1.1': 'ENSG1.1' });
  });

  it.each([
    ['tabs', 'transcript_id\tgene_id\nT1\tG1\nT2\tG1'],
    ['commas and quotes', 'TXNAME,GENEID\n"T1","G1"\n"T2","G1"'],
    ['no header', 'T1\tG1\nT2\tG1\n'],
  ])('reads a table with %s', async (name, text) => {
    const genes = await genesOf(text);
    expect(genes).toMatchObject({ T1: 'G1', T2: 'G1' });
    if (name !== 'commas and quotes') expect(Object.keys(genes)).toEqual(['T1', 'T2']);
  });

  it('reads back what it writes', async () => {
    const annotation = await readAnnotation(lines('T1\tG1\nT2\tG2'), 'a.tsv');
    expect(await genesOf(formatAnnotation(annotation))).toEqual({ T1: 'G1', T2: 'G2' });
  });

  it('refuses a file that names no transcript', async () => {
    await expect(readAnnotation(lines('# nothing\n\n'), 'empty.gtf')).rejects.toMatchObject({
      code: 'DamagedAnnotation',
      message: expect.stringContaining('empty.gtf') as unknown,
    });
  });
});
