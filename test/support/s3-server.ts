import { S3Client, CreateBucketCommand } from '@aws-sdk/client-s3';
import { createFiles } from '../../src/app/create-files.js';
import { REAL_ACCOUNT, TEST_RUN } from './aws/real-account.js';
import { MotoServer, motoProgram } from './moto-server.js';
import { VersityServer, versityProgram } from './versity-server.js';

/** An S3 server for the tests of a file. */
export interface S3Server {
  readonly endpoint: string;
  /** `s3://…`, empty and private to whoever asked. */
  place(): string;
  stop(): Promise<void>;
}

const BUCKET = 'cohortflow-test';

/** Where a real account's tests may write: `s3://bucket/prefix`. */
const REAL = process.env['COHORTFLOW_TEST_S3'] ?? REAL_ACCOUNT?.work;

const unique = (root: string) => (): string => `${root}/${crypto.randomUUID()}`;

/** True when S3 is that of a real account, which cannot be told to fail. */
export const isRealS3 = REAL !== undefined;

/** True when there is an S3 server for tests; the skip is otherwise printed with its reason. */
export function hasS3Server(): boolean {
  return REAL !== undefined || motoProgram() !== undefined;
}

/** Starts a server with one bucket and points the SDK's environment to it; or uses the real place that was named. */
export async function startS3Server(): Promise<S3Server> {
  if (REAL !== undefined) {
    const root = `${REAL}/${TEST_RUN}/${crypto.randomUUID().slice(0, 8)}`;
    return { endpoint: '', place: unique(root), stop: () => createFiles(REAL_ACCOUNT).remove(root) };
  }
  const moto = await MotoServer.start(motoProgram()!);
  const client = new S3Client({ forcePathStyle: true });
  await client.send(
    new CreateBucketCommand({
      Bucket: BUCKET,
      CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
    }),
  );
  client.destroy();
  return { endpoint: moto.endpoint, place: unique(`s3://${BUCKET}`), stop: () => moto.stop() };
}

/** As {@link startS3Server}, with a server that checks signatures, conditions and checksums. */
export async function startStrictS3Server(): Promise<S3Server> {
  const server = await VersityServer.start(versityProgram()!, BUCKET);
  return { endpoint: server.endpoint, place: unique(`s3://${BUCKET}`), stop: () => server.stop() };
}

/** Every S3 that tests can have here, by name: a real account's alone where one is named. */
export function s3Servers(): readonly (readonly [name: string, start: () => Promise<S3Server>])[] {
  if (REAL !== undefined) return [['S3 of an account', startS3Server]];
  const moto = motoProgram() === undefined ? [] : ([['S3 of moto', startS3Server]] as const);
  const strict = versityProgram() === undefined ? [] : ([['S3 of versitygw', startStrictS3Server]] as const);
  return [...moto, ...strict];
}
