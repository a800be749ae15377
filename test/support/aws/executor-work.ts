import type { RemoteRequest, RemoteTicket } from '../../../src/contracts/remote-work.js';
import { workTags } from '../../../src/contracts/work-tags.js';
import { CohortflowError } from '../../../src/domain/errors.js';
import type { RemoteExecutor, RemoteWork } from '../../../src/ports/remote-executor.js';
import { TEST_RUN } from './real-account.js';
import { until } from './test-account.js';

const { signal } = new AbortController();

/** A piece of work below a place, under a name that no other has. */
export function newWork(place: string, requestFor: (output: string) => RemoteRequest): RemoteWork {
  const name = `cohortflow-${crypto.randomUUID().replaceAll('-', '')}`;
  const output = `${place}/out`;
  return {
    request: requestFor(output),
    name,
    place: `${output}/run/.work/${name}`,
    logs: `${output}/run/logs/${name}`,
    tags: workTags(name, `workflow-${name}`, TEST_RUN),
  };
}

/** Gives work away as an activity does: what the service does not answer, or does not show yet, is asked for again. */
export function submitted(executor: RemoteExecutor, work: RemoteWork): Promise<RemoteTicket | undefined> {
  const submit = (): Promise<RemoteTicket | 'later' | undefined> =>
    executor.submit(work, signal).catch((error: unknown) => {
      if (error instanceof CohortflowError && error.code === 'AwsUnavailable') return 'later' as const;
      throw error;
    });
  return until(submit, (answer) => answer !== 'later') as Promise<RemoteTicket | undefined>;
}

/** Waits until the service shows nothing of ours alive. */
export async function nothingAlive(executor: RemoteExecutor): Promise<void> {
  await until(
    () => executor.alive(signal),
    (found) => found.length === 0,
  );
}
