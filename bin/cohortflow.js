#!/usr/bin/env node
// The committed launcher: plain JavaScript, so that `npx cohortflow` works in a checkout before anything was built.
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const entry = new URL('../dist/cli/main.js', import.meta.url);
const bootstrap = new URL('../scripts/bootstrap.mjs', import.meta.url);

if (!existsSync(entry) && existsSync(bootstrap)) {
  process.stderr.write('cohortflow: first use of this checkout, setting it up\n');
  // Its output belongs on standard error: standard output may carry a JSON document.
  const made = spawnSync(process.execPath, [fileURLToPath(bootstrap), 'build'], { stdio: ['inherit', 2, 2] });
  if (made.status !== 0) process.exit(1);
}
const { main } = await import(entry.href);
await main();
