import { randomUUID } from 'node:crypto';
import {
  ingestLayout,
  type FeatureActivities,
  type IngestRecord,
  type IngestRequest,
  type IngestResult,
  type IngestedGroup,
  type SentGroup,
} from '../contracts/feature-ingest.js';
import { layout } from '../contracts/layout.js';
import { csvRows, csvText } from '../domain/csv/index.js';
import { CohortflowError } from '../domain/errors.js';
import { SCHEMA_FILE, type GroupSchema } from '../domain/feature-table/group-schema.js';
import { chooseForm, type StoreForm } from '../domain/feature-table/store-form.js';
import { mapBounded } from '../domain/map-bounded.js';
import type { FeatureStore, RejectedRecord } from '../ports/feature-store.js';
import type { Files } from '../ports/files.js';
import type { RunLedger } from '../ports/run-ledger.js';
import type { StepRunner } from '../ports/step-runner.js';
import { sha256Text } from './canonical-json.js';
import { RecordMaker, tooLarge, type FeatureRow } from './feature-records.js';
import { heartbeating } from './step-activities.js';

/** What sending features to a store needs. */
export interface FeatureServices {
  readonly files: Files;
  readonly ledger: RunLedger;
  readonly runner: StepRunner;
  readonly store: FeatureStore;
  /** First part of the names of feature groups. */
  readonly prefix: string;
  /** `s3://…` below which the files lie that pointers name. */
  readonly pointers?: string;
  /** Folder of this machine for what is under way. */
  readonly workFolder: string;
}

/** Batches on their way at once. */
const BATCHES_AT_ONCE = 8;
/** Batches read before any of them is sent: bounds memory. */
const WAVE = 16;

/** What is to be sent: a group's rows and how they lie in the store. */
interface Ingest {
  readonly request: IngestRequest;
  readonly schema: GroupSchema;
  readonly parquet: string;
  /** SHA-256 of that file. */
  readonly rows: string;
  readonly form: StoreForm;
  readonly fingerprint: string;
  /** Identifiers that are sent again; all rows when absent. */
  readonly again?: ReadonlySet<string>;
  readonly tries: number;
}

async function readRecord(files: Files, path: string): Promise<IngestRecord | undefined> {
  if ((await files.stat(path)) === undefined) return undefined;
  return JSON.parse(await files.readText(path)) as IngestRecord;
}

/** Finds the rows that `features.write` left, and what has been sent of them before. */
async function prepare(
  request: IngestRequest,
  { files, ledger, prefix, store }: FeatureServices,
  signal: AbortSignal,
): Promise<{ readonly ingest: Ingest; readonly before: IngestRecord | undefined }> {
  const { output, group } = request;
  const folder = `${output}/features/${group}`;
  const made = await ledger.manifest(layout.stepManifest(output, `features/${group}`, 'features.write'));
  const rows = made?.outputs.find(({ path }) => path.endsWith('.parquet'));
  if (rows === undefined) throw new CohortflowError('FileNotFound', `${folder}: no rows were written for this group`);
  const schema = JSON.parse(await files.readText(`${folder}/${SCHEMA_FILE}`)) as GroupSchema;
  const form = chooseForm(schema, prefix, sha256Text);
  const fingerprint = sha256Text(JSON.stringify([rows.sha256, form.form, form.groups.map(({ name }) => name)]));
  const last = await readRecord(files, ingestLayout.record(output, group));
  const same = last?.fingerprint === fingerprint ? last : undefined;
  // A group that was removed since has none of the records that were sent.
  let there = true;
  for (const { name } of same?.featureGroups ?? []) there &&= await store.has(name, signal);
  const before = there ? same : undefined;
  const again = before === undefined || before.failed === 0 ? {} : { again: new Set(before.refused) };
  const tries = same === undefined ? 0 : same.tries + 1;
  const parquet = `${folder}/${rows.path}`;
  return { ingest: { request, schema, parquet, rows: rows.sha256, form, fingerprint, tries, ...again }, before };
}

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

