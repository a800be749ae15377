import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { S3Files } from '../../../src/adapters/aws/s3-files.js';
import { RoutedFiles } from '../../../src/adapters/routed-files.js';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import { exitMessageOf } from './job-message.js';

/** The request of a job, as far as its container is concerned. */
export interface JobRequest {
  readonly ProcessingJobName: string;
  readonly AppSpecification: {
    readonly ImageUri: string;
    readonly ContainerEntrypoint?: readonly string[];
    readonly ContainerArguments?: readonly string[];
  };
  readonly ProcessingInputs?: readonly {
    readonly S3Input: { readonly S3Uri: string; readonly LocalPath: string };
  }[];
  readonly ProcessingOutputConfig?: {
    readonly Outputs: readonly { readonly S3Output: { readonly S3Uri: string; readonly LocalPath: string } }[];
  };
  readonly Environment?: Readonly<Record<string, string>>;
  readonly NetworkConfig?: { readonly EnableNetworkIsolation?: boolean };
}

/** A program that stands for an image. */
export interface ImageProgram {
  readonly command: string;
  readonly args: readonly string[];
}

/** How a container ended. */
export interface ContainerEnd {
  readonly exitCode: number;
  readonly message: string | undefined;
}

/** Fetches everything whose key begins with the URI's, as the service does: a prefix that is not closed takes too much. */
async function download(uri: string, folder: string): Promise<number> {
  const [, Bucket = '', Prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri) ?? [];
  const client = new S3Client({ forcePathStyle: true });
  const base = Prefix.slice(0, Prefix.lastIndexOf('/') + 1);
  let count = 0;
  let ContinuationToken: string | undefined;
  do {
    const page: { Contents?: { Key?: string }[]; NextContinuationToken?: string } = (await client.send(
      new ListObjectsV2Command({ Bucket, Prefix, ...(ContinuationToken === undefined ? {} : { ContinuationToken }) }),
    )) as never;
    for (const { Key = '' } of page.Contents ?? []) {
      if (Key.endsWith('/')) continue;
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      const place = join(folder, Key.slice(base.length));
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, (await Body?.transformToByteArray()) ?? '');
      count += 1;
    }
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  client.destroy();
  return count;
}

/** What the service tells a container of its job, in the two files where it puts that. */
function writeConfig(request: JobRequest, arn: string, instanceType: string, root: string): void {
  const { Tags: _, ...job } = request as JobRequest & { readonly Tags?: unknown };
  const config = {
    ProcessingJobArn: arn,
    ...job,
    ProcessingInputs: request.ProcessingInputs?.map((input) => ({ AppManaged: false, ...input })),
  };
  const hosts = ['algo-1'];
  const resources = {
    ...{ current_host: 'algo-1', current_instance_type: instanceType, current_group_name: 'homogeneousCluster', hosts },
    instance_groups: [{ instance_group_name: 'homogeneousCluster', instance_type: instanceType, hosts }],
    network_interface_name: 'eth0',
  };
  const folder = join(root, '/opt/ml/config');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'processingjobconfig.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'resourceconfig.json'), JSON.stringify(resources));
}

/**
 * Runs a job's program on this machine, in a folder of its own that stands for the container's root: fetches its inputs, runs
 * it, brings its outputs to S3.
 *
 * @param root its folder
 * @param started gets what kills it
 * @throws Error with the reason that the service gives when the job fails for no fault of the program's
 */
export async function runContainer(
  request: JobRequest,
  { arn, instanceType }: { readonly arn: string; readonly instanceType: string },
  root: string,
  program: ImageProgram,
  started: (kill: (signal: NodeJS.Signals) => void) => void,
): Promise<ContainerEnd> {
  const { AppSpecification: app, Environment = {}, NetworkConfig: network } = request;
  for (const { S3Input } of request.ProcessingInputs ?? []) {
    mkdirSync(join(root, S3Input.LocalPath), { recursive: true });
    if ((await download(S3Input.S3Uri, join(root, S3Input.LocalPath))) === 0) {
      throw new Error(`ClientError: no S3 objects found under ${S3Input.S3Uri}`);
    }
  }
  for (const { S3Output } of request.ProcessingOutputConfig?.Outputs ?? []) {
    mkdirSync(join(root, S3Output.LocalPath), { recursive: true });
  }
  writeConfig(request, arn, instanceType, root);
  mkdirSync(join(root, '/opt/ml/output'), { recursive: true });
  const isolated = network?.EnableNetworkIsolation === true;
  const aws = isolated ? [] : Object.entries(process.env).filter(([name]) => name.startsWith('AWS_'));
  const child = spawn(
    program.command,
    [...program.args, ...(app.ContainerEntrypoint ?? []), ...(app.ContainerArguments ?? [])],
    {
      detached: true,
      stdio: 'ignore',
      env: {
        PATH: process.env['PATH'],
        HOME: root,
        ...Object.fromEntries(aws),
        ...Environment,
        COHORTFLOW_CONTAINER_ROOT: root,
      },
    },
  );
  started((signal) => {
    try {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  });
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });
  const note = join(root, '/opt/ml/output/message');
  const message = existsSync(note) ? exitMessageOf(readFileSync(note)) : undefined;
  if (exitCode === 0) {
    const files = new RoutedFiles(new LocalFiles(), new S3Files({}));
    for (const { S3Output } of request.ProcessingOutputConfig?.Outputs ?? []) {
      await files.copy(join(root, S3Output.LocalPath), S3Output.S3Uri);
    }
  }
  return { exitCode, message };
}
