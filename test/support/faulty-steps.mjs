// Loaded into every Node process below a worker by NODE_OPTIONS: makes the processes of steps do, for some cases, what a
// process must never do. TEST_STEP_FAULTS is a JSON object of case ids and faults, TEST_STEP_FOLDER remembers who had theirs.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const held = [];

const FAULTS = {
  exits: () => process.exit(3),
  crashes: () =>
    setTimeout(() => {
      throw 'a text, not an error';
    }),
  'is killed once': (id) => {
    const mark = join(process.env.TEST_STEP_FOLDER, `${id}.killed`);
    if (existsSync(mark)) return false;
    writeFileSync(mark, '');
    process.kill(process.pid, 'SIGKILL');
    return true;
  },
  // Typed arrays live outside the JavaScript heap.
  'outgrows its memory': () => setInterval(() => held.push(new Float64Array(4e6).fill(1)), 20),
  'fails with a code that nobody knows': () =>
    process.send({ kind: 'failed', failure: { code: 'NoSuchCode', message: 'of another version', details: {} } }),
};

function faultOf({ task }) {
  if (task.step !== 'imaging.convert') return undefined;
  const faults = JSON.parse(process.env.TEST_STEP_FAULTS);
  const parts = Object.values(task.inputs).flat().join('/').split('/');
  const id = Object.keys(faults).find((name) => parts.includes(name));
  return id === undefined ? undefined : () => FAULTS[faults[id]](id);
}

if (process.argv[1]?.endsWith('step-host.js')) {
  const { on } = process;
  process.on = function faultyOn(event, listener) {
    if (event !== 'message') return on.call(this, event, listener);
    return on.call(this, event, (message) => {
      const fault = faultOf(message);
      if (fault === undefined || fault() === false) listener(message);
    });
  };
}
