import { join } from 'node:path';
import { S3Files } from '../adapters/aws/s3-files.js';
import { S3Fingerprints } from '../adapters/aws/s3-fingerprints.js';
import { LocalFiles } from '../adapters/local/files.js';
import { LocalFingerprints } from '../adapters/local/fingerprints.js';
import { RoutedFiles } from '../adapters/routed-files.js';
import { RoutedFingerprints } from '../adapters/routed-fingerprints.js';
import type { Config } from '../config/config.js';
import { loadConfig } from '../config/load-config.js';
import type { AwsSettings } from '../config/aws-settings.js';
import type { Files } from '../ports/files.js';
import type { Fingerprints } from '../ports/run-ledger.js';

/** Files of this machine and of S3, by their paths. Nothing of AWS is loaded before the first `s3://`. */
export function createFiles(settings: AwsSettings = loadConfig().aws): Files {
  return new RoutedFiles(new LocalFiles(), new S3Files(settings));
}

/** Content hashes of these files. */
export function createFingerprints(
  files: Files,
  { aws, cacheFolder }: Pick<Config, 'aws' | 'cacheFolder'>,
): Fingerprints {
  const local = new LocalFingerprints(files, join(cacheFolder, 'hashes'));
  return new RoutedFingerprints(local, new S3Fingerprints(new S3Files(aws)));
}
