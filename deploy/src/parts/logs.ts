import { RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { retention } from './retention.js';

/** Whatever writes a log: workers by role, the sweep, and the network about its connections. */
export const LOG_NAMES = ['orchestration', 'io', 'cpu', 'sweep', 'network'] as const;
export type LogName = (typeof LOG_NAMES)[number];
export type Logs = Readonly<Record<LogName, LogGroup>>;

/**
 * The logs of an installation, under its key and kept when it goes. They have names of their own, so they are made with what
 * stays: a stack that made them anew would find them there and fail.
 */
export function logGroups(scope: Construct, name: string, key: IKey, days: number): Logs {
  const made = LOG_NAMES.map((what) => {
    const group = new LogGroup(scope, `Log-${what}`, {
      logGroupName: `/${name}/${what}`,
      retention: retention(days),
      encryptionKey: key,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    return [what, group] as const;
  });
  return Object.fromEntries(made) as unknown as Logs;
}
