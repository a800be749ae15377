import { tablesFolder } from '../adapters/aws/dragen/tables.js';
import type { AwsSettings } from '../config/aws-settings.js';
import type { SweepResult, SweptWork } from '../contracts/sweep.js';
import { CohortflowError } from '../domain/errors.js';
import type { AwsHoldings } from '../ports/aws-holdings.js';
import type { Files } from '../ports/files.js';
import type { Removable } from './clean.js';
import { wholePlace } from './clean-results.js';

/** Something of an account that can be taken down. */
export interface Holding {
  readonly kind: 'feature group' | 'job or machine' | 'image' | 'encryption key';
  readonly what: string;
  /** What else whoever says yes should know. */
  readonly note?: string;
  /** Takes it down; returns what there is to say about it afterwards. */
  readonly remove: (signal: AbortSignal) => Promise<string | undefined>;
}

/** What is to be taken down, and the files that go with it. */
export interface Demolition {
  readonly holdings: readonly Holding[];
  readonly files: readonly Removable[];
}

export interface AccountServices {
  readonly settings: AwsSettings;
  readonly holdings: AwsHoldings;
  readonly files: Files;
}

function workHolding(work: SweptWork, end: (work: SweptWork, signal: AbortSignal) => Promise<void>): Holding {
  const { executor, id, since } = work;
  return {
    kind: 'job or machine',
    what: `${executor} ${id}`,
    ...(since === undefined ? {} : { note: `alive since ${since}` }),
    remove: async (signal) => {
      await end(work, signal);
      return undefined;
    },
  };
}

async function imageHoldings({ settings, holdings }: AccountServices, signal: AbortSignal): Promise<Holding[]> {
  const uri = settings.sagemaker?.image;
  const repository = uri === undefined ? undefined : await holdings.repository(uri, signal);
  if (uri === undefined || repository === undefined || !repository.ours) return [];
  return repository.images.map(({ digest, tags, bytes }) => ({
    kind: 'image',
    what: `${repository.name}@${digest}`,
    note: `${tags.length === 0 ? 'untagged' : tags.join(', ')}, ${(bytes / 1e6).toFixed(0)} MB`,
    remove: async (abort) => {
      await holdings.removeImages(uri, [digest], abort);
      return undefined;
    },
  }));
}

/** Fewest days that KMS waits before it deletes a key. */
export const LEAST_KEY_DAYS = 7;

async function keyHoldings(
  { settings, holdings }: AccountServices,
  days: number,
  signal: AbortSignal,
): Promise<Holding[]> {
  const { kmsKey } = settings;
  const key = kmsKey === undefined ? undefined : await holdings.key(kmsKey, signal);
  if (key === undefined || !key.ours || key.deletedAt !== undefined) return [];
  return [
    {
      kind: 'encryption key',
      what: key.id,
      note: `unusable at once, deleted after ${days} days: everything encrypted with it is then lost for ever`,
      remove: async (abort) => `deleted at ${await holdings.scheduleKeyDeletion(key.id, days, abort)}`,
    },
  ];
}

/** Folders of jobs, and what machines said, by the names that we give: the place may be shared with others. */
const WORK = /^cohortflow-[0-9a-f]{32}(\.log|\.ssm)?$/;
/** A table of one DRAGEN and one reference. Whose the machines of pools are stands beside them, and is given back by itself. */
const TABLE = /^[\w.]+-[0-9a-f]{16}$/;

async function ownBelow(
  files: Files,
  folder: string,
  own: RegExp,
  kind: Removable['kind'],
): Promise<readonly Removable[]> {
  const root = folder.replace(/\/+$/, '');
  const found: Removable[] = [];
  for (const name of await files.names(root)) {
    if (own.test(name)) found.push(...(await wholePlace(files, kind, `${root}/${name}`)));
  }
  return found;
}

/** What jobs and machines have in S3. Tables are built anew by the next run that wants them. */
async function placesOfWork({ settings, files }: AccountServices): Promise<readonly Removable[]> {
  const { work, dragen } = settings;
  const hasTables = work !== undefined || dragen?.hashTable !== undefined;
  return [
    ...(work === undefined ? [] : await ownBelow(files, work, WORK, 'what jobs read and left')),
    ...(hasTables ? await ownBelow(files, tablesFolder(settings), TABLE, 'hash table of DRAGEN') : []),
  ];
}

/**
 * What an installation has in an account besides results: jobs and machines, images, the key, the place of work. Only what
 * carries our tags or name; what else `deploy/` made is for its own removal.
 *
 * @param alive what a sweep found, whatever its age, workflows that the server does not know included
 * @throws CohortflowError `InvalidInput` while work of running workflows is alive
 */
export async function infrastructure(
  services: AccountServices,
  {
    alive,
    end,
    keyDays,
  }: {
    readonly alive: SweepResult;
    readonly end: (work: SweptWork, signal: AbortSignal) => Promise<void>;
    readonly keyDays: number;
  },
  signal: AbortSignal,
): Promise<Demolition> {
  const { belongs, found, unasked } = alive;
  const unsure = found.filter(({ reason }) => reason === 'unanswered').length;
  if (belongs + unsure > 0 || unasked.length > 0) {
    const what =
      unasked.length > 0
        ? `what is alive is not known (${unasked[0]?.message ?? ''})`
        : `${belongs + unsure} jobs or machines of running workflows are alive`;
    throw new CohortflowError(
      'InvalidInput',
      `clean --infra: ${what}: cancel the runs first, then give the command again`,
    );
  }
  return {
    holdings: [
      ...found.map((one) => workHolding(one, end)),
      ...(await imageHoldings(services, signal)),
      // Last: what is encrypted with it is still to be listed and removed.
      ...(await keyHoldings(services, keyDays, signal)),
    ],
    files: await placesOfWork(services),
  };
}