/** Sends the rows batch by batch; each that is finished leaves a mark, and marked ones are not sent again. */
async function send(
  ingest: Ingest,
  csv: string,
  pointsTo: string | undefined,
  services: FeatureServices,
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<{
  readonly rows: number;
  readonly latest: string;
  readonly rejected: readonly RejectedRecord[];
  readonly marks: string;
}> {
  const { files, store } = services;
  const { schema, form } = ingest;
  const folder = marksOf(ingest);
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
  return { rows, latest, rejected, marks: folder };
}

async function groupsOf(
  ingest: Ingest,
  store: FeatureStore,
  signal: AbortSignal,
): Promise<{ readonly featureGroups: readonly IngestedGroup[]; readonly at: string }> {
  const { schema, form } = ingest;
  const { recordIdentifier, eventTimeName } = schema;
  const featureGroups: IngestedGroup[] = [];
  const times: string[] = [];
  // One after the other: an account makes few at once.
  for (const { name, definitions, columns } of form.groups) {
    const { table, at } = await store.ensure({ name, recordIdentifier, eventTimeName, definitions }, signal);
    featureGroups.push({ name, table, columns });
    times.push(at);
  }
  return { featureGroups, at: times.sort()[0] ?? '' };
}

/** Where the Parquet file goes that the records point to; the same file to the same place however often. */
function pointerPlace(ingest: Ingest, services: FeatureServices): string | undefined {
  if (ingest.form.form !== 'pointer') return undefined;
  if (services.pointers === undefined) {
    const message = `${ingest.form.said}; aws.work (s3://bucket/folder) is wanted for it`;
    throw new CohortflowError('AwsNotConfigured', message);
  }
  return `${services.pointers}/${ingest.form.groups[0]!.name}/${ingest.fingerprint.slice(0, 32)}.parquet`;
}

/** The rows of the Parquet file as a CSV in a private folder, which the caller removes. */
async function readRows(
  { parquet }: Ingest,
  { files, runner }: FeatureServices,
  work: string,
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<string> {
  const outputFolder = `${work}/output`;
  const scratchFolder = `${work}/scratch`;
  const here = `${work}/input/rows.parquet`;
  for (const folder of [outputFolder, scratchFolder, `${work}/input`]) await files.makeFolder(folder);
  await files.copy(parquet, here, signal);
  const task = { step: 'features.read', params: {}, inputs: { rows: [here] }, outputFolder, scratchFolder };
  await runner.run(task, signal, progress);
  return `${outputFolder}/rows.csv`;
}

const marksOf = ({ request, fingerprint, tries }: Ingest): string =>
  ingestLayout.batches(request.output, request.group, `${fingerprint.slice(0, 16)}-${tries}`);

/** When this sending began: of one that is taken up again, when it began the first time. */
async function began(ingest: Ingest, at: string, files: Files): Promise<string> {
  const path = `${marksOf(ingest)}/began`;
  return (await files.writeOnce(path, at)) ? at : files.readText(path);
}

/** Notes where records are about to go, so that a case can be found there whatever becomes of this sending. */
async function noteSending(ingest: Ingest, pointsTo: string | undefined, files: Files): Promise<void> {
  const { request, form, fingerprint } = ingest;
  const folder = ingestLayout.sent(request.output, request.group);
  // Each file that was pointed to is one of its own, though the group is the same.
  const version = pointsTo === undefined ? '' : `.${fingerprint.slice(0, 32)}`;
  for (const { name } of form.groups) {
    const sent: SentGroup = { name, ...(pointsTo === undefined ? {} : { pointsTo }) };
    await files.writeOnce(`${folder}/${name}${version}.json`, `${JSON.stringify(sent)}\n`);
  }
}

async function writeRejected(files: Files, path: string, rejected: readonly RejectedRecord[]): Promise<void> {
  if (rejected.length === 0) return files.remove(path);
  const rows = rejected.map(({ id, code, message }) => [id, code, message]);
  return files.write(path, csvText(['record', 'code', 'message'], rows));
}

function publicPart(record: IngestRecord): IngestResult {
  const { rows: _h, fingerprint: _f, tries: _t, sentFrom: _s, refused: _r, ...result } = record;
  return result;
}

/** See {@link FeatureActivities.ingestFeatures}. */
export async function ingestFeatures(
  request: IngestRequest,
  services: FeatureServices,
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<IngestResult> {
  const { files, store } = services;
  const { output, group } = request;
  const { ingest, before } = await prepare(request, services, signal);
  if (before !== undefined && before.failed === 0) return { ...publicPart(before), outcome: 'reused' };
  const pointsTo = pointerPlace(ingest, services);
  progress('making the feature group');
  const { featureGroups, at } = await groupsOf(ingest, store, signal);
  await noteSending(ingest, pointsTo, files);
  if (pointsTo !== undefined) await files.copy(ingest.parquet, pointsTo, signal);
  const work = `${services.workFolder}/ingest-${randomUUID()}`;
  try {
    const sentFrom = await began(ingest, at, files);
    const csv = await readRows(ingest, services, work, signal, progress);
    const { rows, latest, rejected, marks } = await send(ingest, csv, pointsTo, services, signal, progress);
    const list = ingestLayout.rejected(output, group);
    await writeRejected(files, list, rejected);
    const record: IngestRecord = {
      group,
      outcome: 'done',
      form: ingest.form.form,
      said: ingest.form.said,
      featureGroups,
      records: before?.records ?? rows,
      failed: rejected.length,
      latestEventTime: before?.latestEventTime ?? latest,
      ...(pointsTo === undefined ? {} : { pointsTo }),
      rows: ingest.rows,
      fingerprint: ingest.fingerprint,
      tries: ingest.tries,
      // Where only refused rows are sent again the others came earlier.
      ...(before === undefined ? { sentFrom } : before.sentFrom === undefined ? {} : { sentFrom: before.sentFrom }),
      refused: rejected.map(({ id }) => id),
    };
    await files.write(ingestLayout.record(output, group), `${JSON.stringify(record, null, 1)}\n`);
    await files.remove(marks);
    if (rejected.length > 0) {
      const message = `Feature Store refused ${rejected.length} of ${rows} rows of ${group}; they are listed in ${list}`;
      throw new CohortflowError('FeatureRecordsRejected', message, { rejected: rejected.length, rows });
    }
    return publicPart(record);
  } finally {
    await files.remove(work);
  }
}

/** The activities of the feature store. */
export function createFeatureActivities(services: FeatureServices): FeatureActivities {
  return {
    ingestFeatures: (request) =>
      heartbeating((_attempt, signal, progress) => ingestFeatures(request, services, signal, progress)),
  };
}
