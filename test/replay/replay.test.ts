import { Worker, type ReplayResult, type WorkflowBundle } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseHistory, savedHistories, type HistoryJson } from '../support/history-files.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import '../support/temporal-servers.js';

const histories = savedHistories();

/** Every workflow of the product must be here: a new one without a history would go unguarded. */
const TYPES = [
  'multimodalCohort',
  'imagingCohort',
  'imagingStudy',
  'genomicsCohort',
  'genomicsSample',
  'clinicalFeatures',
  'cohortLane',
  'resourcePool',
  'sweepRemoteWork',
];

interface Started {
  readonly workflowExecutionStartedEventAttributes: {
    readonly workflowId: string;
    readonly workflowType: { readonly name: string };
  };
}

function startOf(history: HistoryJson): Started['workflowExecutionStartedEventAttributes'] {
  return (history.events[0] as unknown as Started).workflowExecutionStartedEventAttributes;
}

describe('workflows that began with an older version', () => {
  let workflowBundle: WorkflowBundle;

  beforeAll(async () => {
    workflowBundle = await sourceBundle();
  });

  async function replay(history: HistoryJson): Promise<ReplayResult> {
    const one = [{ workflowId: startOf(history).workflowId, history: parseHistory(history) }];
    for await (const result of Worker.runReplayHistories({ workflowBundle }, one)) return result;
    throw new Error('nothing was replayed');
  }

  it('are of every type', () => {
    expect([...new Set([...histories.values()].map((history) => startOf(history).workflowType.name))].sort()).toEqual(
      [...TYPES].sort(),
    );
  });

  it.each([...histories.keys()])('go on with the code as it is now: %s', async (name) => {
    expect((await replay(histories.get(name)!)).error).toBeUndefined();
  });

  it.each([
    ['imaging-cohort-root', '"imagingStudy"', '"imagingStudies"'],
    ['imaging-study-done', '"runStep"', '"runStage"'],
    ['cohort-lane-continued', '"nextUnits"', '"nextPage"'],
  ])('would not go on if the code asked for something else: %s without its %s', async (name, from, to) => {
    const altered = JSON.parse(JSON.stringify(histories.get(name)).replaceAll(from, to)) as HistoryJson;
    expect((await replay(altered)).error?.message).toMatch(/nondeterminis/i);
  });
});
