import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';
import { cli } from '../support/cli.js';
import { temporaryFolder } from '../support/run-step.js';
import { writeSmallCohort } from '../support/small-cohort.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { foundIn, serverText } from '../support/visible-text.js';
import { TestWorker } from '../support/worker-process.js';

const program = await temporalCli();
const run = promisify(execFile);
const KEY = `year-2026:${randomBytes(32).toString('base64')}`;
const TOKEN = 'a-token-of-the-test';

/** Payloads of a history in JSON, out of their base64. */
function contents(json: string): string {
  return [...json.matchAll(/"data": "([^"]*)"/g)].map(([, data = '']) => Buffer.from(data, 'base64').toString()).join();
}

describe.skipIf(program === undefined)('the codec server with the Temporal CLI', () => {
  const root = temporaryFolder('codec-server');
  let env: TestWorkflowEnvironment;
  let worker: TestWorker;
  let server: ChildProcess;
  let endpoint = '';
  const lines: string[] = [];

  beforeAll(async () => {
    process.env['COHORTFLOW_ENCRYPTION_KEY'] = KEY;
    process.env['COHORTFLOW_REQUIRE_ENCRYPTION'] = '1';
    env = await realTime(program!);
    worker = await TestWorker.start(env.address, root);
    server = spawn(process.execPath, [join(PACKAGE_ROOT, 'bin', 'cohortflow.js'), 'codec-server', '--port', '0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, COHORTFLOW_CODEC_TOKEN: TOKEN, COHORTFLOW_STATE: join(root, 'state') },
    });
    for await (const line of createInterface({ input: server.stderr! })) {
      lines.push(line);
      const [, found] = /ready at (http:\S+),/.exec(line) ?? [];
      if (found === undefined) continue;
      endpoint = found;
      break;
    }
  });

  afterAll(async () => {
    if (server?.exitCode === null) {
      const gone = once(server, 'exit');
      server.kill('SIGTERM');
      await gone;
    }
    await worker?.end('SIGTERM');
    await env?.teardown();
    rmSync(root, { recursive: true, force: true });
  });

  /** The Temporal CLI, with the codec server when asked. */
  async function temporal(args: readonly string[], decoded: boolean): Promise<string> {
    const codec = decoded ? ['--codec-endpoint', endpoint, '--codec-auth', `Bearer ${TOKEN}`] : [];
    const { stdout } = await run(program!, [...args, '--address', env.address, ...codec], { maxBuffer: 2 ** 26 });
    return stdout;
  }

  const start = (workflowId: string, input: unknown, decoded: boolean): Promise<string> => {
    const what = ['--type', 'clinicalFeatures', '--task-queue', 'cohortflow', '--workflow-id', workflowId];
    return temporal(['workflow', 'start', ...what, '--input', JSON.stringify(input)], decoded);
  };

  test('starts a workflow with an encrypted input, which runs; its history is read with the endpoint and not without', async () => {
    const { clinical } = writeSmallCohort(root, 4);
    await start('through-codec', { clinical, output: join(root, 'out') }, true);
    const shown = ['workflow', 'show', '--workflow-id', 'through-codec', '--output', 'json'];
    const follow = await temporal([...shown.slice(0, -2), '--follow'], true);
    expect(follow).toContain('COMPLETED');

    const decoded = contents(await temporal(shown, true));
    expect(decoded).toContain('clinical.csv');
    const raw = contents(await temporal(shown, false));
    expect(raw).not.toContain('clinical.csv');
    const { histories } = await serverText(env.client, "WorkflowId = 'through-codec'");
    expect(foundIn(histories, ['clinical.csv', root])).toEqual([]);
    expect(histories).toContain('year-2026');
  }, 120_000);

  test('where encryption is required, an input that was started in the clear is not worked on', async () => {
    await start('in-the-clear', { clinical: join(root, 'clinical.csv'), output: join(root, 'clear') }, false);
    const handle = env.client.workflow.getHandle('in-the-clear');
    const failed = async (): Promise<boolean> =>
      ((await handle.fetchHistory()).events ?? []).some((event) => event.workflowTaskFailedEventAttributes != null);
    await expect.poll(failed, { timeout: 60_000, interval: 500 }).toBe(true);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await handle.terminate();
  }, 120_000);

  test('no keys, nothing to serve; a bad one is refused by every command before it does anything', async () => {
    const none = await cli(['codec-server', '--port', '0'], {
      COHORTFLOW_ENCRYPTION_KEY: '',
      COHORTFLOW_REQUIRE_ENCRYPTION: '',
    });
    expect(none.exitCode).toBe(2);
    expect(none.stderr).toContain('BadEncryptionKey');
    const bad = await cli(['worker'], { COHORTFLOW_ENCRYPTION_KEY: 'not-a-key', TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(bad.exitCode).toBe(2);
    expect(bad.stderr).toContain('COHORTFLOW_ENCRYPTION_KEY');
    expect(bad.stderr).not.toContain('not-a-key');
  });
});
