/**
 * What orchestration costs: `imagingCohort` over many studies with the product's own study workflow and activities that
 * only answer, beside two naive shapes over the same study.
 *
 *     npm run build && node bench/orchestration.mjs [--sizes 162,1000] [--largest 10000] [--server memory,file]
 *                                                   [--shapes imagingCohort,promiseAll,slidingWindow] [--width 50] [--json]
 *
 * Each measurement has a fresh development server of the Temporal CLI and a fresh worker process. Printed per study: wall
 * time, events and billable actions (of its parents and its own), and the worker's memory at a quarter and at the end,
 * which shows whether it grows with the cohort.
 */
import { fork, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode } from '@temporalio/worker';
import { findTemporalCli } from '../scripts/lib/temporal-servers.mjs';
import { chain, mostInFlight, read } from './orchestration/histories.mjs';

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '162,1000' },
    largest: { type: 'string' },
    server: { type: 'string', default: 'memory,file' },
    shapes: { type: 'string', default: 'imagingCohort,promiseAll,slidingWindow' },
    width: { type: 'string', default: '50' },
    patience: { type: 'string', default: '600' },
    json: { type: 'boolean', default: false },
  },
});
const width = Number(options.width);
const QUEUE = 'bench';
/** Studies whose histories are read. */
const SAMPLE = 20;
const here = fileURLToPath(new URL('.', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'orchestration-'));
const note = (line) => process.stderr.write(`${line}\n`);

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function startServer(program, kind) {
  const port = await freePort();
  const database = join(work, `${port}.db`);
  // As `cohortflow server start` does it.
  const pragmas = ['journal_mode=WAL', 'synchronous=NORMAL'].flatMap((pragma) => ['--sqlite-pragma', pragma]);
  const file = kind === 'file' ? ['--db-filename', database, ...pragmas] : [];
  const args = ['server', 'start-dev', '--headless', '--port', String(port), '--log-level', 'error', ...file];
  const child = spawn(program, args, { stdio: 'ignore' });
  const address = `127.0.0.1:${port}`;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 2000 });
      return { address, connection, client: new Client({ connection }), child, database };
    } catch (error) {
      if (attempt > 60) throw error;
      await sleep(500);
    }
  }
}

async function startWorker(address, bundle, studies) {
  const given = JSON.stringify({ address, bundle, studies, queue: QUEUE });
  const child = fork(join(here, 'orchestration', 'worker.mjs'), [given], { stdio: 'inherit' });
  const memory = [];
  let answer;
  await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)));
    child.on('message', (message) => {
      if (message.ready) resolve();
      if (message.rss) memory.push([Date.now(), message.rss]);
      answer?.(message.outcomes);
    });
  });
  const outcomes = () =>
    new Promise((resolve) => {
      answer = (found) => found && resolve(found);
      child.send('outcomes');
    });
  return { child, memory, outcomes };
}

const INPUTS = {
  imagingCohort: () => ({ cohort: '/sheet.csv', output: '/out', concurrency: width }),
  promiseAll: (studies) => ({ studies }),
  slidingWindow: (studies) => ({ studies, width, page: 200 }),
};

/** Every run of every parent of the studies: the root, its lanes, the wrappers of the sliding window. */
async function parents(client, shape, handle, studies) {
  const root = await chain(client, handle.workflowId, handle.firstExecutionRunId);
  const lanes = [];
  if (shape === 'imagingCohort') {
    const { events } = await client.workflow.getHandle(handle.workflowId).fetchHistory();
    for (const event of events) {
      const started = event.childWorkflowExecutionStartedEventAttributes;
      if (started?.workflowType.name !== 'cohortLane') continue;
      const { workflowId, runId } = started.workflowExecution;
      lanes.push(...(await chain(client, workflowId, runId)));
    }
  }
  const wrappers = [];
  if (shape === 'slidingWindow') {
    for (const index of sample(studies)) {
      wrappers.push(read(await client.workflow.getHandle(`${handle.workflowId}/reporting-${index}`).fetchHistory()));
    }
  }
  return { root, lanes, wrappers };
}

function sample(studies) {
  return Array.from({ length: Math.min(SAMPLE, studies) }, (_, at) => Math.floor((at * studies) / SAMPLE));
}

const mean = (values) => (values.length === 0 ? 0 : values.reduce((sum, one) => sum + one, 0) / values.length);
const total = (runs, what) => runs.reduce((sum, run) => sum + run[what], 0);

