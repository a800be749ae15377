// `npm run soak [-- --only local --rounds 20 --cases 40 --seed 1]`: the soak tests at full length, a line per round.
// local: a cohort here, disturbed; ended: cohorts on SageMaker and DRAGEN machines (stand-ins) that are ended; wide: 162 jobs of five minutes.
import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { build } from './lib/build.mjs';
import { inForeground, say } from './lib/console.mjs';
import { installPackages } from './lib/install.mjs';
import { obtainMoto } from './lib/moto.mjs';
import { ROOT } from './lib/product.mjs';

const PARTS = ['local', 'ended', 'wide'];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '20' },
    cases: { type: 'string', default: '40' },
    cancels: { type: 'string', default: '200' },
    // Rounds mostly wait: so many processes share them.
    'at-once': { type: 'string', default: '5' },
    jobs: { type: 'string', default: '162' },
    // Simulated seconds in a second of `wide`: above one, what this machine itself takes counts so many times.
    scale: { type: 'string', default: '1' },
    seed: { type: 'string' },
  },
});
const wanted = values.only === undefined ? PARTS : values.only.split(',');
const unknown = wanted.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) {
  say(`--only ${unknown.join(',')}: there are ${PARTS.join(', ')}`);
  process.exit(2);
}
if (!(await installPackages()) || !(await build())) process.exit(1);
// Without an S3 server those tests would be skipped, and look as if they had passed.
const inS3 = wanted.some((part) => part !== 'local') && process.env.COHORTFLOW_TEST_S3 === undefined;
const moto = inS3 ? await obtainMoto() : {};
if (inS3 && moto.path === undefined) {
  say(`ended and wide need an S3 server: ${moto.reason}. Leave them out with --only local`);
  process.exit(2);
}
const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');

/** Runs one test file with these settings of its soak; resolves to its exit code. */
function soak(file, settings) {
  const named = Object.entries(settings).filter(([, value]) => value !== undefined);
  const env = {
    ...process.env,
    ...(moto.path === undefined ? {} : { COHORTFLOW_TEST_MOTO: moto.path }),
    ...Object.fromEntries(named.map(([name, value]) => [`COHORTFLOW_SOAK_${name}`, value])),
  };
  return inForeground(process.execPath, [vitest, 'run', `test/e2e/${file}.test.ts`], { cwd: ROOT, env });
}

/** Cohorts that are ended, shared among processes: each its own server, account and seed. Every other one on machines. */
async function ended() {
  const [cancels, atOnce] = [Number(values.cancels), Number(values['at-once'])];
  const seed = Number(values.seed ?? 11);
  const codes = Array.from({ length: atOnce }, (_, at) =>
    soak(at % 2 === 0 ? 'aws/sagemaker-cancelled' : 'aws/dragen-cancelled', {
      CANCELS: String(Math.ceil(cancels / atOnce)),
      SEED: String(seed + at),
    }),
  );
  return Math.max(...(await Promise.all(codes)));
}

const runs = {
  local: () => soak('soak', { ROUNDS: values.rounds, CASES: values.cases, SEED: values.seed }),
  ended,
  wide: () => soak('aws/sagemaker-width', { JOBS: values.jobs, SCALE: values.scale }),
};
let worst = 0;
for (const part of wanted) worst = Math.max(worst, await runs[part]());
process.exit(worst);
