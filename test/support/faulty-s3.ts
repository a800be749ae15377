import type { S3Files } from '../../src/adapters/aws/s3-files.js';
import { createServer, request as send, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What goes wrong with a call. `drop`: the connection is closed before anything took place; `lost`: after it took place;
 * `cut`: in the middle of the answer's body; `corrupt`: one byte of the answer's body is another; `damage`: one of what was sent.
 */
export type S3Fault = 'slow-down' | 'internal-error' | 'conflict' | 'drop' | 'lost' | 'cut' | 'corrupt' | 'damage';

/** One call as it came. */
export interface S3Call {
  readonly operation: string;
  readonly range: string | undefined;
  readonly fault: S3Fault | undefined;
}

const REFUSALS: Readonly<Partial<Record<S3Fault, readonly [status: number, code: string]>>> = {
  'slow-down': [503, 'SlowDown'],
  'internal-error': [500, 'InternalError'],
  conflict: [409, 'ConditionalRequestConflict'],
};

/** The operation of S3 that a request asks for, as far as we use them. */
function operationOf({ method = '', url = '' }: IncomingMessage): string {
  const { pathname, searchParams: query } = new URL(url, 'http://localhost');
  const isObject = pathname.split('/').filter((part) => part !== '').length > 1;
  const multipart = query.has('uploadId');
  switch (method) {
    case 'PUT':
      return multipart ? 'UploadPart' : 'PutObject';
    case 'POST':
      if (query.has('delete')) return 'DeleteObjects';
      return multipart ? 'CompleteMultipartUpload' : 'CreateMultipartUpload';
    case 'DELETE':
      return multipart ? 'AbortMultipartUpload' : 'DeleteObject';
    case 'HEAD':
      return 'HeadObject';
    default:
      return isObject ? 'GetObject' : 'ListObjectsV2';
  }
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Stands between the SDK and an S3 server, and lets go wrong what it is told to. */
export class FaultyS3 {
  readonly #faults = new Map<string, (S3Fault | 'fine')[]>();
  readonly #calls: S3Call[] = [];
  /** What goes wrong with a call for which nothing is scripted. */
  faultOf: (operation: string, url: string) => S3Fault | undefined = () => undefined;
  /** Called with each call before anything happens to it. */
  onCall: (operation: string) => void = () => undefined;

  private constructor(
    private readonly server: Server,
    private readonly target: string,
  ) {}

  /** @param target address of the server behind it */
  static async start(target: string): Promise<FaultyS3> {
    const server = createServer();
    const faulty = new FaultyS3(server, target);
    server.on('request', (request, response) => void faulty.handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return faulty;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What came, in order. */
  get calls(): readonly S3Call[] {
    return this.#calls;
  }

  /** The next calls of an operation go wrong in these ways, in order. */
  next(operation: string, ...faults: (S3Fault | 'fine')[]): void {
    this.#faults.set(operation, [...(this.#faults.get(operation) ?? []), ...faults]);
  }

  /** Faults that have not come to pass. */
  get left(): number {
    return [...this.#faults.values()].flat().length;
  }

  /** Forgets calls and faults. */
  reset(): void {
    this.#faults.clear();
    this.#calls.length = 0;
    this.faultOf = () => undefined;
    this.onCall = () => undefined;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const operation = operationOf(request);
    const next = this.#faults.get(operation)?.shift() ?? this.faultOf(operation, request.url ?? '');
    const fault = next === 'fine' ? undefined : next;
    this.#calls.push({ operation, range: request.headers.range, fault });
    this.onCall(operation);
    const body = await bytesOf(request).catch(() => undefined);
    if (body === undefined || fault === 'drop') return void request.socket.destroy();
    const refusal = fault === undefined ? undefined : REFUSALS[fault];
    if (refusal !== undefined) {
      const [status, code] = refusal;
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
      return;
    }
    if (fault === 'damage') body[Math.floor(body.length / 2)]! ^= 1;
    const [answer, content] = await this.forward(request, body);
    if (fault === 'lost') return void request.socket.destroy();
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    if (fault === 'cut') {
      response.write(content.subarray(0, Math.floor(content.length / 2)), () => request.socket.destroy());
      return;
    }
    if (fault === 'corrupt') content[Math.floor(content.length / 2)]! ^= 1;
    response.end(content);
  }

  private forward(from: IncomingMessage, body: Buffer): Promise<readonly [IncomingMessage, Buffer]> {
    const { 'transfer-encoding': _, ...headers } = from.headers;
    return new Promise((resolve, reject) => {
      const to = send(
        new URL(from.url ?? '/', this.target),
        { method: from.method, headers: { ...headers, 'content-length': body.length, connection: 'close' } },
        (answer) => void bytesOf(answer).then((content) => resolve([answer, content]), reject),
      );
      to.once('error', reject);
      to.end(body);
    });
  }
}

/** Reads an object whole, of 2 MB and more, while somebody writes another in its place once the first bytes have come. */
export async function readWhileReplaced(files: S3Files, path: string, other: Uint8Array): Promise<void> {
  let replaced: Promise<void> | undefined;
  for await (const _ of files.raw(path)) await (replaced ??= files.write(path, other));
}
