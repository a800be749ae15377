import { createStepIo } from '../app/step-io.js';
import { stepByName } from '../app/step-registry.js';
import { toFailure } from '../domain/errors.js';
import type { HostMessage, HostReply } from '../adapters/local/process-messages.js';

/**
 * The program of one child of the process pool: runs the steps it is told, one at a time. It ends when its parent is gone
 * or asks it to, and takes the programs it started with it.
 */
const controller = new AbortController();

function answer(reply: HostReply): void {
  if (process.connected) process.send?.(reply);
}

async function run({ task }: HostMessage): Promise<void> {
  const { step, params, inputs, outputFolder, scratchFolder } = task;
  const io = createStepIo({ outputFolder, scratchFolder });
  const progress = (message: string): void => answer({ kind: 'progress', message });
  try {
    const { signal } = controller;
    const summary = await stepByName(step).run({ params, inputs, io, signal, progress });
    answer({ kind: 'done', summary });
  } catch (error) {
    answer({ kind: 'failed', failure: toFailure(error) });
  }
}

/** Aborting has told the running program (salmon) to end; whatever is left is killed as this process exits. */
const LAST_MS = 300;

function leave(): void {
  controller.abort(new DOMException('the worker is gone', 'AbortError'));
  setTimeout(() => process.exit(1), LAST_MS);
}

process.on('message', (message: HostMessage) => void run(message));
process.once('disconnect', leave);
process.once('SIGTERM', leave);
process.once('SIGINT', () => undefined);
