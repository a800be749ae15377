// A host of the process pool for tests: its steps do what a real step must never do.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const answer = (reply) => process.connected && process.send(reply);
const held = [];

const STEPS = {
  echo: ({ params }) => answer({ kind: 'done', summary: { ...params, pid: process.pid } }),
  slow: ({ params }) => setTimeout(() => answer({ kind: 'done', summary: { pid: process.pid } }), params.ms),
  progress: () => {
    answer({ kind: 'progress', message: 'slice 1 of 2' });
    answer({ kind: 'done', summary: {} });
  },
  talk: ({ params: { times, ms } }) => {
    let said = 0;
    const timer = setInterval(() => {
      answer({ kind: 'progress', message: `${(said += 1)}` });
      if (said < times) return;
      clearInterval(timer);
      answer({ kind: 'done', summary: { said } });
    }, ms);
  },
  coded: () => answer({ kind: 'failed', failure: { code: 'SegNotFound', message: 'no SEG', details: { series: 2 } } }),
  exit: () => process.exit(3),
  killed: () => process.kill(process.pid, 'SIGKILL'),
  hang: () => setInterval(() => undefined, 1000),
  // Blocks the event loop: SIGTERM is never handled.
  busy: () => {
    for (;;);
  },
  // Typed arrays live outside the JavaScript heap.
  volumes: () => setInterval(() => held.push(new Float64Array(8e6).fill(1)), 20),
  heap: () => {
    for (;;) held.push({ text: `${held.length}`.repeat(20) });
  },
  program: ({ params }) => {
    const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    writeFileSync(params.pidFile, `${child.pid}`);
    if (params.busy) for (;;);
  },
};

process.on('message', ({ task }) => STEPS[task.step](task));
process.once('disconnect', () => process.exit(1));
process.once('SIGTERM', () => process.exit(1));
