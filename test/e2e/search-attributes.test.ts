import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingSearchAttributes, registerCommand, registerSearchAttributes } from '../../src/app/search-attributes.js';
import { realTime, simulatedTime, temporalCli, timeSkippingServer } from '../support/temporal-servers.js';

const ALL = ['CohortflowModality', 'CohortflowCode', 'CohortflowFailed'];
const program = await temporalCli();
const testServer = await timeSkippingServer();

describe.skipIf(program === undefined)('search attributes on a real server', () => {
  let env: TestWorkflowEnvironment;
  let client: Client;
  beforeAll(async () => {
    env = await realTime(program!);
    client = env.client;
  });
  afterAll(() => env?.teardown());

  test('a fresh server has none of them; the printed command and our own call both register them', async () => {
    expect(await missingSearchAttributes(client)).toEqual(ALL);
    const [, ...words] = registerCommand('default', ALL.slice(0, 1)).split(' ');
    await promisify(execFile)(program!, [...words, '--address', env.address]);
    expect(await missingSearchAttributes(client)).toEqual(ALL.slice(1));
    await registerSearchAttributes(client, ALL.slice(1));
    expect(await missingSearchAttributes(client)).toEqual([]);
  });

  test('registering again, or by two workers at once, is no error', async () => {
    await Promise.all([registerSearchAttributes(client, ALL), registerSearchAttributes(client, ALL)]);
    expect(await missingSearchAttributes(client)).toEqual([]);
  });

  test('an attribute of another type counts as missing, and another namespace has its own', async () => {
    const namespace = 'other-types';
    await promisify(execFile)(program!, ['operator', 'namespace', 'create', namespace, '--address', env.address]);
    const other = new Client({ connection: env.connection, namespace });
    await expect
      .poll(() => missingSearchAttributes(other).catch(() => undefined), { timeout: 30_000, interval: 500 })
      .toEqual(ALL);
    await registerSearchAttributes(other, ALL.slice(0, 2));
    await other.connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: { CohortflowFailed: 2 },
    });
    await expect
      .poll(() => missingSearchAttributes(other), { timeout: 30_000, interval: 500 })
      .toEqual(['CohortflowFailed']);
  });
});

describe.skipIf(testServer === undefined)('search attributes on the time-skipping server', () => {
  test('a server that cannot say counts as having none', async () => {
    const env = await simulatedTime(testServer!);
    try {
      expect(await missingSearchAttributes(env.client)).toEqual(ALL);
    } finally {
      await env.teardown();
    }
  });
});
