/** Words in file names that are of the trade and name nobody. Any other word may be somebody's. */
const WORDS_OF_THE_TRADE = new Set(
  (
    'abdomen accession ann annotation arterial axial base bam bin body brain breast case chest clinical cohort contrast ' +
    'copy coronal counts csv cor cram dat data dcm derived dic dicom dicomdir dose expression fasta fastq features file ' +
    'first fullres gene genes geometry gff gtf gtv head image images ima imaging img index json kidney label lesion liver ' +
    'localizer lung lungs mask masks matrix neck neoplasm nii nifti nodule nrrd original overlay part patient pelvis ' +
    'phantom plan prostate quant raw read readme reads recon reference resampled roi rtplan rtss rtstruct sag sagittal ' +
    'salmon sample scan scans second secondary seg segmentation segmentations series set slice slices sorted spine sra ' +
    'struct structure structures study subject tar test thorax tpm transcripts transverse trimmed tsv tumor tumour txt ' +
    'unpaired vol volume xml yaml yml zip ' +
    'bad broken control corrupt cropped cut damaged demo dna empty example forward invalid lane lib library mate missing ' +
    'normal paired rep replicate reverse rna rnaseq seq single truncated wrong'
  ).split(' '),
);

/** Public archives' accessions (SRR…, ERS…, GSM…) name data sets, not people. */
const PUBLIC_ACCESSION = /^(?:[SED]R[RXSP]|GSM|GSE)\d{3,}$/i;

function shownToken(token: string): string {
  if (PUBLIC_ACCESSION.test(token)) return token;
  return (
    token
      .replace(/\p{L}{3,}/gu, (word) => (WORDS_OF_THE_TRADE.has(word.toLowerCase()) ? word : '…'))
      // Numbers of patients and orders; a counter that starts with zeros is short.
      .replace(/\d{8,}|(?<!\d)(?!00)\d{6,7}/g, '…')
  );
}

/**
 * A file name fit for messages: without folders, and with anything masked that may say whose it is (words that are not of
 * the trade, dates, long numbers, UIDs), since files and folders of archives are often named by patient. `number` (from 1)
 * keeps masked names apart.
 */
export function shownName(path: string, number?: number, total?: number): string {
  const base = path.slice(path.lastIndexOf('/') + 1);
  const masked = base
    .replace(/\d+(?:\.\d+)+/g, (dotted) => (dotted.length >= 10 ? '…' : dotted))
    .replace(/(?<!\d)(?:19|20)\d{2}[-_]?(?:0[1-9]|1[0-2])[-_]?(?:0[1-9]|[12]\d|3[01])(?!\d)/g, '…')
    .replace(/[\p{L}\d]+/gu, shownToken)
    .replace(/…(?:[\s^_-]*…)+/g, '…');
  return number === undefined ? masked : `${masked} (file ${number}${total === undefined ? '' : ` of ${total}`})`;
}
