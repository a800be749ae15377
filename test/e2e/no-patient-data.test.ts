import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../src/adapters/local/temporal-server-process.js';
import { connectClient } from '../../src/app/temporal.js';
import { loadPseudonymKey } from '../../src/codec/pseudonym.js';
import { cliJson, type CliResult } from '../support/cli.js';
import { writeIdentifiedCohort, type IdentifiedCohort } from '../support/identified-cohort.js';
import { temporaryFolder } from '../support/run-step.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { folderText, foundIn, serverText, visibleText } from '../support/visible-text.js';

const program = await temporalCli();
const KEY = randomBytes(32).toString('base64');
const PSEUDONYM_KEY = { COHORTFLOW_PSEUDONYM_KEY: randomBytes(32).toString('hex') };

interface Ran extends CliResult {
  readonly workflowId: string;
  readonly state: string;
  /** What its worker served last as metrics. */
  readonly metrics: string;
}

/** Reads a worker's metrics again and again until told to stop; resolves to the last that were served. */
async function lastMetrics(port: number, until: AbortSignal): Promise<string> {
  let last = '';
  while (!until.aborted) {
    const served = await fetch(`http://127.0.0.1:${port}/metrics`).then(
      (response) => response.text(),
      () => '',
    );
    if (served !== '') last = served;
    await sleep(200);
  }
  return last;
}

