import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MESSAGE_FILE } from '../contracts/processing.js';

/** Where the service's folders begin: at the root of the container, or where a test simulates one. */
const ROOT = process.env['COHORTFLOW_CONTAINER_ROOT'] ?? '';

function say(message: string): void {
  process.stderr.write(`${message}\n`);
}

const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.once(name, () => {
    stop.abort(new DOMException('the job is stopped', 'AbortError'));
    // A step that does not heed it must not hold the machine.
    setTimeout(() => process.exit(143), 5_000).unref();
  });
}

// After the handlers: as the first process of a container this one hears no signal that it does not handle.
const { inputFiles, runStudy, StudyFailure } = await import('./run-study.js');
const { exitMessage, withoutInputs } = await import('./exit-message.js');
const { toFailure } = await import('../domain/errors.js');

try {
  const steps = await runStudy(ROOT, stop.signal, say);
  for (const { step, seconds, outputs } of steps) say(`${step}: ${outputs.length} files in ${seconds.toFixed(1)} s`);
} catch (error) {
  const { step, cause } = error instanceof StudyFailure ? error : { step: 'imaging.job', cause: error };
  const { code, message: said } = toFailure(cause);
  const message = withoutInputs(said, await inputFiles(ROOT));
  const place = join(ROOT === '' ? '/' : ROOT, MESSAGE_FILE);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, exitMessage({ code, step, message }));
  say(`${step}: ${code}: ${message}`);
  process.exitCode = stop.signal.aborted ? 143 : 1;
}
