import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import type { SweepInput } from '../contracts/sweep.js';

/** The one sweep schedule of a task queue. */
export function sweepScheduleId(taskQueue: string): string {
  return `${taskQueue}-sweep`;
}

/** Sweeps every so many minutes from now on, whoever started this; a schedule that is there is changed. */
export async function scheduleSweep(
  client: Client,
  taskQueue: string,
  minutes: number,
  input: SweepInput,
): Promise<{ readonly scheduleId: string; readonly made: boolean }> {
  const scheduleId = sweepScheduleId(taskQueue);
  const spec = { intervals: [{ every: `${minutes} minutes` as const }] };
  const action = {
    type: 'startWorkflow',
    workflowType: 'sweepRemoteWork',
    workflowId: scheduleId,
    taskQueue,
    args: [input],
    workflowExecutionTimeout: '2 hours',
  } as const;
  const policies = { overlap: ScheduleOverlapPolicy.SKIP };
  try {
    await client.schedule.create({ scheduleId, spec, action, policies });
    return { scheduleId, made: true };
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(scheduleId).update((before) => ({ ...before, spec, action, policies }));
    return { scheduleId, made: false };
  }
}

/** Sweeps no more by itself; true when it did. */
export async function unscheduleSweep(client: Client, taskQueue: string): Promise<boolean> {
  try {
    await client.schedule.getHandle(sweepScheduleId(taskQueue)).delete();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}
