// The workflows of the product, and two naive ways of running many of its studies, for comparison.
import {
  ParentClosePolicy,
  condition,
  continueAsNew,
  defineSignal,
  executeChild,
  getExternalWorkflowHandle,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';

export * from '../../dist/workflows/index.js';

const inputOf = (index) => ({
  unit: { modality: 'imaging', caseId: `S-${index}`, source: { kind: 'dicom', folder: `/studies/${index}` } },
  output: '/out',
  runId: 'bench',
});

/** One parent, all children at once. */
export async function promiseAll({ studies }) {
  const { workflowId } = workflowInfo();
  const ends = await Promise.all(
    Array.from({ length: studies }, (_, index) =>
      executeChild('imagingStudy', { workflowId: `${workflowId}/S-${index}`, args: [inputOf(index)] }),
    ),
  );
  return ends.length;
}

const ended = defineSignal('ended');

/** A child of the sliding window: the study, then a signal to whichever run of its parent is open by then. */
export async function reportingStudy({ parent, index }) {
  await executeChild('imagingStudy', { workflowId: `${parent}/S-${index}`, args: [inputOf(index)] });
  await getExternalWorkflowHandle(parent).signal(ended, index);
}

/**
 * The published sliding window: children are abandoned and report by a signal; after each page the parent continues as
 * new with the set of those in flight.
 */
export async function slidingWindow({ studies, width, page, from = 0, inFlight = [], done = 0 }) {
  const { workflowId } = workflowInfo();
  const open = new Set(inFlight);
  let count = done;
  setHandler(ended, (index) => {
    if (open.delete(index)) count += 1;
  });
  const last = Math.min(studies, from + page);
  const started = [];
  for (let index = from; index < last; index += 1) {
    await condition(() => open.size < width);
    open.add(index);
    started.push(
      startChild('reportingStudy', {
        workflowId: `${workflowId}/reporting-${index}`,
        args: [{ parent: workflowId, index }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
      }),
    );
  }
  await Promise.all(started);
  if (last < studies) {
    await continueAsNew({ studies, width, page, from: last, inFlight: [...open], done: count });
  }
  await condition(() => open.size === 0);
  return count;
}