describe.skipIf(program === undefined)('what a run leaves outside the output folder', () => {
  const root = temporaryFolder('identified');
  let env: TestWorkflowEnvironment;
  let cohort: IdentifiedCohort;
  let encrypted: Ran;
  let plain: Ran;
  let pseudonymised: Ran;

  async function run(
    name: string,
    more: Readonly<Record<string, string>>,
    options: readonly string[] = [],
  ): Promise<Ran> {
    const state = join(root, `state-${name}`);
    const args = [
      'run',
      '--cohort',
      cohort.sheet,
      '--clinical',
      cohort.clinical,
      '--output',
      join(root, `out-${name}`),
    ];
    const [port = 0] = await freePorts(1);
    const ended = new AbortController();
    const metrics = lastMetrics(port, ended.signal);
    const result = await cliJson([...args, '--jobs', '2', ...options], {
      TEMPORAL_ADDRESS: env.address,
      COHORTFLOW_STATE: state,
      COHORTFLOW_CACHE: join(root, 'cache'),
      COHORTFLOW_LOG_LEVEL: 'DEBUG',
      COHORTFLOW_METRICS_PORT: `127.0.0.1:${port}`,
      ...more,
    }).finally(() => ended.abort());
    return { ...result, state, workflowId: String(result.document['workflowId']), metrics: await metrics };
  }

  /** The cohort, its two modalities and the clinical table, five studies and two samples. */
  const ALL = 11;

  /** The query for a cohort and everything below it. */
  const treeOf = ({ workflowId }: Ran): string => `RootWorkflowId = "${workflowId}"`;

  beforeAll(async () => {
    env = await realTime(program!);
    cohort = writeIdentifiedCohort(root);
    encrypted = await run('encrypted', { COHORTFLOW_ENCRYPTION_KEY: KEY, COHORTFLOW_REQUIRE_ENCRYPTION: '1' });
    plain = await run('plain', {});
    // Without encryption: what hides a case here can only be its pseudonym.
    pseudonymised = await run('pseudonymised', PSEUDONYM_KEY, ['--pseudonymise']);
  }, 360_000);

  afterAll(async () => {
    await env?.teardown();
    rmSync(root, { recursive: true, force: true });
  });

  test('all runs came to the same: one study and one sample done, the others failed for what is wrong with them', () => {
    for (const { exitCode, stdout } of [encrypted, plain, pseudonymised]) {
      expect(exitCode).toBe(3);
      const { imaging, genomics } = JSON.parse(stdout) as Record<string, unknown>;
      expect(imaging).toMatchObject({ total: 5, done: 1, failed: 4 });
      expect(genomics).toMatchObject({ total: 2, done: 1, failed: 1 });
    }
  });

  test('with a key, nothing of anybody is in any history, list, search attribute or memo', async () => {
    await expect.poll(async () => (await serverText(env.client, treeOf(encrypted))).workflowIds.length).toBe(ALL);
    const { histories, lists } = await serverText(env.client, treeOf(encrypted));
    const everything = [...cohort.identifiers, ...cohort.pathIdentifiers, 'archive/'];
    expect(foundIn(histories, everything)).toEqual([]);
    expect(foundIn(lists, everything)).toEqual([]);
    // Messages of failures are encrypted too, and so is what a workflow was started with.
    expect(foundIn(histories, ['cohort.csv', 'SegNotFound', 'segmentation', 'out-encrypted'])).toEqual(['SegNotFound']);
    expect(histories).toContain('binary/encrypted');
  });

  test('decoded, histories hold the paths that the user gave and nothing else of anybody', async () => {
    const before = process.env['COHORTFLOW_ENCRYPTION_KEY'];
    process.env['COHORTFLOW_ENCRYPTION_KEY'] = KEY;
    let client: Client | undefined;
    try {
      client = await connectClient({ address: env.address });
      const { payloadCodecs } = client.options.loadedDataConverter;
      const { workflowIds } = await serverText(env.client, treeOf(encrypted));
      let decoded = '';
      for (const workflowId of workflowIds) {
        const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
        for (const payload of payloadsIn(events)) decoded += visibleText(await payloadCodecs[0]!.decode([payload]));
      }
      expect(decoded).toContain(cohort.sheet);
      expect(decoded).toMatch(/no segmentation/i);
      expect(foundIn(decoded, cohort.identifiers)).toEqual([]);
    } finally {
      await client?.connection.close();
      if (before === undefined) delete process.env['COHORTFLOW_ENCRYPTION_KEY'];
      else process.env['COHORTFLOW_ENCRYPTION_KEY'] = before;
    }
  });

  test('without a key, histories hold the paths that the user gave and nothing else of anybody', async () => {
    const { histories, lists } = await serverText(env.client, treeOf(plain));
    expect(histories).toContain('cohort.csv');
    expect(foundIn(histories, cohort.identifiers)).toEqual([]);
    const given = new RegExp(`${root}/archive/[A-Za-z0-9_.]+(?=["\\s\\\\])`, 'g');
    expect(foundIn(histories.replace(given, ''), cohort.pathIdentifiers)).toEqual([]);
    expect(foundIn(lists, [...cohort.identifiers, ...cohort.pathIdentifiers])).toEqual([]);
  });

  test('with pseudonyms, no case is named by an id, search attribute, memo, summary, list, log or metric', async () => {
    await expect.poll(async () => (await serverText(env.client, treeOf(pseudonymised))).workflowIds.length).toBe(ALL);
    const { workflowIds, envelopes, lists } = await serverText(env.client, treeOf(pseudonymised));
    const pseudonymOf = loadPseudonymKey(PSEUDONYM_KEY)!;
    const shown = (text: string): string[] => foundIn(text, cohort.cases.map(pseudonymOf));
    expect(shown(workflowIds.join('\n'))).toHaveLength(cohort.cases.length);
    expect(shown(envelopes)).toHaveLength(cohort.cases.length);
    expect(foundIn(lists, cohort.cases)).toEqual([]);
    expect(foundIn(envelopes, cohort.cases)).toEqual([]);
    expect(foundIn(lists + envelopes, [...cohort.identifiers, ...cohort.pathIdentifiers])).toEqual([]);
    const logs = folderText(join(pseudonymised.state, 'logs'));
    expect(shown(logs)).toHaveLength(cohort.cases.length);
    expect(foundIn(logs + pseudonymised.metrics, cohort.cases)).toEqual([]);
    // The same looking finds them where they are not replaced.
    const named = await serverText(env.client, treeOf(plain));
    expect(foundIn(named.lists, cohort.cases)).toEqual(cohort.cases);
    expect(foundIn(named.envelopes, cohort.cases)).toEqual(cohort.cases);
  });

  test('logs of worker and command, metrics, records of outcomes and the report say nothing of anybody', () => {
    const everything = [...cohort.identifiers, ...cohort.pathIdentifiers];
    for (const ran of [encrypted, plain, pseudonymised]) {
      const logs = folderText(join(ran.state, 'logs'));
      expect(logs).toContain('worker ready');
      expect(foundIn(logs, everything)).toEqual([]);
      expect(foundIn(ran.stderr + ran.stdout, everything)).toEqual([]);
      expect(ran.metrics).toContain('imaging.convert');
      // Nor the cases: a label for each would also make the metrics grow with the cohort.
      expect(foundIn(ran.metrics, [...everything, ...cohort.cases])).toEqual([]);
    }
    const output = join(root, 'out-encrypted');
    expect(existsSync(join(output, 'report.html'))).toBe(true);
    const isRecord = (path: string): boolean =>
      path.includes('/run/records/') || /outcomes\.csv|report\.html/.test(path);
    expect(foundIn(folderText(output, isRecord), everything)).toEqual([]);
  });
});

/** All payloads anywhere in a history. */
function payloadsIn(value: unknown): { metadata?: Record<string, Uint8Array> | null; data?: Uint8Array | null }[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const { metadata, data } = value as { metadata?: Record<string, Uint8Array>; data?: Uint8Array };
  if (metadata?.['encoding'] !== undefined && data !== undefined) return [{ metadata, data }];
  return Object.values(value).flatMap(payloadsIn);
}
