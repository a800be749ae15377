#!/usr/bin/env node
// The two commands of the README from a fresh clone, with Node alone: `demo` and `test`; `build` is their common
// beginning, which the launcher uses. No dependencies: nothing is installed when this starts, and npm's hooks may be off.
import { build } from './lib/build.mjs';
import { inForeground, say, seconds } from './lib/console.mjs';
import { checkNode, installPackages } from './lib/install.mjs';
import { alone } from './lib/lock.mjs';
import { join } from 'node:path';
import { product, ROOT } from './lib/product.mjs';
import { ensurePrograms } from './lib/system-packages.mjs';

const USAGE = 'usage: node scripts/bootstrap.mjs demo|test|build [arguments]';

async function setUp() {
  if (!checkNode()) return false;
  return alone(async () => (await installPackages()) && (await build()) && !interrupted);
}

/** The Temporal server, unless the environment names one; what it takes is printed. Returns false when there is none. */
async function temporalServer() {
  const { configuredServer } = await product('adapters/local/temporal-server.js');
  const { obtainTemporalCli } = await import('./lib/temporal-servers.mjs');
  try {
    const configured = configuredServer(process.env);
    if (configured !== undefined) say(`Temporal server: ${configured.address} (${configured.kind})`);
    else {
      const { path, source, serverVersion } = await obtainTemporalCli(say);
      say(`Temporal server: ${serverVersion} from ${source} (${path})`);
    }
    return true;
  } catch (error) {
    say(error.message);
    return false;
  }
}

async function demo(args) {
  const began = Date.now();
  if (!(await setUp()) || !(await temporalServer())) return 1;
  const missing = await ensurePrograms(['salmon']);
  if (missing.length > 0) say('The demo goes on with its reads already quantified.');
  say(`set-up: ${seconds(began)}`);
  if (interrupted) return 130;
  return inForeground(process.execPath, [join(ROOT, 'bin', 'cohortflow.js'), 'demo', ...args]);
}

async function test(args) {
  const began = Date.now();
  if (!(await setUp())) return 1;
  const { runTests } = await import('./lib/run-tests.mjs');
  return runTests(args, { began });
}

const [command, ...args] = process.argv.slice(2);
// Ctrl-C goes to the whole foreground group: the program in front decides, and this one waits for it.
let interrupted = false;
process.on('SIGINT', () => (interrupted = true));
if (command === 'demo') process.exitCode = await demo(args);
else if (command === 'test') process.exitCode = await test(args);
else if (command === 'build') process.exitCode = (await setUp()) ? 0 : 1;
else {
  say(USAGE);
  process.exitCode = 2;
}
if (interrupted && process.exitCode === 1) process.exitCode = 130;
