/** The queue of CPU-bound work that belongs to a workflow queue. */
export function cpuQueue(taskQueue: string): string {
  return `${taskQueue}-cpu`;
}

/** The default queue: what `temporal workflow start --task-queue cohortflow` names. */
export const DEFAULT_TASK_QUEUE = 'cohortflow';
