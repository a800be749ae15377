// `npm test`: style, lint, types, then all suites, then part of them on the other supported lines of Node.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inForeground, quietly, say, seconds } from './console.mjs';
import { DEPLOY, obtainCfnLint, obtainDeployPackages } from './deploy-app.mjs';
import { obtainNode, SUPPORTED_LINES } from './other-nodes.mjs';
import { obtainMoto } from './moto.mjs';
import { product, ROOT } from './product.mjs';
import { ensurePrograms } from './system-packages.mjs';
import { obtainTemporalCli, obtainTestServer } from './temporal-servers.mjs';
import { addReport, closing, countCheck, countSkip, newSummary, noteReasons } from './test-summary.mjs';
import { obtainVersityGateway } from './versitygw.mjs';

const RESULTS = join(ROOT, '.cache', 'test-results');
const STATE = join(ROOT, '.cache', 'test-state');
/** The tests' temporary files, gigabytes of phantoms after some runs: removed at the end unless a test failed. */
const TEMPORARY = mkdtempSync(join(tmpdir(), 'cohortflow-test-'));
const VITEST = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const PARALLEL = ['unit', 'reference', 'contract', 'activities'];
// These start servers and processes of their own: two files at a time fill a machine of two cores.
const WITH_SERVERS = ['workflows', 'replay', 'e2e'];
// Whole runs against stand-ins of services mostly wait for them.
const WAITING = ['e2e/aws'];
/** What also runs on the other lines of Node: all pure logic, and the package as a user would install it. */
const ON_OTHER_NODES = ['test/unit', 'test/e2e/pack.test.ts'];

/** Path of AWS's stand-in for S3, once it was looked for. */
let motoServer;
/** Path of the S3 server that checks signatures, once it was looked for. */
let versityGateway;
/** Path of the checker of CloudFormation templates, and why the CDK app cannot be tested; once they were looked for. */
let cfnLint;
let noDeploy;

function isCi() {
  const { CI } = process.env;
  return CI !== undefined && !['', '0', 'false'].includes(CI.toLowerCase());
}

function hasTests(path) {
  const full = join(ROOT, path);
  if (!existsSync(full)) return false;
  return path.endsWith('.ts') || readdirSync(full, { recursive: true }).some((name) => `${name}`.endsWith('.test.ts'));
}

/**
 * What the tests see: no Temporal server or profile of the user, and an embedded server's folder of their own, so that a
 * test that forgets to choose one harms nothing.
 */
function testEnvironment() {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
  const moto = motoServer === undefined ? {} : { COHORTFLOW_TEST_MOTO: motoServer };
  return {
    ...env,
    ...moto,
    ...(versityGateway === undefined ? {} : { COHORTFLOW_TEST_VERSITYGW: versityGateway }),
    ...(cfnLint === undefined ? {} : { COHORTFLOW_TEST_CFN_LINT: cfnLint }),
    TMPDIR: TEMPORARY,
    COHORTFLOW_STATE: STATE,
    TEMPORAL_CONFIG_FILE: join(RESULTS, 'no-profile.toml'),
  };
}

async function tidyUp(failed) {
  const { stopServer } = await product('adapters/local/temporal-server.js');
  if (await stopServer(STATE)) say('a test left the embedded server running: stopped');
  if (failed) say(`temporary files of the tests: ${TEMPORARY}`);
  else rmSync(TEMPORARY, { recursive: true, force: true });
}

/** Runs vitest, shows its output, and counts. */
async function vitest(summary, title, paths, { node = process.execPath, args = [], root = ROOT } = {}) {
  const present = paths.filter(hasTests);
  if (present.length === 0) return;
  const began = Date.now();
  const report = join(RESULTS, `${title.replace(/\W+/g, '-')}.json`);
  say(`\n== ${title}: ${present.join(' ')}`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  // Whole paths: vitest takes others as below its root, which is not always ours.
  const whole = present.map((path) => join(ROOT, path));
  const child = spawn(node, [VITEST, 'run', ...whole, ...args, ...reporters], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: testEnvironment(),
  });
  for (const [stream, out] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      out.write(text);
      noteReasons(summary, text);
    });
  }
  const exitCode = await new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (code) => resolve(code ?? 1));
  });
  addReport(summary, title, report, exitCode, ROOT);
  say(`== ${title}: ${seconds(began)}`);
}

