import assert from 'node:assert';
import { AsyncLocalStorage } from 'node:async_hooks';
import { URL, URLSearchParams } from 'node:url';
import { TextDecoder, TextEncoder } from 'node:util';
import { Script, createContext } from 'node:vm';

/** Long for what takes a tenth of a second; a module that loops must not hang the start of a worker. */
const EVALUATION_MS = 20_000;

const quiet = { log() {}, info() {}, warn() {}, error() {}, debug() {} };

/** What module code of a workflow may ask for while it is loaded: the SDK has a workflow around it then, here is none. */
function standIn(): Record<string, unknown> {
  const random = (): number => 0.5;
  const unsafe = { isReplaying: false, isReplayingHistoryEvents: false, now: () => 0 };
  return {
    info: { workflowType: '', workflowId: '', runId: '', taskQueue: '', namespace: '', searchAttributes: {}, unsafe },
    now: 0,
    // The name differs between versions of the SDK.
    random,
    currentRandom: random,
    workflowSandboxDestructors: [],
    interceptors: { inbound: [], outbound: [], internals: [] },
  };
}

/**
 * The names of the functions that a bundle of the SDK's bundler exports as workflows, however they came there: the bundle
 * is loaded, as a worker would load it, into a context of its own with the SDK's globals, and asked.
 *
 * @throws whatever the code throws while it is loaded
 */
export function workflowsInBundle(code: string): ReadonlySet<string> {
  const context = createContext({
    ...{ URL, URLSearchParams, TextDecoder, TextEncoder, AbortController, AsyncLocalStorage, assert },
    console: quiet,
    __webpack_module_cache__: {},
    __TEMPORAL_ACTIVATOR__: standIn(),
  });
  new Script(code, { filename: 'workflow-bundle.js' }).runInContext(context, { timeout: EVALUATION_MS });
  const list = new Script(
    `{ const found = __TEMPORAL__.importWorkflows();
       JSON.stringify(Object.keys(found).filter((name) => typeof found[name] === 'function')); }`,
  );
  return new Set(JSON.parse(list.runInContext(context, { timeout: EVALUATION_MS }) as string) as string[]);
}
