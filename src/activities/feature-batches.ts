import { csvRows } from '../domain/csv/index.js';
import { mapBounded } from '../domain/map-bounded.js';
import type { RejectedRecord } from '../ports/feature-store.js';
import type { Files } from '../ports/files.js';
import { RecordMaker, tooLarge, type FeatureRow } from './feature-records.js';
import type { FeatureServices, Ingest } from './ingest-plan.js';

/** Batches on their way at once. */
const BATCHES_AT_ONCE = 8;
/** Batches read before any of them is sent: bounds memory. */
const WAVE = 16;

/** The rows of the Parquet file, which a process of its own has read. */
async function* rowsOf(
  { schema, again }: Ingest,
  csv: string,
  files: Files,
  signal: AbortSignal,
): AsyncGenerator<FeatureRow, undefined> {
  let header: readonly string[] | undefined;
  let places: readonly number[] = [];
  let time = 0;
  let number = 0;
  for await (const cells of csvRows(files.lines(csv, signal))) {
    if (header === undefined) {
      header = cells;
      places = schema.columns.map(({ name }) => cells.indexOf(name));
      time = cells.indexOf(schema.eventTimeName);
      continue;
    }
    const row = {
      number,
      id: cells[0] ?? '',
      eventTime: cells[time] ?? '',
      cells: places.map((at) => cells[at] ?? ''),
    };
    number += 1;
    if (again === undefined || again.has(row.id)) yield row;
  }
  return undefined;
}

async function* batchesOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[], undefined> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
  return undefined;
}

/**
 * Sends the rows batch by batch; each that is finished leaves a mark, and marked ones are not sent again.
 *
 * @param folder of the marks
 * @param csv the rows
 */
export async function sendBatches(
  ingest: Ingest,
  folder: string,
  csv: string,
  pointsTo: string | undefined,
  services: FeatureServices,
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<{
  readonly rows: number;
  readonly latest: string;
  readonly rejected: readonly RejectedRecord[];
}> {
  const { files, store } = services;
  const { schema, form } = ingest;
  const done = new Set(await files.names(folder));
  const maker = new RecordMaker(schema, form.form, pointsTo);
  const sendBatch = async (batch: readonly FeatureRow[]): Promise<RejectedRecord[]> => {
    const rejected = new Map<string, RejectedRecord>();
    for (const group of form.groups) {
      const records = batch
        .map((row) => maker.of(row, group))
        .filter((record) => {
          const refused = tooLarge(record);
          if (refused !== undefined) rejected.set(record.id, refused);
          return refused === undefined;
        });
      if (records.length === 0) continue;
      const target = { name: group.name, recordIdentifier: schema.recordIdentifier };
      for (const one of await store.write(target, records, signal)) rejected.set(one.id, one);
    }
    return [...rejected.values()];
  };
  const rejected: RejectedRecord[] = [];
  let rows = 0;
  let first = 0;
  let latest = '';
  for await (const wave of batchesOf(batchesOf(rowsOf(ingest, csv, files, signal), store.batch), WAVE)) {
    const start = first;
    const results = await mapBounded(wave, BATCHES_AT_ONCE, async (batch, at) => {
      const mark = `${String(start + at).padStart(8, '0')}.json`;
      const path = `${folder}/${mark}`;
      if (done.has(mark)) return JSON.parse(await files.readText(path)) as RejectedRecord[];
      const refused = await sendBatch(batch);
      await files.write(path, JSON.stringify(refused));
      return refused;
    });
    rejected.push(...results.flat());
    first += wave.length;
    for (const { eventTime } of wave.flat()) if (eventTime > latest) latest = eventTime;
    rows += wave.reduce((sum, batch) => sum + batch.length, 0);
    progress(`${rows} rows sent to Feature Store`);
  }
  return { rows, latest, rejected };
}
