import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type {
  FeatureGroupSpec,
  FeatureStore,
  RejectedRecord,
  StoreRecord,
  StoredGroup,
} from '../../src/ports/feature-store.js';
import type { QueryEngine, TextCell } from '../../src/ports/query-engine.js';

interface Written {
  readonly values: ReadonlyMap<string, string>;
  readonly deleted: boolean;
  readonly at: number;
}

type Kind = FeatureGroupSpec['definitions'][number]['type'];

const stamp = (at: number): string => `TIMESTAMP '${new Date(at).toISOString().replace('T', ' ').replace('Z', '')}'`;

/** A number as Java, and so Athena, writes it. */
export function javaNumber(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return '0.0';
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`;
}

/** The shortest number that is the same as a FLOAT, which is what Athena writes of one. */
export function shortFloat(value: number): number {
  const float = Math.fround(value);
  for (let digits = 1; digits <= 9; digits += 1) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return float;
}

/**
 * A feature store in memory whose offline store is seen late, and its query engine: the tables are DuckDB's, columns in lower
 * case and of the types that the catalogue has, numbers written as Athena does.
 */
export class FakeFeatureStore implements FeatureStore, QueryEngine {
  readonly batch = 25;
  readonly groups = new Map<string, FeatureGroupSpec>();
  readonly written = new Map<string, Written[]>();
  /** When each group was made. */
  readonly madeAt = new Map<string, number>();
  /** Calls of `write`. */
  writes = 0;
  #now: number | undefined = Date.parse('2026-05-01T00:00:00Z');
  /** Milliseconds until what was written is seen. */
  lag = 0;
  /** What the catalogue makes of `Fractional`: nobody has asked an account. */
  fractional: 'DOUBLE' | 'FLOAT' = 'DOUBLE';
  /** Records that are never seen, by their identifier. */
  hides: (id: string) => boolean = () => false;
  /** Called before each write; may throw. */
  beforeWrite: (write: number) => void = () => undefined;
  /** What the store will not take. */
  refuses: (record: StoreRecord) => string | undefined = () => undefined;

  /** Milliseconds of its clock: one that moves by one with each record, or this machine's. */
  get now(): number {
    return this.#now ?? Date.now();
  }

  set now(at: number) {
    this.#now = at;
  }

  /** From now on the clock is this machine's, and what is written is seen so many milliseconds later. */
  lagsFor(milliseconds: number): void {
    this.#now = undefined;
    this.lag = milliseconds;
  }

  /** Time that passes by itself where the clock is this machine's. */
  private passes(milliseconds: number): void {
    if (this.#now !== undefined) this.#now += milliseconds;
  }

  ensure(spec: FeatureGroupSpec): Promise<StoredGroup> {
    if (!this.groups.has(spec.name)) {
      this.groups.set(spec.name, spec);
      this.written.set(spec.name, []);
      this.passes(1_000);
      this.madeAt.set(spec.name, this.now);
    }
    return Promise.resolve({
      name: spec.name,
      made: this.madeOf(spec.name),
      table: { database: 'sagemaker_featurestore', table: spec.name.toLowerCase().replaceAll('-', '_') },
      at: new Date(this.now).toISOString(),
    });
  }

  made(group: string): Promise<string | undefined> {
    return Promise.resolve(this.groups.has(group) ? this.madeOf(group) : undefined);
  }

  private madeOf(group: string): string {
    return new Date(this.madeAt.get(group) ?? 0).toISOString();
  }

  async write(group: Pick<FeatureGroupSpec, 'name'>, records: readonly StoreRecord[]): Promise<RejectedRecord[]> {
    this.writes += 1;
    this.beforeWrite(this.writes);
    const rejected: RejectedRecord[] = [];
    for (const record of records) {
      const code = this.refuses(record);
      if (code === undefined) this.add(group.name, new Map(record.values), false);
      else rejected.push({ id: record.id, code, message: '' });
    }
    return rejected;
  }

  async remove(group: string, id: string, eventTime: string): Promise<void> {
    const { recordIdentifier, eventTimeName } = this.groups.get(group)!;
    const values = new Map([
      [recordIdentifier, id],
      [eventTimeName, eventTime],
    ]);
    this.add(group, values, true);
  }

  private add(group: string, values: ReadonlyMap<string, string>, deleted: boolean): void {
    this.passes(1);
    this.written.get(group)!.push({ values, deleted, at: this.now });
  }

  async *rows(sql: string): AsyncIterable<readonly TextCell[]> {
    const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
    await connection.run('CREATE SCHEMA sagemaker_featurestore');
    for (const [name, spec] of this.groups) await this.fill(connection, name, spec);
    const result = await connection.runAndReadAll(sql);
    const types = result.columnTypes().map(String);
    for (const row of result.getRows()) {
      yield row.map((value, at) => {
        if (value === null) return null;
        if (types[at] === 'FLOAT') return javaNumber(shortFloat(Number(value)));
        return types[at] === 'DOUBLE' ? javaNumber(Number(value)) : String(value);
      });
    }
  }

  private sqlType(kind: Kind): string {
    return { Integral: 'BIGINT', Fractional: this.fractional, String: 'VARCHAR' }[kind];
  }

  private async fill(connection: DuckDBConnection, name: string, spec: FeatureGroupSpec): Promise<void> {
    const { definitions, recordIdentifier } = spec;
    const table = `sagemaker_featurestore."${name.toLowerCase().replaceAll('-', '_')}"`;
    const columns = definitions.map((one) => `"${one.name.toLowerCase()}" ${this.sqlType(one.type)}`);
    const own = ['write_time TIMESTAMP', 'api_invocation_time TIMESTAMP', 'is_deleted BOOLEAN'];
    await connection.run(`CREATE TABLE ${table} (${[...columns, ...own].join(', ')})`);
    const cell = (text: string | undefined, type: Kind): string =>
      text === undefined
        ? 'NULL'
        : type === 'String'
          ? `'${text.replaceAll("'", "''")}'`
          : `'${text}'::${this.sqlType(type)}`;
    for (const { values, deleted, at } of this.written.get(name)!) {
      if (at + this.lag > this.now || this.hides(values.get(recordIdentifier) ?? '')) continue;
      const cells = definitions.map((one) => cell(values.get(one.name), one.type));
      await connection.run(
        `INSERT INTO ${table} VALUES (${[...cells, stamp(at + this.lag), stamp(at), String(deleted)].join(', ')})`,
      );
    }
  }
}
