import { CohortflowError } from '../../../domain/errors.js';
import { failed, ok, type Check, type Verdict } from '../check.js';
import type { AwsSubject } from './wanted.js';

const withoutSlash = (uri: string): string => uri.replace(/\/+$/, '');

/** Whether something that the settings name can be read. */
export function readableCheck({ objects }: AwsSubject, setting: string, uri: string): Check {
  return {
    name: `Reading ${setting}`,
    look: async (): Promise<Verdict> => {
      try {
        if ((await objects.stat(uri)) !== undefined) return ok(uri);
        return failed(`nothing is at ${uri}`, `put it there, or correct ${setting}`);
      } catch (error) {
        if (error instanceof CohortflowError && error.code === 'FileNotFound') {
          return failed(`${uri}: there is no such bucket`, `correct ${setting}`);
        }
        // S3 answers alike for what is forbidden and for what is not there to one who may not list.
        if (error instanceof CohortflowError && error.code === 'AwsDenied') {
          return failed(`${uri} may not be read`, `grant s3:GetObject and s3:ListBucket on it (${setting})`);
        }
        throw error;
      }
    },
  };
}

/** Whether a place can be written: a small object is put and removed again. */
export function writableCheck({ objects, probe }: AwsSubject, setting: string, uri: string): Check {
  return {
    name: `Writing ${setting}`,
    look: async (): Promise<Verdict> => {
      const path = `${withoutSlash(uri)}/${probe()}`;
      try {
        if (!(await objects.writeOnce(path, 'doctor\n'))) return failed(`${path} is taken`, 'run the command again');
      } catch (error) {
        if (!(error instanceof CohortflowError)) throw error;
        if (error.code === 'FileNotFound') return failed(`${uri}: there is no such bucket`, `correct ${setting}`);
        if (error.code !== 'AwsDenied') throw error;
        const fix = `grant s3:PutObject on it, and kms:GenerateDataKey on its key (${setting})`;
        return failed(`${uri} may not be written`, fix);
      }
      try {
        await objects.remove(path);
      } catch (error) {
        if (!(error instanceof CohortflowError)) throw error;
        return failed(
          `${path} was written and may not be removed`,
          `grant s3:DeleteObject on it (${setting}), remove it`,
        );
      }
      return ok(uri);
    },
  };
}
