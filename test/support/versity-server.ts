import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programAt, ServerProgram } from './server-program.js';

/** Who may sign in. */
export const VERSITY_KEYS = { accessKeyId: 'cohortflow-test', secretAccessKey: 'what-only-we-know' } as const;
const REGION = 'eu-central-1';

/** The program of versitygw (S3 that checks signatures, conditions and checksums), or undefined; the skip is then printed. */
export function versityProgram(): string | undefined {
  return programAt('COHORTFLOW_TEST_VERSITYGW', 'versitygw', 'go install, see scripts/lib/versitygw.mjs');
}

/** True when something answers that refuses whoever does not sign. */
async function refusesUnsigned(endpoint: string): Promise<boolean> {
  const answer = await fetch(endpoint);
  return answer.status === 403 && /AccessDenied/.test(await answer.text());
}

/** An S3 server over a folder, for as long as a test needs it. */
export class VersityServer {
  private constructor(
    private readonly server: ServerProgram,
    private readonly folder: string,
  ) {}

  /** Starts it and points the SDK's environment to it. */
  static async start(program: string, bucket: string): Promise<VersityServer> {
    const folder = mkdtempSync(join(tmpdir(), 'cohortflow-versity-'));
    const [objects, about] = [join(folder, 'objects'), join(folder, 'about')];
    mkdirSync(join(objects, bucket), { recursive: true });
    mkdirSync(about);
    // What it knows of objects goes beside them: not every file system keeps extended attributes.
    const store = ['posix', '--sidecar', about, objects];
    const { accessKeyId, secretAccessKey } = VERSITY_KEYS;
    const server = await ServerProgram.start({
      ...{ name: 'versitygw', program, isIts: refusesUnsigned },
      args: (port) => ['--port', `127.0.0.1:${port}`, '--region', REGION, '--quiet', ...store],
      env: { ROOT_ACCESS_KEY_ID: accessKeyId, ROOT_SECRET_ACCESS_KEY: secretAccessKey },
    });
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    });
    return new VersityServer(server, folder);
  }

  get endpoint(): string {
    return this.server.endpoint;
  }

  async stop(): Promise<void> {
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
