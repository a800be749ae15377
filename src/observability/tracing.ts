import {
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  context,
  trace,
  type Span,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { Resource, envDetectorSync } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  TraceIdRatioBasedSampler,
  SamplingDecision,
  type ReadableSpan,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { Context } from '@temporalio/activity';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInterceptorsFactory, InjectedSinks } from '@temporalio/worker';
import type { StepRequest } from '../contracts/activities.js';
import { Harmless } from './harmless.js';
import { endingOf, runOf, stepLabels } from './step-labels.js';
import { TRACE_HEADER, parseTraceparent, spanOfRun, type TraceContext } from './trace-context.js';
import type { TraceSinks, WorkflowEnd } from './workflow-tracing.js';

/** Traces of a worker process: spans of workflow runs and of activities. */
export interface Tracing {
  readonly activity: ActivityInterceptorsFactory;
  readonly sinks: InjectedSinks<TraceSinks>;
  /** Sends what is still held back. */
  close(): Promise<void>;
}

/** Who is asked for settings; OpenTelemetry's own variables. */
type Environment = Readonly<Record<string, string | undefined>>;

const NAME = 'cohortflow';

/** Which traces are kept, by their id alone, so that all processes keep the same ones. */
function keeps(environment: Environment): (traceId: string) => boolean {
  const { OTEL_TRACES_SAMPLER: name = '', OTEL_TRACES_SAMPLER_ARG: ratio = '1' } = environment;
  if (name.endsWith('always_off')) return () => false;
  if (!name.endsWith('traceidratio')) return () => true;
  const sampler = new TraceIdRatioBasedSampler(Number(ratio));
  return (traceId) => sampler.shouldSample(context.active(), traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
}

function spanContext({ traceId, spanId, sampled }: TraceContext): SpanContext {
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
}

function headerOf(headers: Headers): TraceContext | undefined {
  const payload = headers[TRACE_HEADER];
  if (payload === undefined) return undefined;
  return parseTraceparent(defaultPayloadConverter.fromPayload<{ traceparent?: unknown }>(payload).traceparent);
}

/** A span around every activity, below its workflow run's. Ids, step and code: no payload, no message of an error. */
function activitySpans(tracer: Tracer, kept: (traceId: string) => boolean): ActivityInterceptorsFactory {
  const harmless = new Harmless();
  return (activity: Context) => {
    const { info, log } = activity;
    let own: SpanContext | undefined;
    const begin = ({ headers, args }: ActivityExecuteInput): Span => {
      const { workflowId = '', runId = '' } = info.workflowExecution ?? {};
      const run = spanOfRun(runId);
      const parent = headerOf(headers) ?? { ...run, sampled: kept(run.traceId) };
      const request = info.activityType === 'runStep' ? (args[0] as StepRequest) : undefined;
      const labels = request === undefined ? undefined : stepLabels(activity, request);
      const attributes = {
        'temporal.workflow_id': workflowId,
        'temporal.run_id': runId,
        'temporal.activity_type': info.activityType,
        'temporal.attempt': info.attempt,
        'cohortflow.run': runOf(workflowId),
        ...(labels === undefined ? {} : { 'cohortflow.step': labels.step, 'cohortflow.modality': labels.modality }),
        ...(labels?.case === undefined ? {} : { 'cohortflow.case': labels.case }),
      };
      const above = trace.setSpanContext(context.active(), spanContext(parent));
      const options = { kind: SpanKind.CONSUMER, attributes };
      return tracer.startSpan(labels?.step ?? info.activityType, options, above);
    };
    const fail = (span: Span, error: unknown): void => {
      const { outcome, code } = endingOf(error, activity);
      span.setAttributes({ 'cohortflow.outcome': outcome, 'cohortflow.code': code });
      if (outcome !== 'cancelled') span.setStatus({ code: SpanStatusCode.ERROR, message: code });
    };
    return {
      inbound: {
        execute: async (input, next) => {
          const span = harmless.try('traces', log, () => begin(input));
          own = span?.spanContext();
          try {
            return await next(input);
          } catch (error) {
            if (span !== undefined) harmless.try('traces', log, () => fail(span, error));
            throw error;
          } finally {
            harmless.try('traces', log, () => span?.end());
          }
        },
      },
      outbound: {
        getLogAttributes: (input, next) =>
          next(own === undefined ? input : { ...input, trace_id: own.traceId, span_id: own.spanId }),
      },
    };
  };
}

type Ended = Parameters<InjectedSinks<TraceSinks>['cohortflowTrace']['ended']['fn']>[0];

function hrTime(date: Date): [number, number] {
  const ms = date.getTime();
  return [Math.floor(ms / 1000), (ms % 1000) * 1e6];
}

/** The span of a whole workflow run. It is made when the run ends: a run is in memory of many workers, one after another. */
function workflowSpan(info: Ended, { outcome, parent }: WorkflowEnd, resource: Resource): ReadableSpan {
  const { runId, workflowId, workflowType } = info;
  const run = spanOfRun(runId);
  const [start, end] = [info.runStartTime, new Date()];
  const above = info.parent === undefined || parent !== undefined ? undefined : spanOfRun(info.parent.runId);
  return {
    name: workflowType,
    kind: SpanKind.INTERNAL,
    spanContext: () => ({
      traceId: parent?.traceId ?? run.traceId,
      spanId: run.spanId,
      traceFlags: TraceFlags.SAMPLED,
    }),
    ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
    startTime: hrTime(start),
    endTime: hrTime(end),
    duration: hrTime(new Date(Math.max(0, end.getTime() - start.getTime()))),
    status: { code: outcome === 'failed' ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: {
      'temporal.workflow_id': workflowId,
      'temporal.run_id': runId,
      'temporal.attempt': info.attempt,
      'cohortflow.run': runOf(workflowId),
      'cohortflow.outcome': outcome,
    },
    // A cohort of 100,000 studies as one trace is more than any viewer shows: each run is its own, linked to the one above.
    links: above === undefined ? [] : [{ context: { ...above, traceFlags: TraceFlags.SAMPLED } }],
    ...{ events: [], ended: true, resource, instrumentationLibrary: { name: NAME } },
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  };
}

function workflowSpans(processor: SpanProcessor, resource: Resource, kept: (traceId: string) => boolean) {
  const ended = {
    fn: (info: Ended, end: WorkflowEnd): void => {
      const { parent } = end;
      if (parent?.sampled ?? kept(spanOfRun(info.runId).traceId)) processor.onEnd(workflowSpan(info, end, resource));
    },
    callDuringReplay: false,
  };
  return { cohortflowTrace: { ended } };
}

/**
 * Traces sent by OTLP over HTTP to where OpenTelemetry's own variables say (`OTEL_EXPORTER_OTLP_ENDPOINT`, `…_HEADERS`,
 * `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER`, …).
 */
export function createTracing(version: string, environment: Environment = process.env): Tracing {
  const named = new Resource({ 'service.name': NAME, 'service.version': version });
  const resource = Resource.default().merge(named).merge(new Resource(envDetectorSync.detect().attributes));
  const processor = new BatchSpanProcessor(new OTLPTraceExporter());
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  const kept = keeps(environment);
  return {
    activity: activitySpans(provider.getTracer(NAME), kept),
    sinks: workflowSpans(processor, resource, kept),
    close: () => provider.shutdown(),
  };
}
