import { randomUUID } from 'node:crypto';
import type { AthenaClient, QueryExecution } from '@aws-sdk/client-athena';
import type { AwsSettings } from '../../config/aws-settings.js';
import { csvRows } from '../../domain/csv/index.js';
import { CohortflowError } from '../../domain/errors.js';
import type { Files } from '../../ports/files.js';
import type { QueryEngine, QueryOptions, TextCell } from '../../ports/query-engine.js';
import { awsCode, awsError } from './aws-errors.js';
import { clientOptions } from './client-options.js';
import { backoff, realPause, repeated, type Pause } from './feature-store-pauses.js';

type Commands = typeof import('@aws-sdk/client-athena');

const FIRST_LOOK_MS = 300;
const LONGEST_LOOK_MS = 5_000;
/** Athena itself ends a query after 30 minutes; queueing comes on top. */
const LONGEST_MS = 60 * 60_000;
/** Tries of a call, and of a query that failed by no fault of its own. */
const TRIES = 8;
const QUERY_TRIES = 3;

const mayPass = (error: unknown): boolean => ['AwsThrottled', 'AwsUnavailable'].includes(awsCode(error));

/** What the engine says; a fault of one value may name the value. */
function said(reason: string): string {
  const text = /cast|convert|parse|value/i.test(reason) ? reason.replace(/'[^']*'/g, "'…'") : reason;
  return text.slice(0, 500);
}

const cell = (text: string | undefined): TextCell => (text === undefined || text === '' ? null : text);

/** {@link QueryEngine} with Athena; its results are read from where it writes them, else page by page. */
export class AthenaQueries implements QueryEngine {
  #client: AthenaClient | undefined;

  /**
   * @param files reads `s3://`
   * @param pause tests do not wait
   */
  constructor(
    private readonly settings: AwsSettings,
    private readonly files: Files,
    private readonly pause: Pause = realPause,
  ) {}

  async *rows(sql: string, { signal }: QueryOptions): AsyncIterable<readonly TextCell[]> {
    try {
      const done = await this.ended(sql, signal);
      const place = done.ResultConfiguration?.OutputLocation;
      yield* place === undefined ? this.pages(done.QueryExecutionId ?? '', signal) : this.csv(place, signal);
    } catch (error) {
      throw awsError(error, 'Athena, asking the feature groups', signal);
    }
  }

  private async sdk(): Promise<{ readonly client: AthenaClient; readonly commands: Commands }> {
    const commands = await import('@aws-sdk/client-athena');
    this.#client ??= new commands.AthenaClient(clientOptions(this.settings.region));
    return { client: this.#client, commands };
  }

  private repeated<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const how = { first: FIRST_LOOK_MS, most: LONGEST_LOOK_MS, tries: TRIES, pause: this.pause };
    return repeated(call, mayPass, how, signal);
  }

  /** Runs a query to its end; begun again when the service says that it was at fault itself. */
  private async ended(sql: string, signal: AbortSignal): Promise<QueryExecution> {
    for (let attempt = 1; ; attempt += 1) {
      const execution = await this.waited(await this.start(sql, signal), signal);
      const { State: state, StateChangeReason: reason = '', AthenaError: fault } = execution.Status ?? {};
      if (state === 'SUCCEEDED') return execution;
      if (fault?.Retryable === true && attempt < QUERY_TRIES) continue;
      const id = execution.QueryExecutionId ?? '';
      throw new CohortflowError('QueryFailed', `Athena, query ${id}: ${state ?? 'lost'}: ${said(reason)}`);
    }
  }

  private async start(sql: string, signal: AbortSignal): Promise<string> {
    const { client, commands } = await this.sdk();
    const { workgroup, results, catalog, database } = this.settings.athena ?? {};
    const key = this.settings.kmsKey;
    const encryption =
      key === undefined ? {} : { EncryptionConfiguration: { EncryptionOption: 'SSE_KMS' as const, KmsKey: key } };
    const context = {
      ...(catalog === undefined ? {} : { Catalog: catalog }),
      ...(database === undefined ? {} : { Database: database }),
    };
    const request = {
      QueryString: sql,
      // The same for all tries of this call: a lost answer does not make a second query.
      ClientRequestToken: `cohortflow-${randomUUID()}`,
      ...(workgroup === undefined ? {} : { WorkGroup: workgroup }),
      ...(results === undefined
        ? {}
        : { ResultConfiguration: { OutputLocation: `${results.replace(/\/+$/, '')}/`, ...encryption } }),
      ...(Object.keys(context).length === 0 ? {} : { QueryExecutionContext: context }),
    };
    const { QueryExecutionId: id } = await this.repeated(
      () => client.send(new commands.StartQueryExecutionCommand(request), { abortSignal: signal }),
      signal,
    );
    if (id === undefined) throw new CohortflowError('QueryFailed', 'Athena gave the query no id');
    return id;
  }

  /** Looks until the query has ended; stops it when nobody waits any longer. */
  private async waited(id: string, signal: AbortSignal): Promise<QueryExecution> {
    const { client, commands } = await this.sdk();
    const request = { QueryExecutionId: id };
    let over = false;
    try {
      let waited = 0;
      for (let look = 0; waited < LONGEST_MS; look += 1) {
        const { QueryExecution: found } = await this.repeated(
          () => client.send(new commands.GetQueryExecutionCommand(request), { abortSignal: signal }),
          signal,
        );
        const state = found?.Status?.State;
        if (found !== undefined && state !== 'QUEUED' && state !== 'RUNNING') {
          over = true;
          return found;
        }
        const wait = backoff(look, FIRST_LOOK_MS, LONGEST_LOOK_MS);
        waited += wait;
        await this.pause(wait, signal);
      }
      throw new CohortflowError('QueryFailed', `Athena, query ${id}: not ended within ${LONGEST_MS / 60_000} minutes`);
    } finally {
      // A stop that fails costs at most what the query would have cost.
      if (!over) await client.send(new commands.StopQueryExecutionCommand(request)).catch(() => undefined);
    }
  }

  /** The CSV of a finished query; its first row names the columns. */
  private async *csv(place: string, signal: AbortSignal): AsyncIterable<readonly TextCell[]> {
    let first = true;
    for await (const cells of csvRows(this.files.lines(place, signal))) {
      if (!first) yield cells.map(cell);
      first = false;
    }
  }

  private async *pages(id: string, signal: AbortSignal): AsyncIterable<readonly TextCell[]> {
    const { client, commands } = await this.sdk();
    let token: string | undefined;
    let first = true;
    do {
      const request = { QueryExecutionId: id, ...(token === undefined ? {} : { NextToken: token }) };
      const page = await this.repeated(
        () => client.send(new commands.GetQueryResultsCommand(request), { abortSignal: signal }),
        signal,
      );
      for (const { Data = [] } of page.ResultSet?.Rows ?? []) {
        if (!first) yield Data.map(({ VarCharValue }) => cell(VarCharValue));
        first = false;
      }
      token = page.NextToken;
    } while (token !== undefined && token !== '');
  }
}
