import type { Client } from '@temporalio/client';
import { findTemporalProgram } from '../../../adapters/local/temporal-server-program.js';
import { configuredServer, serverStatus } from '../../../adapters/local/temporal-server.js';
import type { Config } from '../../../config/config.js';
import { cpuQueue, remoteQueue } from '../../../contracts/queues.js';
import { CohortflowError } from '../../../domain/errors.js';
import { connectClient, type TemporalTarget } from '../../temporal.js';
import { failed, ok, warning, type Check, type Verdict } from '../check.js';

type Places = Pick<Config, 'stateFolder' | 'cacheFolder' | 'taskQueue'>;

/** The server that runs would go to, if one is there: that of the environment, else the embedded one; starts none. */
async function serverThere({ stateFolder }: Places): Promise<TemporalTarget | undefined> {
  if (configuredServer(process.env) !== undefined) return {};
  const { answering, address } = await serverStatus(stateFolder);
  return answering && address !== undefined ? { address } : undefined;
}

async function withServer<T>(target: TemporalTarget, use: (client: Client) => Promise<T>): Promise<T> {
  const client = await connectClient(target);
  try {
    return await use(client);
  } finally {
    await client.connection.close();
  }
}

/** The Temporal server: that of the environment must answer; the embedded one is started when it is needed. */
export function temporalCheck(places: Places): Check {
  return {
    name: 'Temporal server',
    look: async () => {
      const configured = configuredServer(process.env);
      const target = await serverThere(places);
      if (target !== undefined) return answering(target, configured?.address);
      const program = await findTemporalProgram(places.cacheFolder, () => undefined);
      if (program !== undefined) {
        return ok(`none runs; the embedded one is started when it is needed (server ${program.serverVersion})`);
      }
      return warning(
        'none runs, and the Temporal CLI is not here; the first run fetches it, which may take minutes',
        'install the Temporal CLI (https://docs.temporal.io/cli#install), or set TEMPORAL_ADDRESS to a server',
      );
    },
  };
}

async function answering(target: TemporalTarget, configured: string | undefined): Promise<Verdict> {
  const where = configured ?? target.address ?? '';
  try {
    return await withServer(target, async (client) => {
      const { namespace } = client.options;
      await client.workflowService.describeNamespace({ namespace });
      const { serverVersion } = await client.workflowService.getSystemInfo({});
      const kind = configured === undefined ? 'embedded, ' : '';
      return ok(`${kind}${where}, namespace ${namespace}${serverVersion ? `, server ${serverVersion}` : ''}`);
    });
  } catch (error) {
    const message = error instanceof CohortflowError ? error.message : String((error as Error).message);
    return failed(message, 'correct TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE or the profile, or start that server');
  }
}

/** Kinds of task queues as the API numbers them. */
const WORKFLOW = 1;
const ACTIVITY = 2;

/**
 * Who polls the queues of a run. Where the embedded server is used, `run` brings its own worker.
 *
 * @param remote whether work is given to services
 */
export function queueCheck(places: Places, remote: boolean): Check {
  const { taskQueue } = places;
  const wanted = [
    { name: taskQueue, type: WORKFLOW, role: 'orchestration' },
    { name: taskQueue, type: ACTIVITY, role: 'io' },
    { name: cpuQueue(taskQueue), type: ACTIVITY, role: 'cpu' },
    ...(remote ? [{ name: remoteQueue(taskQueue), type: ACTIVITY, role: 'io' }] : []),
  ];
  return {
    name: 'Workers',
    look: async () => {
      const target = await serverThere(places);
      if (target === undefined) return ok('no server runs; cohortflow run starts a worker of its own');
      return withServer(target, async (client) => {
        const { namespace } = client.options;
        const idle: string[] = [];
        let polled = 0;
        for (const { name, type, role } of wanted) {
          const { pollers } = await client.workflowService.describeTaskQueue({
            namespace,
            taskQueue: { name },
            taskQueueType: type,
          });
          if ((pollers ?? []).length === 0) idle.push(`${name} (role ${role})`);
          else polled += 1;
        }
        if (idle.length === 0) return ok(`somebody takes the work of ${taskQueue}`);
        const found = `nobody takes the work of ${idle.join(', ')}`;
        if (polled === 0) return ok(`${found}; cohortflow run starts a worker of its own, --no-worker would wait`);
        return warning(found, 'start a worker with that role: cohortflow worker --role <role>');
      });
    },
  };
}
