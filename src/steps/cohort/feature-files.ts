import { segmentOf, type UnitFile } from '../../contracts/case-index.js';
import { CohortflowError } from '../../domain/errors.js';
import { mapAhead } from '../../domain/map-ahead.js';
import type { JsonObject, StepCall } from '../step.js';
import { readRows } from './csv-rows.js';

/** A features file of a finished study, or of one of its segments. */
export interface FeatureFile {
  readonly caseId: string;
  readonly part: string;
  readonly date?: string;
  readonly segment?: string;
  readonly path: string;
}

interface FinishedUnit {
  readonly caseId: string;
  readonly part: string;
  readonly date?: string;
  readonly outputs: readonly UnitFile[];
}

/** Files read ahead of the one that is needed. */
const AHEAD = 16;

/** Feature files of all finished studies in sheet order: of the whole region, or of the segments. */
export async function* featureFiles<P extends JsonObject>(
  list: string,
  segments: boolean,
  call: StepCall<P>,
): AsyncGenerator<FeatureFile, undefined> {
  for await (const line of call.io.files.lines(list, call.signal)) {
    if (line === '') continue;
    const { outputs, ...unit } = JSON.parse(line) as FinishedUnit;
    for (const { path } of outputs) {
      const segment = segmentOf(path);
      if (segments && segment !== undefined) yield { ...unit, segment, path };
      else if (!segments && path.endsWith('/features.json')) yield { ...unit, path };
    }
  }
  return undefined;
}

/** The numbers of a features file; null where a feature could not be computed. */
async function readFeatures<P extends JsonObject>(
  path: string,
  call: StepCall<P>,
): Promise<Readonly<Record<string, number | null>>> {
  return JSON.parse(await call.io.files.readText(path)) as Record<string, number | null>;
}

/** A row of which the features are still elsewhere, if it has any: in a file of their own, or under a key of a table. */
export interface RowToFill<T> {
  readonly row: T;
  readonly features: string | undefined;
}

/** Rows with the values of their features, written aside: every name must be known before the first row can be. */
export interface FilledRows<T> {
  /** Names of all features, in order of first appearance. */
  readonly names: readonly string[];
  /** The rows again, values in the order of `names`. */
  rows(): AsyncIterable<readonly [row: T, values: readonly (number | null)[]]>;
}

/** Where features are read from. */
export interface FeatureValues {
  /** Reads that may be under way at once. */
  readonly ahead: number;
  /** Names known before the first row is read. */
  readonly names: readonly string[];
  read(features: string): Promise<Readonly<Record<string, number | null>>>;
}

/** Features in a file of each row's own. */
export function valuesOfFiles<P extends JsonObject>(call: StepCall<P>): FeatureValues {
  return { ahead: AHEAD, names: [], read: (path) => readFeatures(path, call) };
}

/**
 * Features in one table: a key, then a column per feature. Its rows lie in the order in which they are asked for; none is
 * left out.
 */
export async function valuesOfTable<P extends JsonObject>(path: string, call: StepCall<P>): Promise<FeatureValues> {
  const rows = readRows(call.io.files, path, call.signal)[Symbol.asyncIterator]();
  const head = await rows.next();
  const names = head.done === true ? [] : head.value.slice(1);
  return {
    ahead: 1,
    names,
    async read(key) {
      const next = await rows.next();
      if (next.done === true || next.value[0] !== key) {
        throw new CohortflowError('InternalError', `the features of ${key} are not where they are due in the table`);
      }
      const cells = next.value.slice(1);
      return Object.fromEntries(names.map((name, at) => [name, cells[at] === '' ? null : Number(cells[at])]));
    },
  };
}

/**
 * Reads the features of many rows, each file once, into one scratch file; neither rows nor values are held in memory.
 *
 * @param rows rows of plain JSON
 */
export async function fillRows<T, P extends JsonObject>(
  rows: AsyncIterable<RowToFill<T>>,
  call: StepCall<P>,
  values: FeatureValues = valuesOfFiles(call),
): Promise<FilledRows<T>> {
  const { io, signal } = call;
  const spool = `${io.scratchFolder}/rows.jsonl`;
  const places = new Map<string, number>(values.names.map((name, at) => [name, at]));
  const read = async ({
    row,
    features,
  }: RowToFill<T>): Promise<readonly [T, Readonly<Record<string, number | null>>]> => [
    row,
    features === undefined ? {} : await values.read(features),
  ];
  const lines = async function* (): AsyncIterable<string> {
    for await (const [row, found] of mapAhead(rows, values.ahead, read)) {
      signal.throwIfAborted();
      const cells = new Array<number | null>(places.size).fill(null);
      for (const [name, value] of Object.entries(found)) {
        let at = places.get(name);
        if (at === undefined) places.set(name, (at = places.size));
        cells[at] = value;
      }
      yield `${JSON.stringify([row, cells])}\n`;
    }
  };
  await io.files.write(spool, lines());
  return {
    names: [...places.keys()],
    async *rows() {
      for await (const line of io.files.lines(spool, signal)) {
        const [row, cells] = JSON.parse(line) as [T, (number | null)[]];
        // A row written before a name was met is short of it.
        while (cells.length < places.size) cells.push(null);
        yield [row, cells];
      }
    },
  };
}
