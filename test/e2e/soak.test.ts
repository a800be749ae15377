import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/domain/seeded-random.js';
import { temporaryFolder } from '../support/run-step.js';
import { writeSmallCohort, type SmallCohort } from '../support/small-cohort.js';
import { SoakRig, disturbancesOf, forgetRound, resultsOf, violations, type Disturbance } from '../support/soak.js';
import { temporalCli } from '../support/temporal-servers.js';

/**
 * A cohort that is disturbed at random moments, round after round. Short here; `npm run soak` makes it 20 rounds over 40
 * cases (COHORTFLOW_SOAK_ROUNDS, COHORTFLOW_SOAK_CASES, COHORTFLOW_SOAK_SEED).
 */
const env = (name: string, otherwise: number): number => Number(process.env[`COHORTFLOW_SOAK_${name}`] ?? otherwise);
const ROUNDS = env('ROUNDS', 1);
const CASES = env('CASES', 8);
const SEED = env('SEED', 20_261_123);
const DISTURBANCES = 2;
/** About as long as an undisturbed run takes. */
const SPREAD_MS = 400 * CASES;
const PATIENCE_MS = 240_000 + 4_000 * CASES;

const cli = await temporalCli();

describe.skipIf(cli === undefined)('a cohort that is disturbed at random moments', () => {
  const root = temporaryFolder('soak');
  const random = seededRandom(SEED);
  let cohort: SmallCohort;
  let rig: SoakRig;
  let wanted: ReadonlyMap<string, string>;

  beforeAll(async () => {
    cohort = writeSmallCohort(root, CASES);
    rig = await SoakRig.start(cli!, root, cohort);
    const undisturbed = join(root, 'undisturbed');
    await rig.run(undisturbed, []);
    wanted = resultsOf(undisturbed);
    expect(violations(undisturbed, cohort, wanted)).toEqual([]);
    expect(wanted.size).toBeGreaterThan(5 * CASES);
  }, PATIENCE_MS);

  afterAll(async () => {
    await rig?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  const kinds: readonly (readonly [string, readonly Disturbance[]])[] = [
    ['killed worker, server or both', ['kill worker', 'kill server', 'kill both']],
    ['cancelled or terminated and started again', ['cancel', 'terminate']],
  ];
  const rounds = Array.from({ length: ROUNDS }, (_, round) =>
    kinds.map(([title, list]) => ({ round, title, list })),
  ).flat();

  it.each(rounds)(
    'comes out as if it had not been: round $round, $title',
    async ({ round, title, list }) => {
      const output = join(root, `round-${round}-${list.length}`);
      const disturbances = disturbancesOf(random, list, DISTURBANCES, SPREAD_MS);
      const began = Date.now();
      await rig.run(output, disturbances);
      const wrong = violations(output, cohort, wanted);
      const how = disturbances.map(({ at, what }) => `${what} at ${(at / 1000).toFixed(1)} s`).join(', ');
      const seconds = ((Date.now() - began) / 1000).toFixed(0);
      console.log(
        `soak round ${round}, ${title}: ${how}; ${seconds} s; ${wrong.length === 0 ? 'all well' : wrong.join('; ')}`,
      );
      expect(wrong).toEqual([]);
      forgetRound(output);
    },
    PATIENCE_MS,
  );
});
