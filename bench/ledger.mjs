/**
 * Times the end of a run over a made-up cohort: listing the finished studies and compacting the outcomes, each in a fresh
 * process, with its peak memory:
 *
 *     npm run build && node bench/ledger.mjs [--studies 100000] [--paged] [--folder FOLDER] [--dist OTHER/dist] [--json]
 *
 * Every study has three outcomes and the manifest of its last step, one file each, as a first run leaves them; `--paged`
 * keeps the outcomes in pages instead, as a run leaves them that reuses everything. `--folder` keeps the cohort for another
 * round; `--dist` measures another build of the product over it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    studies: { type: 'string', default: '100000' },
    paged: { type: 'boolean', default: false },
    folder: { type: 'string' },
    dist: { type: 'string', default: join(dirname(fileURLToPath(import.meta.url)), '..', 'dist') },
    json: { type: 'boolean', default: false },
    measure: { type: 'string' },
  },
});
const studies = Number(options.studies);
const runId = options.paged ? 'paged' : 'single';
const load = (module) => import(pathToFileURL(join(resolve(options.dist), module)).href);
const { layout, UNITS_PER_PAGE } = await load('contracts/layout.js');

const caseOf = (index) => `C-${String(index).padStart(7, '0')}`;
const STEPS = ['imaging.convert', 'imaging.radiomics', 'imaging.overlay'];

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function recordsOf(index) {
  return STEPS.map((step, at) => ({
    caseId: caseOf(index),
    modality: 'imaging',
    part: '',
    step,
    outcome: options.paged ? 'reused' : 'done',
    code: '',
    why: options.paged ? 'unchanged' : 'new',
    attempts: 1,
    started: new Date(1_750_000_000_000 + index * 100 + at * 1000).toISOString(),
    seconds: 12.345,
    message: '',
  }));
}

function makeManifest(output, index) {
  const outputs = ['features.json', 'geometry.json'].map((path) => ({
    path,
    size: 4321,
    sha256: String(index).padStart(64, 'a'),
  }));
  const manifest = { step: STEPS[1], version: 1, params: 'p', inputs: { image: 'i', mask: 'm' }, outputs, summary: {} };
  write(layout.stepManifest(output, `imaging/${caseOf(index)}`, STEPS[1]), JSON.stringify(manifest, null, 1));
}

/** A cohort as a run leaves it before its end. */
function makeCohort(output) {
  for (let first = 0; first < studies; first += UNITS_PER_PAGE) {
    const last = Math.min(studies, first + UNITS_PER_PAGE) - 1;
    const indices = Array.from({ length: last - first + 1 }, (_, at) => first + at);
    const lines = (make) => indices.map((index) => `${JSON.stringify(make(index))}\n`).join('');
    const page = first / UNITS_PER_PAGE;
    const source = (index) => ({ kind: 'dicom', folder: `/data/${caseOf(index)}` });
    write(
      layout.unitPage(output, runId, 'imaging', page),
      lines((index) => ({ modality: 'imaging', caseId: caseOf(index), source: source(index) })),
    );
    write(
      layout.casePage(output, runId, page),
      lines((index) => ({ caseId: caseOf(index), carried: { site: 'north' } })),
    );
    const records = indices.map(recordsOf);
    if (options.paged) {
      const path = layout.recordPage(output, runId, { modality: 'imaging', first, last, name: 'bench' });
      write(
        path,
        `${records
          .flat()
          .map((record) => JSON.stringify(record))
          .join('\n')}\n`,
      );
    }
    for (const [at, index] of indices.entries()) {
      const manifest = layout.stepManifest(output, `imaging/${caseOf(index)}`, STEPS[1]);
      if (!existsSync(manifest)) makeManifest(output, index);
      if (options.paged) continue;
      for (const record of records[at]) {
        const folder = `${layout.records(output, runId)}/imaging/${record.caseId}`;
        write(`${folder}/${record.step}.1-done.json`, `${JSON.stringify(record)}\n`);
      }
    }
  }
}

/** Runs one of the two activities in this process and prints what it took. */
async function measure(name, output) {
  const { LocalFiles } = await load('adapters/local/files.js');
  const { FileLedger } = await load('adapters/local/file-ledger.js');
  const activities = await load('activities/case-index.js');
  const files = new LocalFiles();
  const services = { files, ledger: new FileLedger(files) };
  const began = process.hrtime.bigint();
  const result = await (name === 'list'
    ? activities.listFinished(services, { output, runId, modality: 'imaging' })
    : activities.compactOutcomes(services, { output, runId, state: 'finished' }));
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const made = name === 'list' ? result.list : result.file;
  const figures = { seconds, peakMb: process.resourceUsage().maxRSS / 1024, bytes: statSync(made).size };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

function inFreshProcess(name, output) {
  const given = process.argv.slice(2).filter((argument) => argument !== '--json');
  const run = spawnSync(process.execPath, [process.argv[1], ...given, '--measure', name, '--folder', output], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0) throw new Error(`measuring ${name} failed`);
  return JSON.parse(run.stdout);
}

if (options.measure !== undefined) await measure(options.measure, options.folder);
else {
  const output = options.folder === undefined ? mkdtempSync(join(tmpdir(), 'cohortflow-bench-')) : options.folder;
  try {
    if (!existsSync(layout.records(output, runId))) makeCohort(output);
    const figures = { studies, list: inFreshProcess('list', output), compact: inFreshProcess('compact', output) };
    if (options.json) console.log(JSON.stringify(figures));
    else {
      for (const name of ['list', 'compact']) {
        const { seconds, peakMb, bytes } = figures[name];
        const size = `${(bytes / 1e6).toFixed(1)} MB written`;
        console.log(`${name.padEnd(8)} ${seconds.toFixed(1)} s, at most ${peakMb.toFixed(0)} MB of memory, ${size}`);
      }
    }
  } finally {
    if (options.folder === undefined) rmSync(output, { recursive: true, force: true });
  }
}
