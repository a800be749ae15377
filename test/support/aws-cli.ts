import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { motoProgram } from './moto-server.js';

/** The AWS CLI that was fetched with moto; undefined where there is none, with a message. */
export function awsCliProgram(): string | undefined {
  const moto = motoProgram();
  if (moto === undefined) return undefined;
  const path = [moto, realpathSync(moto)].map((one) => join(dirname(one), 'aws')).find((one) => existsSync(one));
  if (path === undefined) console.warn('skipped: the AWS CLI is not beside moto_server (pip install awscli)');
  return path;
}
