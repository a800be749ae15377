import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CohortResult } from '../../src/contracts/results.js';
import { LocalToolRunner } from '../../src/adapters/local/tool-runner.js';
import { simulateReads } from '../../src/demo/reads.js';
import { annotationGtf, demoTranscriptome, transcriptsFasta } from '../../src/demo/transcriptome.js';
import { readCsv } from '../support/csv.js';
import { until } from '../support/gate.js';
import { leftOf, processesWith, type OwnProcess } from '../support/own-processes.js';
import { temporaryFolder } from '../support/run-step.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { TestWorker } from '../support/worker-process.js';

const cli = await temporalCli();
const salmon = await new LocalToolRunner().find('salmon');
if (salmon === undefined) console.warn('skipped: salmon is not installed');
const possible = cli !== undefined && salmon !== undefined && process.platform === 'linux';
const CASES = ['S-01', 'S-02', 'S-03'];

describe.skipIf(!possible)('a run that is ended while Salmon works', () => {
  const root = temporaryFolder('salmon-stopped');
  const output = join(root, 'out');
  const input = {
    cohort: join(root, 'cohort.csv'),
    transcripts: join(root, 'transcripts.fa'),
    annotation: join(root, 'annotation.gtf'),
    output,
  };
  const started = { workflowId: 'salmon', taskQueue: 'cohortflow', args: [input] };
  let env: TestWorkflowEnvironment;
  let worker: TestWorker;

  beforeAll(async () => {
    const transcriptome = demoTranscriptome();
    writeFileSync(join(root, 'transcripts.fa'), transcriptsFasta(transcriptome));
    writeFileSync(join(root, 'annotation.gtf'), annotationGtf(transcriptome));
    const rows = CASES.map((id) => {
      const { fastq1, fastq2 } = simulateReads(transcriptome, id, 11, 3_000);
      writeFileSync(join(root, `${id}_1.fastq.gz`), gzipSync(fastq1));
      writeFileSync(join(root, `${id}_2.fastq.gz`), gzipSync(fastq2));
      return `${id},${id}_1.fastq.gz,${id}_2.fastq.gz`;
    });
    writeFileSync(join(root, 'cohort.csv'), ['case_id,fastq_1,fastq_2', ...rows, ''].join('\n'));
    env = await realTime(cli!);
    worker = await TestWorker.start(env.address, root, ['--jobs', '1']);
  });

  afterAll(async () => {
    await worker?.end('SIGKILL');
    await env?.teardown();
    rmSync(root, { recursive: true, force: true });
  });

  function quantifying(): OwnProcess[] {
    const all = processesWith('COHORTFLOW_STATE', join(root, 'state'));
    return all.filter(({ command }) => command.includes('salmon quant'));
  }

  /** Starts the run and stops the clock of its first Salmon: it will not end by itself, nor heed a polite signal. */
  async function untilSalmonStandsStill(): Promise<WorkflowHandle> {
    const handle = await env.client.workflow.start('genomicsCohort', started);
    await until(() => {
      const [found] = quantifying();
      if (found !== undefined) process.kill(found.pid, 'SIGSTOP');
      return found !== undefined;
    }, 60);
    return handle;
  }

  it('stops it when it is cancelled, and keeps nothing of what it wrote', async () => {
    const handle = await untilSalmonStandsStill();
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(quantifying()).toEqual([]);
    const rows = readCsv(join(output, 'run', 'outcomes.csv'));
    expect(rows.map((row) => row['case_id'])).toEqual(CASES);
    expect(new Set(rows.map((row) => row['outcome']))).toEqual(new Set(['cancelled']));
    expect(existsSync(join(output, 'genomics'))).toBe(false);
    expect(existsSync(join(output, 'run', '.work'))).toBe(false);
  }, 120_000);

  it('takes it along when the worker is killed', async () => {
    const handle = await untilSalmonStandsStill();
    await worker.end('SIGKILL');
    expect(await leftOf(quantifying, 15)).toEqual([]);
    expect(await leftOf(() => processesWith('COHORTFLOW_STATE', join(root, 'state')), 15)).toEqual([]);
    await handle.terminate();
  }, 120_000);

  it('is whole when it runs again', async () => {
    worker = await TestWorker.start(env.address, root, ['--jobs', '2']);
    const result = (await env.client.workflow.execute('genomicsCohort', started)) as CohortResult;
    expect(result).toMatchObject({ genomics: { total: 3, failed: 0, cancelled: 0 }, failures: 0 });
    // Some may have been done for the terminated run, before its cases heard that they were cancelled.
    expect(result.genomics!.done + result.genomics!.reused).toBe(3);
    expect(readdirSync(join(output, 'genomics')).filter((name) => name.startsWith('S-'))).toEqual(CASES);
    expect(existsSync(join(output, 'run', '.work'))).toBe(false);
  }, 180_000);
});
