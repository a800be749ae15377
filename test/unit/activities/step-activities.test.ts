import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { createStepActivities } from '../../../src/activities/step-activities.js';
import { FileLedger } from '../../../src/adapters/local/file-ledger.js';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import { LocalFingerprints } from '../../../src/adapters/local/fingerprints.js';
import type { StepRequest } from '../../../src/contracts/activities.js';
import { CohortflowError } from '../../../src/domain/errors.js';
import type { StepRunner } from '../../../src/ports/step-runner.js';
import { temporaryFolder } from '../../support/run-step.js';

const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };

type Info = ConstructorParameters<typeof MockActivityEnvironment>[0];

describe('attempts of a heavy step', () => {
  const root = temporaryFolder('step-activities');
  const input = join(root, 'input');
  writeFileSync(input, 'x');
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const request: StepRequest = {
    ...{ output: join(root, 'out'), runId: 'r', step: 'imaging.convert', params: {}, inputs: { study: [input] } },
    unit: { caseId: 'A', modality: 'imaging', part: '' },
    ...{ place: { kind: 'output', folder: 'imaging/A' }, force: false },
  };

  /** The failure of an attempt, and what it handed on to the next. */
  async function attempt(run: StepRunner['run'], info: Info = {}): Promise<{ failure: unknown; signs: unknown[] }> {
    const files = new LocalFiles();
    const { runStep } = createStepActivities({
      ...{ files, ledger: new FileLedger(files), fingerprints: new LocalFingerprints(files, join(root, 'hashes')) },
      ...{ runner: { run, close: async () => undefined }, versionOf: () => 1 },
      ...{ sharedFolder: join(root, 'shared'), workFolder: join(root, 'work') },
    });
    const env = new MockActivityEnvironment({ startToCloseTimeoutMs: 3_600_000, ...info }, { logger: silent });
    const signs: unknown[] = [];
    env.on('heartbeat', (sign: unknown) => signs.push(sign));
    const failure = await env.run(runStep, request).then(
      () => undefined,
      (error: unknown) => error,
    );
    return { failure, signs };
  }

  const failing = (code: CohortflowError['code']) => async (): Promise<never> => {
    throw new CohortflowError(code, 'it ended');
  };
  const after = (ownFailures: number): Info => ({ heartbeatDetails: { said: 'half way', ownFailures } });

  test.each([
    [undefined, 1],
    ['only a text, as earlier versions wrote', 1],
    [{ said: '', ownFailures: 2 }, 3],
  ])('hand on how many failed of themselves: after %j', async (heartbeatDetails, ownFailures) => {
    const { failure, signs } = await attempt(failing('ProcessLost'), { heartbeatDetails });
    expect(failure).toMatchObject({ type: 'ProcessLost', nonRetryable: false });
    expect(signs).toEqual([{ said: '', ownFailures }]);
  });

  test('are at an end with the fourth failure of their own, in whatever attempt it comes', async () => {
    const { failure } = await attempt(failing('ProcessLost'), { ...after(3), attempt: 11 });
    expect(failure).toMatchObject({ type: 'ProcessLost', nonRetryable: true, details: [{ attempt: 11 }] });
  });

  test('that their worker gave back count for nothing', async () => {
    const { failure, signs } = await attempt(failing('WorkerShutdown'), after(3));
    expect(failure).toMatchObject({ type: 'WorkerShutdown', nonRetryable: false });
    expect(signs).toEqual([]);
  });

  test('that take too long fail of themselves, before the server gives them up', async () => {
    const endless: StepRunner['run'] = (_task, signal) =>
      new Promise((_, reject) => {
        if (signal.aborted) reject(signal.reason as Error);
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    const { failure, signs } = await attempt(endless, { startToCloseTimeoutMs: 500 });
    expect(failure).toMatchObject({ type: 'StepTimeout', nonRetryable: false });
    expect(signs).toEqual([{ said: '', ownFailures: 1 }]);
  });
});
