import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';
import { CohortflowPlugin } from '../../src/plugin/index.js';
import { PackedProduct } from '../support/packed-product.js';
import { temporaryFolder } from '../support/run-step.js';
import { writeSmallCohort } from '../support/small-cohort.js';
import { realTime, temporalCli, timeSkippingServer } from '../support/temporal-servers.js';

const [temporal, testServer] = await Promise.all([temporalCli(), timeSkippingServer()]);
const REEXPORT = "export * from 'cohortflow/workflows';";

/** The part of vitest's JSON report that is looked at. */
interface TestReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly failureMessages: readonly string[] }[];
  }[];
}

/** A program of an example, and what it prints. */
class Program {
  readonly child: ChildProcess;
  output = '';
  private readonly ended: Promise<number>;

  constructor(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    // A host has settings of its own; those of the tests' runner are not its.
    const { VITEST: _, NODE_ENV: __, ...own } = process.env;
    this.child = spawn(process.execPath, args, { cwd, env: { ...own, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.ended = once(this.child, 'close').then(([code]) => Number(code ?? -1));
  }

  exitCode(): Promise<number> {
    return this.ended;
  }

  /** Processes it has started. */
  children(): readonly number[] {
    const listed = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
    return listed
      .map((line) => line.trim().split(/\s+/).map(Number))
      .flatMap(([pid = 0, parent]) => (parent === this.child.pid ? [pid] : []));
  }

  async says(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.child.exitCode !== null) throw new Error(`ended without saying "${text}":\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const tool = (path: string): string => join(PACKAGE_ROOT, 'node_modules', path);

describe('the packed product in projects of others', () => {
  const root = temporaryFolder('plugin-host');
  let product: PackedProduct;

  beforeAll(() => {
    product = new PackedProduct(root);
  });

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  async function typeChecked(folder: string): Promise<void> {
    const tsc = new Program(folder, [tool('typescript/bin/tsc'), '-p', '.']);
    expect(await tsc.exitCode(), tsc.output).toBe(0);
  }

  describe.skipIf(temporal === undefined)("a host's own worker with the plugin", () => {
    let env: TestWorkflowEnvironment;
    let host: string;
    let settings: Record<string, string>;
    const running: Program[] = [];

    function start(program: string, env: Record<string, string> = {}, ...args: string[]): Program {
      const started = new Program(host, [join('dist', program), ...args], { ...settings, ...env });
      running.push(started);
      return started;
    }

    /** A history as whoever has the server's database reads it: payloads, which are base64 in JSON, decoded. */
    async function readable(workflowId: string): Promise<string> {
      const history = JSON.stringify(await env.client.workflow.getHandle(workflowId).fetchHistory());
      const decoded = history.replaceAll(/(?<=")[A-Za-z0-9+/]{8,}=*(?=")/g, (text) =>
        Buffer.from(text, 'base64').toString('latin1'),
      );
      return `${history}\n${decoded}`;
    }

    beforeAll(async () => {
      env = await realTime(temporal!);
      host = product.example('plugin-host');
      settings = { TEMPORAL_ADDRESS: env.address, COHORTFLOW_CACHE: join(root, 'cache') };
      await typeChecked(host);
    }, 180_000);

    afterAll(async () => {
      for (const { child } of running) if (child.exitCode === null) child.kill('SIGKILL');
      await env?.teardown();
    });

    it('runs a real cohort within its own workflow, and beside it, and ends in order', async () => {
      const cohort = writeSmallCohort(join(root, 'cohort'), 3, [1]);
      const output = join(root, 'results');
      const worker = start('worker.js');
      await worker.says('the worker is made');

      const nightly = start('start.js', {}, cohort.sheet, output);
      expect(await nightly.exitCode(), nightly.output + worker.output).toBe(0);
      expect(nightly.output).toContain('2 done, 0 reused, 1 failed');
      expect(worker.output).toContain('the cohort has ended: 2 done');
      expect(existsSync(join(output, 'imaging', 'C-01', 'features.json'))).toBe(true);
      expect(readFileSync(join(output, 'run', 'outcomes.csv'), 'utf8')).toContain('SegNotFound');

      const direct = await env.client.workflow.execute('imagingCohort', {
        workflowId: 'beside',
        taskQueue: 'radiology',
        args: [{ cohort: cohort.sheet, output, featureSet: 'seed' }],
      });
      expect(direct).toMatchObject({ imaging: { total: 3, done: 0, reused: 2, failed: 1 } });

      const steps = worker.children();
      expect(steps.length).toBeGreaterThan(0);
      worker.child.kill('SIGTERM');
      expect(await worker.exitCode(), worker.output).toBe(0);
      for (const pid of steps) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    }, 240_000);

    it('encrypts what host and cohortflow write, with a key in the environment', async () => {
      const key = { COHORTFLOW_ENCRYPTION_KEY: `k1:${randomBytes(32).toString('base64')}` };
      const cohort = writeSmallCohort(join(root, 'cohort'), 3, [1]);
      const worker = start('worker.js', key);
      await worker.says('the worker is made');
      const client = new Client({ connection: env.connection, plugins: [new CohortflowPlugin({}, key)] });
      const said = await client.workflow.execute<(input: unknown) => Promise<string>>('nightlyCohort', {
        workflowId: 'encrypted',
        taskQueue: 'radiology',
        args: [{ cohort: cohort.sheet, output: join(root, 'results') }],
      });
      expect(said).toBe('0 done, 2 reused, 1 failed');
      expect(await readable('beside')).toContain(root);
      for (const workflowId of ['encrypted', 'encrypted/cohort', 'encrypted/cohort/C-02']) {
        const text = await readable(workflowId);
        expect(text).not.toContain(root);
        expect(text).not.toMatch(/no segmentation/i);
        expect(text).toContain('binary/encrypted');
      }
      worker.child.kill('SIGTERM');
      expect(await worker.exitCode(), worker.output).toBe(0);
    }, 240_000);

    it('refuses to start when its bundle lacks our workflows, and says the line to add', async () => {
      const workflows = join(host, 'dist', 'workflows.js');
      const whole = readFileSync(workflows, 'utf8');
      expect(whole).toContain(REEXPORT);
      writeFileSync(workflows, whole.replace(REEXPORT, ''));
      const worker = start('worker.js');
      expect(await worker.exitCode()).toBe(1);
      writeFileSync(workflows, whole);
      expect(worker.output).not.toContain('the worker is made');
      expect(worker.output).toContain('WorkflowsNotInBundle');
      expect(worker.output).toContain('missing: multimodalCohort, imagingCohort');
      expect(worker.output).toContain(REEXPORT);
      expect(worker.output).toContain(workflows);
    }, 120_000);
  });

  it.skipIf(testServer === undefined)(
    "a user's tests of a workflow of their own run in simulated time against our mocks",
    async () => {
      const folder = product.example('workflow-tests');
      await typeChecked(folder);
      const found = join(root, 'tests.json');
      const vitest = new Program(
        folder,
        [tool('vitest/vitest.mjs'), 'run', '--reporter=json', `--outputFile=${found}`],
        { TEMPORAL_TEST_SERVER: testServer! },
      );
      const exitCode = await vitest.exitCode();
      const [file] = (JSON.parse(readFileSync(found, 'utf8')) as TestReport).testResults;
      const notPassed = file?.assertionResults.filter(({ status }) => status !== 'passed');
      expect(notPassed, vitest.output).toEqual([]);
      expect(file?.assertionResults.length).toBe(4);
      expect(exitCode).toBe(0);
    },
    300_000,
  );
});
