import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PayloadCodec } from '@temporalio/common';
import { CohortflowError, toFailure } from '../domain/errors.js';
import { payloadsFromJson, payloadsToJson } from './payload-json.js';

/** One line of the audit: who asked for what, how much and how it went; never what was in it. */
export interface AuditEntry {
  readonly time: string;
  readonly action: 'encode' | 'decode';
  readonly status: number;
  readonly namespace?: string;
  readonly origin?: string;
  readonly remote?: string;
  readonly payloads?: number;
  readonly code?: string;
}

export interface CodecServerOptions {
  readonly codec: PayloadCodec;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Origins of web pages (`http://localhost:8233`) that may ask; requests without an origin come from programs. */
  readonly origins: readonly string[];
  /** When set, every request must carry it as `Authorization: Bearer`. */
  readonly token?: string;
  readonly audit: (entry: AuditEntry) => void;
}

export interface RunningCodecServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** A page of history is far smaller. */
const MOST_BODY_BYTES = 64 * 2 ** 20;

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/** An answer that is no payloads. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** `/encode` and `/decode`, also below a prefix: the CLI and the UI may put the namespace before it. */
function actionOf(path: string): 'encode' | 'decode' | undefined {
  const last = path.split('?')[0]!.replace(/\/$/, '').split('/').pop();
  return last === 'encode' || last === 'decode' ? last : undefined;
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value.slice(0, 200) : undefined;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function refuseWithoutToken(request: IncomingMessage, token: string | undefined): void {
  if (token === undefined) return;
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  // Digests have one length, so that comparing takes the same time whatever was sent.
  if (!timingSafeEqual(digest(given), digest(token))) {
    throw new Refusal(401, 'Unauthorized', 'send the token of COHORTFLOW_CODEC_TOKEN as Authorization: Bearer');
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BODY_BYTES) throw new Refusal(413, 'TooLarge', `more than ${MOST_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    throw new Refusal(400, 'InvalidInput', 'the body is not JSON');
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const { code, message } = toFailure(error);
  const status = code === 'KeyServiceUnavailable' ? 503 : code === 'InternalError' ? 500 : 400;
  // What an unknown error says may quote what it was given.
  return new Refusal(status, code, code === 'InternalError' ? 'the payloads could not be read' : message);
}

function send(response: ServerResponse, status: number, body?: unknown): void {
  response.statusCode = status;
  if (body === undefined) {
    response.end();
    return;
  }
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(body));
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { codec, origins, token, audit }: CodecServerOptions,
): Promise<void> {
  const origin = header(request, 'origin');
  const known = origin !== undefined && origins.includes(origin);
  response.setHeader('Vary', 'Origin');
  response.setHeader('Cache-Control', 'no-store');
  if (known) {
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Allow-Methods', 'POST, OPTIONS');
    response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type, X-Namespace');
    response.setHeader('Access-Control-Allow-Credentials', 'true');
  }
  if (request.method === 'OPTIONS') return send(response, known || origin === undefined ? 204 : 403);
  const action = actionOf(request.url ?? '');
  if (action === undefined)
    return send(response, 404, { error: { code: 'NotFound', message: 'POST /encode or /decode' } });
  if (request.method !== 'POST')
    return send(response, 405, { error: { code: 'InvalidInput', message: 'POST is wanted' } });

  let status = 200;
  let code: string | undefined;
  let payloads: number | undefined;
  try {
    // A browser always says where a page comes from; one that is not listed learns nothing.
    if (origin !== undefined && !known) {
      throw new Refusal(403, 'UnknownOrigin', `pages of ${origin} may not ask: start with --origin ${origin}`);
    }
    refuseWithoutToken(request, token);
    const given = payloadsFromJson(await bodyOf(request));
    payloads = given.length;
    send(response, 200, payloadsToJson(await codec[action](given)));
  } catch (error) {
    const refusal = refusalOf(error);
    ({ status, code } = refusal);
    send(response, status, { error: { code, message: refusal.message } });
  }
  const namespace = header(request, 'x-namespace');
  audit({
    time: new Date().toISOString(),
    action,
    status,
    ...(namespace === undefined ? {} : { namespace }),
    ...(origin === undefined ? {} : { origin }),
    ...(request.socket.remoteAddress === undefined ? {} : { remote: request.socket.remoteAddress }),
    ...(payloads === undefined ? {} : { payloads }),
    ...(code === undefined ? {} : { code }),
  });
}

async function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server.address() as AddressInfo;
}

/**
 * Serves the codec over HTTP, as Temporal's CLI (`--codec-endpoint`) and UI expect it: POST of payloads in JSON to `/encode`
 * or `/decode`, payloads back. Whoever can ask it can read what is encrypted: it listens on this machine only, or wants a
 * token.
 *
 * @throws CohortflowError `InvalidInput` when it would listen beyond this machine without a token, or cannot listen
 */
export async function startCodecServer(options: CodecServerOptions): Promise<RunningCodecServer> {
  const { host, port, token } = options;
  if (!LOOPBACK.has(host) && token === undefined) {
    const message = `listening on ${host} lets others decrypt: set COHORTFLOW_CODEC_TOKEN, or stay on 127.0.0.1`;
    throw new CohortflowError('InvalidInput', message);
  }
  const server = createServer((request, response) => {
    answer(request, response, options).catch(() => response.destroy());
  });
  try {
    const address = await listen(server, host, port);
    return {
      host,
      port: address.port,
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new CohortflowError('InvalidInput', `cannot listen on ${host}:${port}: ${reason}`, {}, error);
  }
}
