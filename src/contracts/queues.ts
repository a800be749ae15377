/** The queue of CPU-bound work that belongs to a workflow queue. */
export function cpuQueue(taskQueue: string): string {
  return `${taskQueue}-cpu`;
}

/** The queue of work that services do: begun, waited for and stopped there. */
export function remoteQueue(taskQueue: string): string {
  return `${taskQueue}-remote`;
}

/** The default queue: what `temporal workflow start --task-queue cohortflow` names. */
export const DEFAULT_TASK_QUEUE = 'cohortflow';
