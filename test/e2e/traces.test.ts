import { createServer, type Server } from 'node:http';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type WorkflowClientInterceptor, type WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenAt } from '../../src/workers/listen.js';
import { TRACE_HEADER } from '../../src/observability/trace-context.js';
import { temporaryFolder } from '../support/run-step.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { TestWorker } from '../support/worker-process.js';

const cli = await temporalCli();

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
  readonly links?: readonly { readonly traceId: string }[];
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

/** A collector of OTLP over HTTP that keeps what it is sent. */
class Collector {
  readonly bodies: string[] = [];
  private readonly server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.url === '/v1/traces') this.bodies.push(body);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });

  async start(): Promise<string> {
    return `http://${await listenAt(this.server, '127.0.0.1:0')}`;
  }

  get resources(): readonly Attribute[] {
    return this.exports.flatMap(({ resource }) => resource.attributes);
  }

  get spans(): readonly Span[] {
    return this.exports.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
  }

  private get exports(): Export['resourceSpans'] {
    return this.bodies.flatMap((body) => (JSON.parse(body) as Export).resourceSpans);
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

function attribute({ attributes }: Pick<Span, 'attributes'>, key: string): string | number | undefined {
  const value = attributes.find((one) => one.key === key)?.value;
  return value?.stringValue ?? value?.intValue;
}

describe.skipIf(cli === undefined)('traces of a worker', () => {
  const root = temporaryFolder('traces');
  const clinical = join(root, 'clinical.csv');
  const collector = new Collector();
  let env: TestWorkflowEnvironment;
  let worker: TestWorker;

  beforeAll(async () => {
    writeFileSync(clinical, 'case_id,age,smoking\nSECRET-1,50,never\nSECRET-2,51,former\n');
    env = await realTime(cli!);
    worker = await TestWorker.start(env.address, root, [], {
      OTEL_EXPORTER_OTLP_ENDPOINT: await collector.start(),
      OTEL_BSP_SCHEDULE_DELAY: '200',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
    });
  });

  afterAll(async () => {
    await worker?.end('SIGKILL');
    collector.close();
    await env?.teardown();
    rmSync(root, { recursive: true, force: true });
  });

  async function run(client: Client, workflowId: string): Promise<WorkflowHandleWithFirstExecutionRunId> {
    const args = [{ clinical, output: join(root, workflowId) }];
    const handle = await client.workflow.start('multimodalCohort', { workflowId, taskQueue: 'cohortflow', args });
    await handle.result();
    const arrived = (): boolean => spansOf(workflowId).some(({ name }) => name === 'multimodalCohort');
    await expect.poll(arrived, { timeout: 30_000, interval: 100 }).toBe(true);
    return handle;
  }

  function spansOf(cohort: string): readonly Span[] {
    return collector.spans.filter((span) => attribute(span, 'cohortflow.run') === cohort);
  }

  it('have one trace a workflow run, named after its run id, with its steps below and the run above linked', async () => {
    const handle = await run(env.client, 'untraced');
    const spans = spansOf('untraced');
    const named = (name: string): Span => spans.find((span) => span.name === name)!;
    const [cohort, part, step] = ['multimodalCohort', 'clinicalFeatures', 'clinical.features'].map(named);
    expect(cohort).toMatchObject({ traceId: handle.firstExecutionRunId.replaceAll('-', '') });
    expect(part!.links?.map(({ traceId }) => traceId)).toEqual([cohort!.traceId]);
    expect(step).toMatchObject({ traceId: part!.traceId, parentSpanId: part!.spanId });
    expect(attribute(step!, 'temporal.workflow_id')).toBe('untraced/clinical');
    expect(attribute(step!, 'cohortflow.step')).toBe('clinical.features');
    expect(named('prepareCohort')).toMatchObject({ traceId: cohort!.traceId, parentSpanId: cohort!.spanId });
    for (const { startTimeUnixNano, endTimeUnixNano } of spans) {
      expect(BigInt(endTimeUnixNano)).toBeGreaterThan(BigInt(startTimeUnixNano));
    }
    expect(attribute({ attributes: collector.resources }, 'service.name')).toBe('cohortflow');
    expect(attribute({ attributes: collector.resources }, 'deployment.environment')).toBe('test');
  });

  it('cost a run that nobody traced nothing in its history', async () => {
    const history = await env.client.workflow.getHandle('untraced').fetchHistory();
    expect(JSON.stringify(history)).not.toContain(TRACE_HEADER);
  });

  it('continue the trace of whoever started the run', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const header = defaultPayloadConverter.toPayload({ traceparent: `00-${traceId}-b7ad6b7169203331-01` });
    const interceptor: WorkflowClientInterceptor = {
      start: (input, next) => next({ ...input, headers: { ...input.headers, [TRACE_HEADER]: header } }),
    };
    const client = new Client({ connection: env.connection, interceptors: { workflow: [interceptor] } });
    await run(client, 'traced');
    const spans = spansOf('traced');
    const named = (name: string): Span => spans.find((span) => span.name === name)!;
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    expect(named('multimodalCohort').parentSpanId).toBe('b7ad6b7169203331');
    expect(named('clinicalFeatures').parentSpanId).toBe(named('multimodalCohort').spanId);
    expect(named('clinical.features').parentSpanId).toBe(named('clinicalFeatures').spanId);
  });

  it('hold nothing of the data, and the log names the same spans', async () => {
    expect(collector.bodies.join('')).not.toMatch(/SECRET|clinical\.csv/);
    const step = collector.spans.find(({ name }) => name === 'clinical.features')!;
    const line = worker.lines.find(({ span }) => span === step.spanId);
    expect(line).toMatchObject({ message: 'step done', trace: step.traceId, step: 'clinical.features' });
    expect(await worker.end('SIGTERM')).toBe(0);
  });
});