async function measure(program, bundle, kind, shape, studies) {
  const server = await startServer(program, kind);
  const worker = await startWorker(server.address, bundle, studies);
  const { client } = server;
  const line = { server: kind, shape, studies };
  try {
    const began = Date.now();
    const handle = await client.workflow.start(shape, {
      workflowId: 'cohort',
      taskQueue: QUEUE,
      args: [INPUTS[shape](studies)],
      workflowTaskTimeout: '10 seconds',
    });
    const late = sleep(Number(options.patience) * 1000 * Math.max(1, studies / 1000), 'late');
    const end = await Promise.race([handle.result(), late]);
    const seconds = (Date.now() - began) / 1000;
    if (end === 'late') {
      const { historyLength } = await handle.describe();
      return { ...line, broke: `not ended after ${seconds.toFixed(0)} s; its history has ${historyLength} events` };
    }
    const quarter = worker.memory.find(([at]) => at >= began + (seconds * 1000) / 4)?.[1] ?? 0;
    const { once, twice, failures } = await worker.outcomes();
    const { root, lanes, wrappers } = await parents(client, shape, handle, studies);
    const own = [];
    for (const index of sample(studies)) {
      own.push(read(await client.workflow.getHandle(`cohort/S-${index}`).fetchHistory()));
    }
    const above = [...root, ...lanes];
    return {
      ...line,
      seconds,
      perSecond: studies / seconds,
      msPerStudy: (seconds * 1000) / studies,
      eventsPerStudy:
        total(above, 'events') / studies + mean(wrappers.map((run) => run.events)) + mean(own.map((run) => run.events)),
      actionsPerStudy:
        total(above, 'actions') / studies +
        mean(wrappers.map((run) => run.actions)) +
        mean(own.map((run) => run.actions)),
      rootEvents: Math.max(...root.map((run) => run.events)),
      laneEvents: Math.max(0, ...lanes.map((run) => run.events)),
      inFlight: mostInFlight(lanes.length > 0 ? lanes : root),
      quarterMb: quarter / 2 ** 20,
      endMb: (worker.memory.at(-1)?.[1] ?? 0) / 2 ** 20,
      databaseMb: kind === 'file' ? statSync(server.database).size / 2 ** 20 : undefined,
      exactlyOnce: once === studies && twice === 0 && failures === 0,
    };
  } catch (error) {
    return { ...line, broke: error.cause?.message ?? error.message };
  } finally {
    worker.child.removeAllListeners('exit');
    worker.child.kill('SIGKILL');
    await server.connection.close();
    server.child.kill('SIGKILL');
  }
}

const COLUMNS = [
  ['studies', (one) => one.studies.toLocaleString('en')],
  ['shape', (one) => one.shape],
  ['studies/s', (one) => one.perSecond.toFixed(1)],
  ['ms/study', (one) => one.msPerStudy.toFixed(0)],
  ['events/study', (one) => one.eventsPerStudy.toFixed(1)],
  ['actions/study', (one) => one.actionsPerStudy.toFixed(1)],
  ['root events', (one) => String(one.rootEvents)],
  ['largest lane', (one) => (one.laneEvents === 0 ? '–' : String(one.laneEvents))],
  ['in flight', (one) => String(one.inFlight)],
  ['worker at ¼ → end', (one) => `${one.quarterMb.toFixed(0)} → ${one.endMb.toFixed(0)} MB`],
  ['each once', (one) => (one.exactlyOnce ? 'yes' : 'NO')],
];

function table(lines) {
  const row = (cells) => `| ${cells.join(' | ')} |`;
  const body = lines.map((one) =>
    one.broke === undefined
      ? row(COLUMNS.map(([, text]) => text(one)))
      : row([one.studies.toLocaleString('en'), one.shape, `broke: ${one.broke}`, ...COLUMNS.slice(3).map(() => '')]),
  );
  return [row(COLUMNS.map(([name]) => name)), row(COLUMNS.map(() => '---')), ...body].join('\n');
}

/** What the product promises of its own shape. */
function misses(one) {
  if (one.shape !== 'imagingCohort' || one.broke !== undefined) return [];
  const limit = one.server === 'memory' ? 60 : 150;
  return [
    [one.msPerStudy <= limit, `${one.msPerStudy.toFixed(0)} ms a study on the ${one.server} server, wanted ${limit}`],
    [one.eventsPerStudy <= 40, `${one.eventsPerStudy.toFixed(1)} events a study, wanted 40`],
    [one.actionsPerStudy <= 12, `${one.actionsPerStudy.toFixed(1)} actions a study, wanted 12`],
    // A cohort without lanes is its own lane.
    [one.rootEvents < (one.laneEvents > 0 ? 500 : 4_000), `${one.rootEvents} events of the root`],
    [one.laneEvents < 4_000, `${one.laneEvents} events of a lane's run`],
    [one.inFlight <= width, `${one.inFlight} in flight, wanted ${width}`],
    [one.exactlyOnce, 'not every study was run exactly once'],
  ].flatMap(([held, text]) => (held ? [] : [`${one.studies} studies: ${text}`]));
}

const program = await findTemporalCli();
if (program === undefined) throw new Error('the Temporal CLI is not here: npm test fetches it');
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };
const { code } = await bundleWorkflowCode({ workflowsPath: join(here, 'orchestration', 'shapes.mjs'), logger: silent });
const bundle = join(work, 'bundle.js');
writeFileSync(bundle, code);

const lines = [];
try {
  for (const kind of options.server.split(',')) {
    for (const studies of options.sizes.split(',').map(Number)) {
      for (const shape of options.shapes.split(',')) {
        const one = await measure(program, bundle, kind, shape, studies);
        lines.push(one);
        note(`${kind} ${shape} ${studies}: ${one.broke ?? `${one.msPerStudy.toFixed(1)} ms a study`}`);
      }
    }
    if (options.largest !== undefined) {
      const one = await measure(program, bundle, kind, 'imagingCohort', Number(options.largest));
      lines.push(one);
      note(`${kind} imagingCohort ${options.largest}: ${one.broke ?? `${one.msPerStudy.toFixed(1)} ms a study`}`);
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
if (options.json) process.stdout.write(`${JSON.stringify(lines, null, 2)}\n`);
else {
  for (const kind of options.server.split(',')) {
    process.stdout.write(`\nserver: ${kind}\n\n${table(lines.filter((one) => one.server === kind))}\n`);
  }
}
const missed = lines.flatMap(misses);
for (const line of missed) note(`MISSED ${line}`);
process.exit(missed.length > 0 ? 1 : 0);
