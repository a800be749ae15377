import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { TRACE_HEADER } from '../../src/observability/trace-context.js';
import { parseHistory, savedHistories, type HistoryJson } from '../support/history-files.js';
import { tracedBundle } from '../support/temporal-bundle.js';
import '../support/temporal-servers.js';

const histories = savedHistories();
const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Started {
  readonly workflowExecutionStartedEventAttributes: { readonly workflowId: string };
}

/** The history as if whoever started the run had been traced. */
function startedTraced(history: HistoryJson): HistoryJson {
  const [started, ...rest] = structuredClone(history.events) as { workflowExecutionStartedEventAttributes?: object }[];
  const carrier = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  const payload = { metadata: { encoding: base64('json/plain') }, data: base64(JSON.stringify(carrier)) };
  const header = { fields: { [TRACE_HEADER]: payload } };
  const attributes = { ...started!.workflowExecutionStartedEventAttributes, header };
  return { events: [{ ...started, workflowExecutionStartedEventAttributes: attributes }, ...rest] };
}

describe('histories that were recorded without tracing', () => {
  let workflowBundle: WorkflowBundle;

  beforeAll(async () => {
    workflowBundle = await tracedBundle();
  });

  async function replayError(history: HistoryJson): Promise<Error | undefined> {
    const sinks = { cohortflowTrace: { ended: { fn: () => undefined, callDuringReplay: false } } };
    const { workflowExecutionStartedEventAttributes: started } = history.events[0] as unknown as Started;
    const one = [{ workflowId: started.workflowId, history: parseHistory(history) }];
    for await (const { error } of Worker.runReplayHistories({ workflowBundle, sinks }, one)) return error;
    throw new Error('nothing was replayed');
  }

  it.each([...histories.keys()])('replay the same with it, traced or not: %s', async (name) => {
    const history = histories.get(name)!;
    expect(await replayError(history)).toBeUndefined();
    expect(await replayError(startedTraced(history))).toBeUndefined();
  });
});
