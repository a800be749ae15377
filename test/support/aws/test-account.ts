import { setTimeout as sleep } from 'node:timers/promises';
import { createFiles } from '../../../src/app/create-files.js';
import type { AwsSettings } from '../../../src/config/aws-settings.js';
import type { Files } from '../../../src/ports/files.js';
import { motoProgram } from '../moto-server.js';
import { startAlone, type Alone } from './alone.js';
import { REAL_ACCOUNT, TEST_RUN } from './real-account.js';

/** An account for the tests of a file: a real one where one is named, else the stand-in, whole. */
export interface TestAccount {
  readonly settings: AwsSettings;
  readonly files: Files;
  /** `s3://…`, these tests' alone; removed at the end. */
  readonly place: string;
  /** The stand-in, where it is no real account. */
  readonly alone: Alone | undefined;
  close(): Promise<void>;
}

/** True when there is an account for tests; the skip is otherwise printed with its reason. */
export function hasAccount(): boolean {
  return REAL_ACCOUNT !== undefined || motoProgram() !== undefined;
}

/** Minutes that a test may take: services are slow, the stand-in ten times less so. */
export const patience = (minutes: number): number => (REAL_ACCOUNT === undefined ? 120_000 : minutes * 60_000);

/** Opens the account and points this process's environment to it. */
export async function openAccount(): Promise<TestAccount> {
  const before = { ...process.env };
  const alone =
    REAL_ACCOUNT === undefined
      ? await startAlone({ listen: { host: '127.0.0.1', port: 0 }, moto: motoProgram()!, scale: 10 })
      : undefined;
  Object.assign(process.env, alone?.environment);
  const settings = REAL_ACCOUNT ?? alone!.settings;
  const files = createFiles(settings);
  const place = `${settings.work ?? ''}/${TEST_RUN}/${crypto.randomUUID().slice(0, 8)}`;
  return {
    ...{ settings, files, place, alone },
    close: async () => {
      try {
        await files.remove(place);
      } finally {
        await alone?.close();
        process.env = before;
      }
    },
  };
}

/** Asks until an answer fits: what services show lags behind what they did. The test's own time is the bound. */
export async function until<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    await sleep(REAL_ACCOUNT === undefined ? 50 : 5_000);
  }
}
