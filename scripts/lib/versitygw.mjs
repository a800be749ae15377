// versitygw: an S3 server that checks signatures, conditions and checksums, for the tests. Moto checks no signatures.
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { onPath, quietly, say } from './console.mjs';
import { product } from './product.mjs';

const VERSION = 'v1.8.0';
const GO_MODULE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;
const PATIENCE_MS = 15 * 60_000;

/** `versitygw`: the one that COHORTFLOW_TEST_VERSITYGW names, on PATH, in our cache, or built with Go; else why there is none. */
export async function obtainVersityGateway() {
  const named = process.env.COHORTFLOW_TEST_VERSITYGW ?? onPath('versitygw');
  if (named !== undefined && existsSync(named)) return { path: named };
  const { loadConfig } = await product('config/load-config.js');
  const { withLock } = await product('adapters/local/tool-cache.js');
  const folder = join(loadConfig().cacheFolder, `versitygw-${VERSION.slice(1)}`);
  const path = join(folder, 'versitygw');
  if (existsSync(path)) return { path };
  const go = onPath('go');
  if (go === undefined) return { reason: 'Go is not on PATH' };
  return withLock(
    `${folder}.lock`,
    async () => {
      if (existsSync(path)) return { path };
      const made = `${folder}.${process.pid}`;
      try {
        await mkdir(made, { recursive: true });
        const args = ['install', '-ldflags=-s -w', GO_MODULE];
        const env = { ...process.env, GOBIN: made };
        if (!(await quietly(`building ${GO_MODULE}, once`, go, args, { env })))
          return { reason: 'Go could not build it' };
        await rm(folder, { recursive: true, force: true });
        await rename(made, folder);
        return { path };
      } finally {
        await rm(made, { recursive: true, force: true });
      }
    },
    { log: say, waitingFor: 'building versitygw', patienceMs: PATIENCE_MS },
  );
}
