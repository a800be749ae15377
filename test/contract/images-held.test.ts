import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsHoldingsReader } from '../../src/adapters/aws/account/holdings.js';
import { startAwsStandIn, type AwsStandIn } from '../support/aws/stand-in.js';

const { signal } = new AbortController();
const DIGESTS = ['0', '1'].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string];
const uri = (name: string, digest: string): string =>
  `123456789012.dkr.ecr.eu-central-1.amazonaws.com/${name}@${digest}`;

/** What `clean --infra` asks of ECR, through the real SDK, of the account that `npm run aws-stand-in` starts. */
describe('images that an account holds', () => {
  const before = { ...process.env };
  const holdings = new AwsHoldingsReader({ region: 'eu-central-1' });
  let standIn: AwsStandIn;

  beforeAll(async () => {
    const images = Object.fromEntries(
      [...DIGESTS.map((digest) => uri('cohortflow', digest)), uri('theirs', DIGESTS[0])].map((name) => [
        name,
        { command: 'none', args: [] },
      ]),
    );
    standIn = await startAwsStandIn({ images });
    Object.assign(process.env, standIn.environment);
  });

  afterAll(async () => {
    process.env = before;
    await standIn.close();
  });

  it('are those of a repository that is ours by its name, and are removed one by one', async () => {
    const image = uri('cohortflow', DIGESTS[0]);
    const digests = async (): Promise<readonly string[]> =>
      ((await holdings.repository(image, signal))?.images ?? []).map(({ digest }) => digest);
    expect(await holdings.repository(image, signal)).toMatchObject({ name: 'cohortflow', ours: true });
    expect(await digests()).toEqual(DIGESTS);
    await holdings.removeImages(image, [DIGESTS[0]], signal);
    await holdings.removeImages(image, [DIGESTS[0]], signal);
    expect(await digests()).toEqual([DIGESTS[1]]);
  });

  it('are not taken for ours in another repository; one that is not there has none', async () => {
    expect(await holdings.repository(uri('theirs', DIGESTS[0]), signal)).toMatchObject({ ours: false });
    expect(await holdings.repository(uri('gone', DIGESTS[0]), signal)).toBeUndefined();
  });
});
