/**
 * Times what a run cost, summed over a made-up run that gave many jobs away, in a fresh process, with its peak memory and
 * how often files were listed and read, which is what takes long in S3:
 *
 *     npm run build && node bench/run-costs.mjs [--jobs 100000] [--reports 3] [--folder FOLDER] [--dist OTHER/dist]
 *
 * One job in fifty was told twice (an answer that was lost). `--dist` measures another build of the product, which keeps what
 * was paid in its own way: give it a folder of its own, or none.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    jobs: { type: 'string', default: '100000' },
    reports: { type: 'string', default: '3' },
    folder: { type: 'string' },
    dist: { type: 'string', default: join(dirname(fileURLToPath(import.meta.url)), '..', 'dist') },
    measure: { type: 'boolean', default: false },
  },
});
const runId = 'bench';
const load = (module) => import(pathToFileURL(join(resolve(options.dist), module)).href);
const { layout } = await load('contracts/layout.js');
const { LocalFiles } = await load('adapters/local/files.js');
const { notePaid, writeRunCosts } = await load('activities/run-costs.js');
const { sha256Text } = await load('activities/canonical-json.js');

/** The same files, but nothing is waited for until it is safe on the disk: a made-up run has nothing to lose. */
class QuickFiles extends LocalFiles {
  async writeOnce(path, content) {
    if (existsSync(path)) return false;
    await this.write(path, content);
    return true;
  }
}

async function makeRun(output) {
  const files = new QuickFiles();
  for (let job = 0; job < Number(options.jobs); job += 1) {
    const name = `cohortflow-${sha256Text(String(job)).slice(0, 32)}`;
    const paid = (seconds) => [
      { executor: 'sagemaker', instanceType: 'ml.r5.large', seconds, spot: false, region: 'us-east-1' },
    ];
    await notePaid(files, { output, runId }, name, paid(300 + (job % 500) / 8));
    if (job % 50 === 0) await notePaid(files, { output, runId }, name, paid(400 + (job % 500) / 8));
  }
}

async function measure(output) {
  const files = new LocalFiles();
  const calls = { lists: 0, reads: 0 };
  for (const [method, kind] of [
    ['names', 'lists'],
    ['readText', 'reads'],
  ]) {
    const inner = files[method].bind(files);
    files[method] = (...args) => {
      calls[kind] += 1;
      return inner(...args);
    };
  }
  const seconds = [];
  let costs;
  for (let report = 0; report < Number(options.reports); report += 1) {
    const began = process.hrtime.bigint();
    costs = await writeRunCosts(files, { output, runId });
    seconds.push((Number(process.hrtime.bigint() - began) / 1e9).toFixed(2));
  }
  const [{ machines, seconds: paid }] = costs.machines;
  const peak = (process.resourceUsage().maxRSS / 1024).toFixed(0);
  console.log(
    `${machines} machines, ${paid} s paid: a report takes ${seconds.join(', ')} s, at most ${peak} MB of memory`,
  );
  console.log(`all reports together: ${calls.lists} folders listed, ${calls.reads} files read`);
}

if (options.measure) await measure(options.folder);
else {
  const output = options.folder ?? mkdtempSync(join(tmpdir(), 'cohortflow-bench-'));
  try {
    if (!existsSync(layout.paid(output, runId))) await makeRun(output);
    const given = [...process.argv.slice(1), '--measure', '--folder', output];
    const run = spawnSync(process.execPath, given, { stdio: 'inherit' });
    process.exitCode = run.status ?? 1;
  } finally {
    if (options.folder === undefined) rmSync(output, { recursive: true, force: true });
  }
}
