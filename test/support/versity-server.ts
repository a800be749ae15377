import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePorts } from '../../src/adapters/local/temporal-server-process.js';

const READY_MS = 60_000;
/** Who may sign in. */
export const VERSITY_KEYS = { accessKeyId: 'cohortflow-test', secretAccessKey: 'what-only-we-know' } as const;
const REGION = 'eu-central-1';

/** The program of versitygw (S3 that checks signatures, conditions and checksums), or undefined; the skip is then printed. */
export function versityProgram(): string | undefined {
  const named = process.env['COHORTFLOW_TEST_VERSITYGW'];
  const found = [
    ...(named === undefined ? [] : [named]),
    ...(process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'versitygw')),
  ].find((path) => existsSync(path));
  if (found === undefined) console.warn('skipped: versitygw is not here (go install, see scripts/lib/versitygw.mjs)');
  return found;
}

/** True when something answers that refuses whoever does not sign. */
function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    async (answer) => answer.status === 403 && /AccessDenied/.test(await answer.text()),
    () => false,
  );
}

/** An S3 server over a folder, for as long as a test needs it. */
export class VersityServer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly endpoint: string,
  ) {}

  /** Starts it, on another port where another process has taken the first meanwhile, and points the SDK's environment to it. */
  static async start(program: string, bucket: string): Promise<VersityServer> {
    const folder = mkdtempSync(join(tmpdir(), 'cohortflow-versity-'));
    const [objects, about] = [join(folder, 'objects'), join(folder, 'about')];
    mkdirSync(join(objects, bucket), { recursive: true });
    mkdirSync(about);
    for (const until = Date.now() + READY_MS; ;) {
      const [port = 0] = await freePorts(1);
      const endpoint = `http://127.0.0.1:${port}`;
      // What it knows of objects goes beside them: not every file system keeps extended attributes.
      const args = ['--port', `127.0.0.1:${port}`, '--region', REGION, '--quiet', 'posix', '--sidecar', about, objects];
      const { accessKeyId, secretAccessKey } = VERSITY_KEYS;
      const env = { ...process.env, ROOT_ACCESS_KEY_ID: accessKeyId, ROOT_SECRET_ACCESS_KEY: secretAccessKey };
      const child = spawn(program, args, { stdio: 'ignore', env });
      while (child.exitCode === null && Date.now() < until) {
        if ((await answers(endpoint)) && child.exitCode === null) {
          Object.assign(process.env, {
            AWS_ENDPOINT_URL: endpoint,
            AWS_REGION: REGION,
            AWS_ACCESS_KEY_ID: accessKeyId,
            AWS_SECRET_ACCESS_KEY: secretAccessKey,
          });
          return new VersityServer(child, folder, endpoint);
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      child.kill('SIGKILL');
      if (Date.now() >= until) throw new Error('versitygw did not get ready');
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      const gone = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
