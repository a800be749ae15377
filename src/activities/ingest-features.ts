import { randomUUID } from 'node:crypto';
import {
  ingestLayout,
  pointerLayout,
  type FeatureActivities,
  type IngestRecord,
  type IngestRequest,
  type IngestResult,
  type IngestedGroup,
  type SentGroup,
} from '../contracts/feature-ingest.js';
import { csvText } from '../domain/csv/index.js';
import { CohortflowError } from '../domain/errors.js';
import type { FeatureStore, RejectedRecord } from '../ports/feature-store.js';
import type { Files } from '../ports/files.js';
import { sha256Text } from './canonical-json.js';
import { sendBatches } from './feature-batches.js';
import { prepareIngest, type FeatureServices, type Ingest } from './ingest-plan.js';
import { heartbeating } from './step-activities.js';

export type { FeatureServices };

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
    const { table, made, at } = await store.ensure({ name, recordIdentifier, eventTimeName, definitions }, signal);
    featureGroups.push({ name, made, table, columns });
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
  return pointerLayout.file(services.pointers, ingest.form.groups[0]!.name, ingest.fingerprint);
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

/**
 * Folder of the marks of what is sent to these very groups: one that was removed while a sending was broken off, and made anew,
 * has none of the records that were marked.
 */
function marksOf({ request, fingerprint, tries }: Ingest, groups: readonly IngestedGroup[]): string {
  const which = sha256Text(JSON.stringify(groups.map(({ name, made = '' }) => [name, made]))).slice(0, 8);
  return ingestLayout.batches(request.output, request.group, `${fingerprint.slice(0, 16)}-${tries}-${which}`);
}

/** Removes the marks of a sending that has come to its end, and those of earlier ones that never did. */
async function removeMarks({ output, group }: IngestRequest, files: Files): Promise<void> {
  const ingests = ingestLayout.folder(output);
  for (const name of await files.names(ingests)) {
    if (name.startsWith(ingestLayout.batchesOf(group))) await files.remove(`${ingests}/${name}`);
  }
}

/** When this sending began: of one that is taken up again, when it began the first time. */
async function began(marks: string, at: string, files: Files): Promise<string> {
  const path = `${marks}/began`;
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
  const { ingest, before } = await prepareIngest(request, services, signal);
  if (before !== undefined && before.failed === 0) return { ...publicPart(before), outcome: 'reused' };
  const pointsTo = pointerPlace(ingest, services);
  progress('making the feature group');
  const { featureGroups, at } = await groupsOf(ingest, store, signal);
  await noteSending(ingest, pointsTo, files);
  if (pointsTo !== undefined) await files.copy(ingest.parquet, pointsTo, signal);
  const marks = marksOf(ingest, featureGroups);
  const work = `${services.workFolder}/ingest-${randomUUID()}`;
  try {
    const sentFrom = await began(marks, at, files);
    const csv = await readRows(ingest, services, work, signal, progress);
    const { rows, latest, rejected } = await sendBatches(ingest, marks, csv, pointsTo, services, signal, progress);
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
    await removeMarks(request, files);
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
