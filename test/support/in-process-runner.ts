import { createStepIo } from '../../src/app/step-io.js';
import { stepByName } from '../../src/app/step-registry.js';
import type { StepRunner } from '../../src/ports/step-runner.js';

/** Runs steps in this process. */
export const inProcessRunner: StepRunner = {
  run: ({ step, params, inputs, ...folders }, signal, progress) =>
    stepByName(step).run({ params, inputs, io: createStepIo(folders), signal, progress }),
  close: () => Promise.resolve(),
};
