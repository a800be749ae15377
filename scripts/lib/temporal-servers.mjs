// The servers that tests need: the Temporal CLI's development server (the product's own logic finds or gets it) and the
// time-skipping server, which only tests use. `find…` looks only; `obtain…` downloads or builds. Both need dist/.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { product } from './product.mjs';
import { onPath, seconds } from './console.mjs';

const TEST_SERVER = 'io.temporal:temporal-test-server:1.38.0';
// Takes the place of the logging that the server would otherwise miss aloud at every start.
const NO_LOGGING = 'org.slf4j:slf4j-nop:1.7.36';
// The SDK waits five seconds for the server to listen: a busy machine needs more with Java's defaults.
const QUICK_START = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto';
const MAVEN_DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
const PATIENCE_MS = 15 * 60_000;

async function cacheFolder() {
  const { loadConfig } = await product('config/load-config.js');
  return loadConfig().cacheFolder;
}

/** Path of the Temporal CLI on PATH or in our cache, or undefined. */
export async function findTemporalCli() {
  const { findTemporalProgram } = await product('adapters/local/temporal-server-program.js');
  return (await findTemporalProgram(await cacheFolder(), () => undefined))?.path;
}

/** The Temporal CLI with its source and server version; fetched when it is not there. Throws when it cannot be had. */
export async function obtainTemporalCli(log) {
  const { obtainTemporalProgram } = await product('adapters/local/temporal-server-program.js');
  return obtainTemporalProgram(await cacheFolder(), log);
}

async function testServerPlaces() {
  const bin = join(await cacheFolder(), 'bin');
  return { bin, executable: join(bin, 'temporal-test-server'), jars: join(bin, 'temporal-test-server-jars') };
}

/** Path for the SDK's `executable: { type: 'existing-path', path }`, or undefined when the server was not fetched. */
export async function findTestServer() {
  const { executable } = await testServerPlaces();
  if (!existsSync(executable)) return undefined;
  const start = await readFile(executable).then((bytes) => bytes.subarray(0, 2).toString());
  // Ours is a script around Java; the SDK's download is a program of its own.
  return start === '#!' && onPath('java') === undefined ? undefined : executable;
}

/** The time-skipping server: from the cache, the SDK's download, or Maven's jars with Java; else why there is none. */
export async function obtainTestServer(log) {
  const found = await findTestServer();
  if (found !== undefined) return { path: found };
  const { withLock } = await product('adapters/local/tool-cache.js');
  const places = await testServerPlaces();
  return withLock(
    join(places.bin, 'temporal-test-server.lock'),
    async () => {
      const meanwhile = await findTestServer();
      if (meanwhile !== undefined) return { path: meanwhile };
      const download = await fromSdk(places, log);
      if (download === undefined) return { path: places.executable };
      const maven = await fromMaven(places, log);
      if (maven === undefined) return { path: places.executable };
      return { reason: `${download}; ${maven}` };
    },
    { log, waitingFor: 'fetching the time-skipping server', patienceMs: PATIENCE_MS },
  );
}

async function fromSdk({ bin, executable }, log) {
  const { downloadServer } = await product('adapters/local/temporal-server-download.js');
  log('time-skipping server: asking the SDK to download it');
  const folder = join(bin, 'test-server-download');
  try {
    const got = await downloadServer('time-skipping', folder, log);
    if (got.path === undefined) return `download: ${got.reason}`;
    await chmod(got.path, 0o755);
    await rename(got.path, executable);
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fromMaven({ executable, jars }, log) {
  const missing = ['java', 'mvn'].filter((program) => onPath(program) === undefined);
  if (missing.length > 0) return `Maven: ${missing.join(' and ')} not on PATH`;
  log(`time-skipping server: fetching ${TEST_SERVER} with Maven`);
  const folder = `${jars}.${process.pid}`;
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'pom.xml'), pom([TEST_SERVER, NO_LOGGING]));
    const failure = await run(
      'mvn',
      ['-B', '-f', join(folder, 'pom.xml'), `${MAVEN_DEPENDENCY_PLUGIN}:copy-dependencies`, '-DoutputDirectory=lib'],
      log,
    );
    if (failure !== undefined) return `Maven: ${failure}`;
    await rm(jars, { recursive: true, force: true });
    await rename(folder, jars);
    const script = `#!/bin/sh\nexec java ${QUICK_START} -cp "$(dirname "$0")/${basename(jars)}/lib/*" io.temporal.testserver.TestServer "$@"\n`;
    await writeFile(`${executable}.${process.pid}`, script, { mode: 0o755 });
    await rename(`${executable}.${process.pid}`, executable);
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function pom(artifacts) {
  const dependencies = artifacts.map((name) => {
    const [groupId, artifactId, version] = name.split(':');
    return `    <dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>test-server</artifactId><version>1</version>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`;
}

/** Runs a program with a line of progress now and then; returns why it failed, or undefined. */
async function run(program, args, log) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const began = Date.now();
  let downloads = 0;
  let lastError = '';
  child.stdout.on('data', (chunk) => {
    const text = chunk.toString();
    downloads += text.split('Downloaded from').length - 1;
    lastError = text.split('\n').findLast((line) => line.startsWith('[ERROR]')) ?? lastError;
  });
  const timer = setInterval(() => log(`time-skipping server: ${downloads} files, ${seconds(began)}`), 10_000);
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(-1));
    child.once('close', resolve);
  });
  clearInterval(timer);
  return code === 0 ? undefined : lastError.slice(0, 300) || `exit code ${code}`;
}
