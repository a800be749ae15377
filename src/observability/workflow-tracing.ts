import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import {
  ContinueAsNew,
  isCancellation,
  proxySinks,
  workflowInfo,
  type Headers,
  type Sinks,
  type WorkflowInterceptors,
} from '@temporalio/workflow';
import { TRACE_HEADER, parseTraceparent, spanOfRun, traceparent, type TraceContext } from './trace-context.js';

// Runs in the workflows' sandbox, in every run, traced or not. Nothing here may be noticed by a workflow: no promise is put
// between it and the server (that would change the order of its commands), no random number is drawn, and a run that was
// started without a trace gets no header. So histories replay the same whether they were recorded with or without.

/** How a run ended, and where its span belongs. */
export interface WorkflowEnd {
  readonly outcome: 'completed' | 'failed' | 'cancelled' | 'continued';
  /** The span above, when whoever started the run is traced. */
  readonly parent?: TraceContext;
}

export interface TraceSinks extends Sinks {
  cohortflowTrace: { ended(end: WorkflowEnd): void };
}

function parentIn(headers: Headers): TraceContext | undefined {
  const payload = headers[TRACE_HEADER];
  if (payload === undefined) return undefined;
  const carrier = defaultPayloadConverter.fromPayload<{ traceparent?: unknown } | undefined>(payload);
  return parseTraceparent(carrier?.traceparent);
}

function outcomeOf(error: unknown): WorkflowEnd['outcome'] {
  if (error instanceof ContinueAsNew) return 'continued';
  return isCancellation(error) ? 'cancelled' : 'failed';
}

/** The interceptors that the bundler is given (`workflowInterceptorModules`). */
export const interceptors = (): WorkflowInterceptors => {
  let parent: TraceContext | undefined;
  let own: Payload | undefined;
  const { cohortflowTrace } = proxySinks<TraceSinks>();

  const end = (outcome: WorkflowEnd['outcome']): void =>
    cohortflowTrace.ended({ outcome, ...(parent === undefined ? {} : { parent }) });
  const passOn = <T extends { readonly headers: Headers }>(input: T): T =>
    own === undefined ? input : { ...input, headers: { ...input.headers, [TRACE_HEADER]: own } };

  return {
    inbound: [
      {
        execute: (input, next) => {
          parent = parentIn(input.headers);
          if (parent !== undefined) {
            const { traceId, sampled } = parent;
            const { spanId } = spanOfRun(workflowInfo().runId);
            own = defaultPayloadConverter.toPayload({ traceparent: traceparent({ traceId, spanId, sampled }) });
          }
          const running = next(input);
          running.then(
            () => end('completed'),
            (error: unknown) => end(outcomeOf(error)),
          );
          return running;
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(passOn(input)),
        startChildWorkflowExecution: (input, next) => next(passOn(input)),
        // The next run is part of the same trace, beside this one.
        continueAsNew: (input, next) =>
          next(
            parent === undefined
              ? input
              : {
                  ...input,
                  headers: {
                    ...input.headers,
                    [TRACE_HEADER]: defaultPayloadConverter.toPayload({ traceparent: traceparent(parent) }),
                  },
                },
          ),
      },
    ],
  };
};
