import { S3Files } from './s3-files.js';

/** Where the public archive of reads keeps its runs, and in which Region. */
export const SRA_ARCHIVE = { bucket: 'sra-pub-run-odp', region: 'us-east-1' } as const;

/** The archive of an accession lies under its name twice. */
export function archiveUri(run: string): string {
  const name = run.toUpperCase();
  return `s3://${SRA_ARCHIVE.bucket}/sra/${name}/${name}`;
}

/** The public archive, asked as nobody: whoever signs for another account, or for another Region, is refused. */
export function sraArchive(): S3Files {
  return new S3Files({ region: SRA_ARCHIVE.region, s3: { anonymous: [SRA_ARCHIVE.bucket] } });
}