async function checks(summary) {
  const bin = (name, ...path) => join(ROOT, 'node_modules', name, ...path);
  const run = async (title, ...args) =>
    countCheck(summary, title, await quietly(title, process.execPath, args, { cwd: ROOT }));
  await Promise.all([
    run('lint', bin('eslint', 'bin', 'eslint.js'), '.'),
    run('types', bin('typescript', 'bin', 'tsc'), '-p', 'tsconfig.json', '--noEmit')
      .then(() => run('format', bin('prettier', 'bin', 'prettier.cjs'), '--check', '.'))
      .then(() =>
        noDeploy === undefined
          ? run('types of deploy/', bin('typescript', 'bin', 'tsc'), '-p', 'deploy/tsconfig.json', '--noEmit')
          : countSkip(summary, 'types and lint of deploy/', noDeploy),
      ),
  ]);
}

async function otherNodes(summary) {
  const own = Number(process.versions.node.split('.')[0]);
  for (const major of SUPPORTED_LINES.filter((line) => line !== own)) {
    const node = await obtainNode(major);
    if (node === undefined) countSkip(summary, `Node ${major}`, `no Node ${major} for this machine from npm`);
    else
      await vitest(summary, `Node ${node.version}`, ON_OTHER_NODES, {
        node: node.binary,
        args: ['--maxWorkers=2'],
      });
  }
}

/** Fetches what the suites need from outside; what cannot be had is said, and the tests that need it skip. */
async function prepare() {
  await ensurePrograms(['salmon', 'fastq-dump']);
  const { path, serverVersion, source } = await obtainTemporalCli(say);
  say(`Temporal server for tests: ${serverVersion} from ${source} (${path})`);
  // A minute of compiling, while what follows mostly waits for its downloads.
  const building = obtainVersityGateway();
  let testServer = await obtainTestServer(say);
  if (testServer.path === undefined && (await ensurePrograms(['java', 'mvn'])).length === 0) {
    testServer = await obtainTestServer(say);
  }
  const moto = await obtainMoto();
  motoServer = moto.path;
  say(`moto: ${moto.path ?? `none (${moto.reason}); its tests are skipped`}`);
  const gateway = await building;
  versityGateway = gateway.path;
  say(`versitygw: ${gateway.path ?? `none (${gateway.reason}); what S3 checks is not tested`}`);
  const lint = await obtainCfnLint(motoServer);
  cfnLint = lint.path;
  say(`cfn-lint: ${lint.path ?? `none (${lint.reason}); templates of the CDK app are not linted`}`);
  noDeploy = await obtainDeployPackages();
  if (noDeploy !== undefined) say(`${noDeploy}: the CDK app is not tested`);
  say(`time-skipping server: ${testServer.path ?? `none (${testServer.reason}); its tests are skipped`}`);
}

/**
 * All checks and suites; with arguments only vitest, with these arguments (a path, `-t name`).
 * Other lines of Node are tried in CI, or with `--all-nodes`. Returns the exit code.
 */
export async function runTests(args, { began }) {
  try {
    await prepare();
  } catch (error) {
    say(error.message);
    return 1;
  }
  say(`set-up: ${seconds(began)}`);
  const allNodes = isCi() || args.includes('--all-nodes');
  const chosen = args.filter((argument) => argument !== '--all-nodes');
  if (chosen.length > 0) {
    // `deploy` is the CDK app, which has a vitest of its own.
    const [first, ...others] = chosen;
    const options = { cwd: first === 'deploy' ? DEPLOY : ROOT, env: testEnvironment() };
    const theirs = first === 'deploy' ? others : chosen;
    const exitCode = await inForeground(process.execPath, [VITEST, 'run', ...theirs], options);
    await tidyUp(exitCode !== 0);
    return exitCode;
  }
  const summary = newSummary();
  rmSync(RESULTS, { recursive: true, force: true });
  mkdirSync(RESULTS, { recursive: true });
  const suites = (names) => names.map((name) => `test/${name}`);
  await checks(summary);
  await vitest(summary, 'suites', suites(PARALLEL));
  if (noDeploy === undefined) await vitest(summary, 'CDK app', ['deploy/test'], { root: DEPLOY });
  else countSkip(summary, 'deploy/test', noDeploy);
  const others = suites(WAITING).map((path) => `--exclude=${path}/**`);
  await vitest(summary, 'suites with servers', suites(WITH_SERVERS), { args: ['--maxWorkers=2', ...others] });
  await vitest(summary, 'suites with services', suites(WAITING), { args: ['--maxWorkers=3'] });
  if (allNodes) await otherNodes(summary);
  else say('\nOther lines of Node are tested in CI, or with `npm test -- --all-nodes`.');
  await tidyUp(summary.failed > 0);
  say(`\nall of it: ${seconds(began)}`);
  process.stdout.write(`${closing(summary)}\n`);
  return summary.failed === 0 ? 0 : 1;
}
