import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { csvText } from '../../src/domain/csv/index.js';
import type { FeatureDefinition } from '../../src/domain/feature-table/store-form.js';
import type { StoreRecord } from '../../src/ports/feature-store.js';
import { FakeFeatureStore } from './fake-feature-store.js';
import { temporaryFolder } from './run-step.js';

type Json = Record<string, unknown>;
interface SdkRecord {
  readonly FeatureName: string;
  readonly ValueAsString: string;
}
interface Entry {
  readonly FeatureGroupName: string;
  readonly Record: readonly SdkRecord[];
}

/** An answer that is a fault of the service. */
export class ServiceFault extends Error {
  constructor(
    readonly type: string,
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

const NAME = /^[a-zA-Z0-9]([_-]*[a-zA-Z0-9]){0,63}$/;
/** Of groups that no request made. */
const PLACE = 's3://bucket/store';
const RESERVED = ['is_deleted', 'write_time', 'api_invocation_time'];
const EVENT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/;
/** Bytes of a record, and groups that an account makes at once. */
const MOST_RECORD = 350 * 1024;
const MADE_AT_ONCE = 4;

interface Execution {
  readonly sql: string;
  state: string;
  reason?: string;
  looks: number;
  place?: string;
  rows?: (readonly (string | null)[])[];
}

/** What a test wants to go wrong, by action; `lose` acts and then drops the answer. */
export type FaultOf = (action: string, call: number) => ServiceFault | 'lose' | undefined;

/** Feature Store and Athena on the wire, over a store in memory. */
export class FeatureStoreServer {
  readonly store = new FakeFeatureStore();
  readonly calls = new Map<string, number>();
  faultOf: FaultOf = () => undefined;
  /** Looks at a group, or a query, until it is done. */
  looksNeeded = 2;
  /** Where the answer of a query goes: a file, or the pages of the service alone. */
  results: 'file' | 'pages' = 'file';
  groupStatus = 'Created';
  offlineStatus = 'Active';
  /** Entries of a batch by the number of the call: put off, or refused with a code. */
  entryFault: (
    id: string,
    call: number,
  ) => 'unprocessed' | { readonly code: string; readonly message: string } | undefined = () => undefined;
  readonly requests: { readonly action: string; readonly request: Json }[] = [];
  readonly executions = new Map<string, Execution>();
  readonly #looks = new Map<string, number>();
  readonly #tokens = new Map<string, string>();
  /** What whoever made a group asked for. */
  readonly #made = new Map<string, Json>();
  readonly #folder = temporaryFolder('athena');
  readonly #server = createServer((request, response) => void this.handle(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Whether a request is for these services, where one address serves others too. */
  serves(request: IncomingMessage): boolean {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (request.headers['x-amz-target'] === undefined) return url.pathname !== '/';
    return /(FeatureGroups?|QueryExecution|QueryResults|WorkGroup)$/.test(this.actionOf(request, url));
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body = (text === '' ? {} : JSON.parse(text)) as Json;
    const url = new URL(request.url ?? '/', 'http://localhost');
    const action = this.actionOf(request, url);
    const call = (this.calls.get(action) ?? 0) + 1;
    this.calls.set(action, call);
    this.requests.push({ action, request: body });
    try {
      const fault = this.faultOf(action, call);
      if (fault instanceof ServiceFault) throw fault;
      const answer = await this.act(action, body, url, call);
      if (fault === 'lose') return void request.socket.destroy();
      // One clock for what is said and what is stored.
      const date = new Date(this.store.now).toUTCString();
      response.writeHead(200, { 'content-type': 'application/json', date });
      response.end(JSON.stringify(answer));
    } catch (error) {
      const { type, message, status } =
        error instanceof ServiceFault ? error : new ServiceFault('InternalFailure', String(error), 500);
      response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': type });
      response.end(JSON.stringify({ __type: type, message, Message: message }));
    }
  }

  private actionOf(request: IncomingMessage, url: URL): string {
    const target = String(request.headers['x-amz-target'] ?? '');
    if (target !== '') return target.slice(target.indexOf('.') + 1);
    if (url.pathname === '/BatchWriteRecord') return 'BatchWriteRecord';
    return request.method === 'PUT' ? 'PutRecord' : 'DeleteRecord';
  }

  private async act(action: string, body: Json, url: URL, call: number): Promise<Json> {
    const path = decodeURIComponent(url.pathname.split('/')[2] ?? '');
    switch (action) {
      case 'CreateFeatureGroup':
        return this.create(body);
      case 'DescribeFeatureGroup':
        return this.describe(String(body['FeatureGroupName']));
      case 'ListFeatureGroups':
        return this.listGroups(body);
      case 'DeleteFeatureGroup':
        return this.deleteGroup(String(body['FeatureGroupName']));
      case 'PutRecord':
        return this.put({ FeatureGroupName: path, Record: body['Record'] as SdkRecord[] });
      case 'BatchWriteRecord':
        return this.batch(body['Entries'] as Entry[], call);
      case 'DeleteRecord': {
        const query = (name: string): string => url.searchParams.get(name) ?? '';
        if (!this.store.groups.has(path)) throw new ServiceFault('ResourceNotFound', `${path} not found`, 404);
        if (!EVENT_TIME.test(query('EventTime'))) throw new ServiceFault('ValidationError', 'EventTime is no time');
        await this.store.remove(path, query('RecordIdentifierValueAsString'), query('EventTime'));
        return {};
      }
      case 'GetWorkGroup':
        return { WorkGroup: { Name: String(body['WorkGroup']), State: 'ENABLED', Configuration: {} } };
      case 'StartQueryExecution':
        return this.startQuery(body);
      case 'GetQueryExecution':
        return this.query(String(body['QueryExecutionId']));
      case 'StopQueryExecution':
        this.executions.get(String(body['QueryExecutionId']))!.state = 'CANCELLED';
        return {};
      // What is asked before a run; nothing limits it here.
      case 'ListServiceQuotas':
      case 'ListAWSDefaultServiceQuotas':
        return { Quotas: [] };
      case 'GetQueryResults':
        return this.page(body);
      default:
        throw new ServiceFault('UnknownOperationException', `unknown operation ${action}`, 404);
    }
  }

  private create(body: Json): Json {
    const name = String(body['FeatureGroupName']);
    const definitions = (body['FeatureDefinitions'] as { FeatureName: string; FeatureType: string }[]).map(
      (one): FeatureDefinition => ({ name: one.FeatureName, type: one.FeatureType as FeatureDefinition['type'] }),
    );
    const names = definitions.map((one) => one.name);
    const wrong = [name, ...names].filter((one) => !NAME.test(one) || one.length > 64 || RESERVED.includes(one));
    if (wrong.length > 0 || definitions.length > 2_500) {
      throw new ServiceFault('ValidationException', `invalid: ${wrong.join(', ')}`);
    }
    if (this.store.groups.has(name)) throw new ServiceFault('ResourceInUse', `${name} already exists`);
    const recordIdentifier = String(body['RecordIdentifierFeatureName']);
    const eventTimeName = String(body['EventTimeFeatureName']);
    const underWay = [...this.#made.keys()].filter(
      (one) => this.store.groups.has(one) && (this.#looks.get(one) ?? 0) <= this.looksNeeded,
    );
    if (underWay.length >= MADE_AT_ONCE) {
      throw new ServiceFault('ResourceLimitExceeded', `${MADE_AT_ONCE} feature groups are under creation`);
    }
    this.#made.set(name, body);
    this.#looks.delete(name);
    void this.store.ensure({ name, recordIdentifier, eventTimeName, definitions });
    return { FeatureGroupArn: `arn:aws:sagemaker:eu-central-1:123456789012:feature-group/${name}` };
  }

  private describe(name: string): Json {
    const spec = this.store.groups.get(name);
    if (spec === undefined) throw new ServiceFault('ResourceNotFound', `${name} not found`);
    const looks = (this.#looks.get(name) ?? 0) + 1;
    this.#looks.set(name, looks);
    const ended = looks > this.looksNeeded;
    const { OfflineStoreConfig: offline = {}, OnlineStoreConfig } = (this.#made.get(name) ?? {}) as {
      OfflineStoreConfig?: { S3StorageConfig?: { S3Uri?: string }; TableFormat?: string };
      OnlineStoreConfig?: Json;
    };
    const place = offline.S3StorageConfig?.S3Uri ?? PLACE;
    return {
      FeatureGroupName: name,
      RecordIdentifierFeatureName: spec.recordIdentifier,
      EventTimeFeatureName: spec.eventTimeName,
      FeatureDefinitions: spec.definitions.map((one) => ({ FeatureName: one.name, FeatureType: one.type })),
      FeatureGroupStatus: ended ? this.groupStatus : 'Creating',
      FailureReason: 'the role arn:aws:iam::123456789012:role/x may not write',
      OfflineStoreStatus: { Status: this.offlineStatus, BlockedReason: 'the key is disabled' },
      ...(OnlineStoreConfig === undefined ? {} : { OnlineStoreConfig }),
      OfflineStoreConfig: {
        ...(offline.TableFormat === undefined ? {} : { TableFormat: offline.TableFormat }),
        S3StorageConfig: {
          ...offline.S3StorageConfig,
          S3Uri: place,
          ResolvedOutputS3Uri: `${place}/123456789012/sagemaker/eu-central-1/offline-store/${name}-1700000000/data`,
        },
        DataCatalogConfig: {
          Catalog: 'AwsDataCatalog',
          Database: 'sagemaker_featurestore',
          TableName: name.toLowerCase().replaceAll('-', '_'),
        },
      },
      CreationTime: (this.store.madeAt.get(name) ?? 1) / 1000,
    };
  }

  /** Three a page; the text may stand anywhere in the name. */
  private listGroups({ NameContains = '', NextToken = '0' }: Json): Json {
    const names = [...this.store.groups.keys()].filter((name) => name.includes(String(NameContains))).sort();
    const from = Number(NextToken);
    return {
      FeatureGroupSummaries: names.slice(from, from + 3).map((name) => ({
        FeatureGroupName: name,
        FeatureGroupArn: `arn:aws:sagemaker:eu-central-1:123456789012:feature-group/${name}`,
        CreationTime: 1,
      })),
      ...(from + 3 < names.length ? { NextToken: String(from + 3) } : {}),
    };
  }

  private deleteGroup(name: string): Json {
    if (!this.store.groups.delete(name)) throw new ServiceFault('ResourceNotFound', `${name} not found`);
    return {};
  }

  private async put({ FeatureGroupName, Record }: Entry): Promise<Json> {
    const spec = this.store.groups.get(FeatureGroupName);
    if (spec === undefined) throw new ServiceFault('ValidationError', `can't find a FeatureGroup ${FeatureGroupName}`);
    const values = Record.map(({ FeatureName, ValueAsString }) => [FeatureName, ValueAsString] as const);
    for (const [name, value] of values) {
      const type = spec.definitions.find((one) => one.name === name)?.type;
      const fits = type === 'Integral' ? /^-?\d+$/.test(value) : type === 'String' || Number.isFinite(Number(value));
      if (type === undefined || !fits)
        throw new ServiceFault('ValidationError', `Feature ${name}: '${value}' is invalid`);
    }
    const size = values.reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
    if (size > MOST_RECORD) throw new ServiceFault('ValidationError', `the record has ${size} bytes`);
    const time = values.find(([name]) => name === spec.eventTimeName)?.[1] ?? '';
    if (!EVENT_TIME.test(time)) throw new ServiceFault('ValidationError', `Feature ${spec.eventTimeName} is no time`);
    const id = values.find(([name]) => name === spec.recordIdentifier)?.[1] ?? '';
    const record: StoreRecord = { id, values };
    await this.store.write({ name: FeatureGroupName }, [record]);
    return {};
  }

  private async batch(entries: readonly Entry[], call: number): Promise<Json> {
    if (entries.length < 1 || entries.length > 25) throw new ServiceFault('ValidationError', '1 to 25 entries');
    const Errors: Json[] = [];
    const UnprocessedEntries: Entry[] = [];
    for (const entry of entries) {
      const fault = this.entryFault(entry.Record[0]?.ValueAsString ?? '', call);
      if (fault === 'unprocessed') UnprocessedEntries.push(entry);
      else if (fault !== undefined) Errors.push({ Entry: entry, ErrorCode: fault.code, ErrorMessage: fault.message });
      else {
        try {
          await this.put(entry);
        } catch (error) {
          if (!(error instanceof ServiceFault)) throw error;
          Errors.push({ Entry: entry, ErrorCode: error.type, ErrorMessage: error.message });
        }
      }
    }
    return { Errors, UnprocessedEntries };
  }

  private startQuery(body: Json): Json {
    const token = String(body['ClientRequestToken'] ?? '');
    if (token.length < 32 || token.length > 128)
      throw new ServiceFault('InvalidRequestException', 'ClientRequestToken');
    const sql = String(body['QueryString']);
    if (Buffer.byteLength(sql) > 262_144) throw new ServiceFault('InvalidRequestException', 'query string too long');
    const id = this.#tokens.get(token) ?? `query-${this.executions.size + 1}`;
    if (!this.executions.has(id)) this.executions.set(id, { sql, state: 'QUEUED', looks: 0 });
    this.#tokens.set(token, id);
    return { QueryExecutionId: id };
  }

  private async query(id: string): Promise<Json> {
    const execution = this.executions.get(id)!;
    execution.looks += 1;
    if (execution.state === 'QUEUED') execution.state = 'RUNNING';
    else if (execution.state === 'RUNNING' && execution.looks > this.looksNeeded) await this.finish(id, execution);
    const { state: State, reason: StateChangeReason, place: OutputLocation } = execution;
    return {
      QueryExecution: {
        QueryExecutionId: id,
        Status: { State, StateChangeReason },
        ResultConfiguration: OutputLocation === undefined ? {} : { OutputLocation },
      },
    };
  }

  private async finish(id: string, execution: Execution): Promise<void> {
    try {
      const rows: (readonly (string | null)[])[] = [];
      for await (const row of this.store.rows(execution.sql)) rows.push(row);
      execution.rows = rows;
      execution.state = 'SUCCEEDED';
      if (this.results === 'pages') return;
      execution.place = join(this.#folder, `${id}.csv`);
      const cells = rows.map((row) => row.map((one) => one ?? ''));
      writeFileSync(
        execution.place,
        csvText(
          (rows[0] ?? ['x']).map((_, at) => `_col${at}`),
          cells,
        ),
      );
    } catch (error) {
      execution.state = 'FAILED';
      execution.reason = String(error);
    }
  }

  /** Two rows a page, the header among them. */
  private page(body: Json): Json {
    const { rows = [] } = this.executions.get(String(body['QueryExecutionId']))!;
    const all = [(rows[0] ?? []).map((_, at) => `_col${at}`), ...rows];
    const from = Number(body['NextToken'] ?? 0);
    const Rows = all.slice(from, from + 2).map((row) => ({
      Data: row.map((one) => (one === null ? {} : { VarCharValue: one })),
    }));
    return { ResultSet: { Rows }, ...(from + 2 < all.length ? { NextToken: String(from + 2) } : {}) };
  }
}
