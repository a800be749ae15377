// The worker of the orchestration benchmark: the product's workflows, and activities that only answer. Tells its memory.
import { NativeConnection, DefaultLogger, Runtime } from '@temporalio/worker';
import { createWorkers, runWorkers } from '../../dist/workers/create-workers.js';

const { address, bundle, studies, queue } = JSON.parse(process.argv[2]);
Runtime.install({ logger: new DefaultLogger('ERROR') });

const unit = (index) => ({
  modality: 'imaging',
  caseId: `S-${index}`,
  source: { kind: 'dicom', folder: `/studies/${index}` },
});
const drawn = new Uint8Array(studies);
let failures = 0;

const quick = {
  prepareCohort: async ({ runId }) => ({ runId, cases: studies, imaging: studies, genomics: 0 }),
  nextUnits: async ({ first, stride, from, limit }) => {
    const units = [];
    for (let at = from; units.length < limit && first + at * stride < studies; at += 1) {
      units.push({ unit: unit(first + at * stride), at, reused: 0 });
    }
    return { units, reused: 0, next: from + units.length };
  },
  selectFailed: async () => ({ total: 0 }),
  claimPool: async () => undefined,
  openWorkflows: async ({ ids }) => ({ open: ids }),
  recordOutcome: async () => {
    failures += 1;
  },
  listFinished: async () => ({ list: '/list', units: 1, segments: 0 }),
  compactOutcomes: async () => ({ file: '/outcomes.csv', cases: '/cases.jsonl', failed: 0 }),
  closeRun: async () => undefined,
};
const heavy = {
  runStep: async ({ step, unit: who }) => {
    if (step === 'imaging.overlay') drawn[Number(who.caseId.slice(2))] += 1;
    return { outcome: 'done', why: 'new', folder: '/out', outputs: ['file'], summary: { rows: 1, columns: 1 } };
  },
};

const connection = await NativeConnection.connect({ address });
const workers = await createWorkers({
  connection,
  namespace: 'default',
  taskQueue: queue,
  workflowBundle: { codePath: bundle },
  quick,
  heavy,
  jobs: 50,
});
const stop = new AbortController();
process.on('message', (message) => {
  if (message === 'stop') stop.abort();
  if (message !== 'outcomes') return;
  const once = drawn.filter((times) => times === 1).length;
  process.send({ outcomes: { once, twice: drawn.filter((times) => times > 1).length, failures } });
});
const timer = setInterval(() => process.send({ rss: process.memoryUsage().rss, cpu: process.cpuUsage() }), 500);
process.send({ ready: true });
await runWorkers(workers, stop.signal);
clearInterval(timer);
await connection.close();
process.disconnect();
