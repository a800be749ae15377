import { ingestLayout, type IngestRecord, type IngestRequest } from '../contracts/feature-ingest.js';
import { layout } from '../contracts/layout.js';
import { CohortflowError } from '../domain/errors.js';
import { SCHEMA_FILE, type GroupSchema } from '../domain/feature-table/group-schema.js';
import { chooseForm, type StoreForm } from '../domain/feature-table/store-form.js';
import type { FeatureStore } from '../ports/feature-store.js';
import type { Files } from '../ports/files.js';
import type { RunLedger } from '../ports/run-ledger.js';
import type { StepRunner } from '../ports/step-runner.js';
import { sha256Text } from './canonical-json.js';

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

/** What is to be sent: a group's rows and how they lie in the store. */
export interface Ingest {
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
export async function prepareIngest(
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
  // A group that was removed since has none of the records that were sent, nor has one that was made anew after that.
  let there = true;
  for (const { name, made: then } of same?.featureGroups ?? []) {
    const now = await store.made(name, signal);
    there &&= now !== undefined && (then === undefined || then === now);
  }
  const before = there ? same : undefined;
  const again = before === undefined || before.failed === 0 ? {} : { again: new Set(before.refused) };
  const tries = same === undefined ? 0 : same.tries + 1;
  const parquet = `${folder}/${rows.path}`;
  return { ingest: { request, schema, parquet, rows: rows.sha256, form, fingerprint, tries, ...again }, before };
}
