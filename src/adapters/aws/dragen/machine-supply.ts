import { createHash } from 'node:crypto';
import type { AwsSettings } from '../../../config/aws-settings.js';
import { RUN_TAG, WORK_TAG, withoutWork, workflowOf } from '../../../contracts/work-tags.js';
import { CohortflowError } from '../../../domain/errors.js';
import type { DragenMachine } from '../../../domain/genomics/dragen/index.js';
import type { RemoteWork } from '../../../ports/remote-executor.js';
import type { MachineCommands } from './commands.js';
import { choicesOf, machineRequest } from './machine-request.js';
import type { Machines } from './machines.js';
import { type MachinePool, POOL_TAG, poolKey } from './pool.js';

/** Finds a machine for a piece of work: the one it has already, a free one of the pool, or a new one. */
export class MachineSupply {
  constructor(
    private readonly settings: AwsSettings,
    private readonly namespace: string,
    private readonly machines: Machines,
    private readonly commands: MachineCommands,
    private readonly pool: MachinePool | undefined,
  ) {}

  async machineFor({ name, tags }: RemoteWork, machine: DragenMachine, signal: AbortSignal): Promise<string> {
    if (this.pool === undefined) {
      // An earlier attempt may have started one in a subnet that is not the first any more.
      const [before] = await this.machines.tagged(WORK_TAG, name, signal);
      return before?.id ?? (await this.launch(machine, tags, name, signal));
    }
    const workflowId = workflowOf(tags);
    const runId = tags[RUN_TAG];
    const holder = {
      name,
      ...(workflowId === undefined ? {} : { workflowId }),
      ...(runId === undefined ? {} : { runId }),
      since: new Date().toISOString(),
    };
    const key = poolKey(this.settings, machine, this.namespace);
    const ofPool = { ...withoutWork(tags), [POOL_TAG]: key };
    const launch = (again: number): Promise<string> => this.launch(machine, ofPool, `${name}-${again}`, signal);
    return this.pool.take(holder, key, launch, signal);
  }

  /** One machine, of the first type in the first place where there is one. */
  private async launch(
    machine: DragenMachine,
    tags: Readonly<Record<string, string>>,
    tokenBase: string,
    signal: AbortSignal,
  ): Promise<string> {
    const { dragen = {} } = this.settings;
    const { ami, amiParameter } = dragen;
    if (ami === undefined && amiParameter === undefined) {
      throw new CohortflowError(
        'AwsNotConfigured',
        'the executor dragen needs the setting aws.dragen.ami or amiParameter',
      );
    }
    const image = await this.machines.image(ami ?? (await this.commands.parameter(amiParameter ?? '', signal)), signal);
    let last: unknown;
    for (const [at, choice] of choicesOf(machine, this.settings).entries()) {
      // Where a parameter has come to name another image, it is another request.
      const token = createHash('sha256').update(`${tokenBase}\n${image.id}\n${at}`).digest('hex').slice(0, 48);
      try {
        return await this.machines.launch(machineRequest(image, choice, machine, tags, token, this.settings), signal);
      } catch (error) {
        const elsewhere = error instanceof CohortflowError && /^Aws(NoCapacity|QuotaExceeded)$/.test(error.code);
        if (!elsewhere) throw error;
        last = error;
      }
    }
    throw last;
  }
}
