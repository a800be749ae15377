import type { MultimodalInput } from '../../contracts/inputs.js';
import { layout } from '../../contracts/layout.js';
import type { CohortResult } from '../../contracts/results.js';
import { isUri } from '../../domain/cohort/sheet-paths.js';
import { CohortflowError } from '../../domain/errors.js';
import { SCHEMA_FILE, type GroupSchema } from '../../domain/feature-table/group-schema.js';
import type { Files } from '../../ports/files.js';
import type { RunLedger } from '../../ports/run-ledger.js';
import { serverName } from '../run-place.js';

/** Feature groups that a data set is joined from. */
export const JOINED_GROUPS = ['clinical', 'imaging', 'genomics'] as const;
export type JoinedGroup = (typeof JOINED_GROUPS)[number];

/** A feature group of a finished run. */
export interface RunGroup {
  readonly schema: GroupSchema;
  /** Folder of the group; `data/` is below it. */
  readonly folder: string;
  /** The file of this run's rows, in the order of the sheet. */
  readonly rows: string;
  /** SHA-256 of that file as it was written. */
  readonly hash: string;
}

/** What a finished run left that a data set is made from. */
export interface FinishedRun {
  readonly output: string;
  readonly runId: string;
  readonly input: Pick<MultimodalInput, 'population' | 'genes'>;
  readonly result: CohortResult;
  readonly groups: ReadonlyMap<JoinedGroup, RunGroup>;
}

async function readGroup(
  output: string,
  group: JoinedGroup,
  files: Files,
  ledger: RunLedger,
): Promise<RunGroup | undefined> {
  const folder = `${output}/features/${group}`;
  const made = await ledger.manifest(layout.stepManifest(output, `features/${group}`, 'features.write'));
  const rows = made?.outputs.find(({ path }) => path.endsWith('.parquet'));
  if (rows === undefined) return undefined;
  if ((await files.stat(`${folder}/${SCHEMA_FILE}`)) === undefined) {
    const message = `${folder} has no ${SCHEMA_FILE}: it was written by an earlier version; run the cohort again, which writes only its tables anew`;
    throw new CohortflowError('InvalidInput', message);
  }
  const schema = JSON.parse(await files.readText(`${folder}/${SCHEMA_FILE}`)) as GroupSchema;
  return { schema, folder, rows: `${folder}/${rows.path}`, hash: rows.sha256 };
}

/** Groups of which the run's own data set has columns. */
function joined({ featureGroups }: CohortResult): ReadonlySet<string> {
  for (const { group, outcome, code, file } of featureGroups) {
    // The run's data set has their features all the same, from elsewhere; one of the groups could not. A group that has its
    // file was written, whatever the feature store did not take.
    if (outcome === 'failed' && file === undefined && (group === 'imaging' || group === 'clinical')) {
      const message = `the feature group ${group} of this run failed (${code ?? 'InternalError'}): there is nothing to join`;
      throw new CohortflowError('InvalidInput', message);
    }
  }
  const usable = featureGroups.filter(({ outcome, file }) => outcome !== 'failed' || file !== undefined);
  return new Set(usable.map(({ group }) => group));
}

/** @throws CohortflowError `RunNotFound`; `InvalidInput` while the run has not ended */
export async function readFinishedRun(output: string, files: Files, ledger: RunLedger): Promise<FinishedRun> {
  const owner = await ledger.owner(output);
  if (owner === undefined) throw new CohortflowError('RunNotFound', `no run has written into ${output}`);
  if (owner.state !== 'finished' || owner.result === undefined) {
    const { state, workflowId, server } = owner;
    const where = server === undefined ? '' : ` on ${serverName(server)}`;
    const message = `the run in ${output} (workflow ${workflowId}${where}) is ${state}: a data set is made of a run that has finished`;
    throw new CohortflowError('InvalidInput', message);
  }
  const result = owner.result as unknown as CohortResult;
  const { population, genes } = JSON.parse(await files.readText(layout.params(output))) as MultimodalInput;
  const usable = joined(result);
  const groups = new Map<JoinedGroup, RunGroup>();
  for (const group of JOINED_GROUPS) {
    const found = usable.has(group) ? await readGroup(output, group, files, ledger) : undefined;
    if (found !== undefined) groups.set(group, found);
  }
  return {
    output,
    runId: owner.runId,
    input: { ...(population === undefined ? {} : { population }), ...(genes === undefined ? {} : { genes }) },
    result,
    groups,
  };
}

/** The run with its feature groups on this machine, where DuckDB reads them; those in S3 are fetched into `folder`. */
export async function withGroupsHere(
  run: FinishedRun,
  files: Files,
  folder: string,
  signal: AbortSignal,
): Promise<FinishedRun> {
  if (!isUri(run.output)) return run;
  const groups = new Map<JoinedGroup, RunGroup>();
  for (const [name, group] of run.groups) {
    const here = `${folder}/features/${name}`;
    await files.copy(group.folder, here, signal);
    groups.set(name, { ...group, folder: here, rows: `${here}${group.rows.slice(group.folder.length)}` });
  }
  return { ...run, groups };
}
