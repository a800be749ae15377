// `npm run soak [-- --rounds 20 --cases 40 --seed 1]`: the soak test at full length. Prints a line per round.
import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { build } from './lib/build.mjs';
import { inForeground } from './lib/console.mjs';
import { installPackages } from './lib/install.mjs';
import { ROOT } from './lib/product.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    cases: { type: 'string', default: '40' },
    seed: { type: 'string' },
  },
});
if (!(await installPackages()) || !(await build())) process.exit(1);
const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const env = {
  ...process.env,
  COHORTFLOW_SOAK_ROUNDS: values.rounds,
  COHORTFLOW_SOAK_CASES: values.cases,
  ...(values.seed === undefined ? {} : { COHORTFLOW_SOAK_SEED: values.seed }),
};
process.exit(await inForeground(process.execPath, [vitest, 'run', 'test/e2e/soak.test.ts'], { cwd: ROOT, env }));
