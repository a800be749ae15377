import { parse } from 'yaml';
import type { CohortActivities } from '../contracts/activities.js';
import { checkRetryRequest } from '../contracts/control.js';
import type { DragenChoice, MultimodalInput, PreparedRun, RetryOf } from '../contracts/inputs.js';
import { layout } from '../contracts/layout.js';
import type { FanOutModality, Modality } from '../contracts/workflow-ids.js';
import { BUILT_IN_SPECS } from '../domain/clinical/index.js';
import { refuseRequesterPays, validSheetCsv, type SheetReading } from '../domain/cohort/index.js';
import { isUri, placeFault } from '../domain/cohort/sheet-paths.js';
import { unitKey, type CohortManifest, type CohortUnit } from '../domain/cohort/manifest.js';
import { CohortflowError, messageOf } from '../domain/errors.js';
import { isGeneTable } from '../domain/genomics/quant-table.js';
import { parseParameterText, parseRadiomicsSettings } from '../domain/radiomics/index.js';
import type { CohortServer } from '../ports/cohort-server.js';
import type { Files } from '../ports/files.js';
import type { RunLedger } from '../ports/run-ledger.js';
import type { JsonObject } from '../steps/step.js';
import { claimOutput } from './output-owner.js';
import { retriedRun, takeUpFailures } from './retry-of.js';
import { versionsAtStart, versionsText } from './run-versions.js';
import { writePages } from './units.js';

export interface PrepareServices {
  readonly files: Files;
  readonly ledger: RunLedger;
  /** Reads and checks a cohort sheet whole; throws all its faults. */
  readonly readSheet: (path: string) => Promise<SheetReading>;
  /** Versions of the product and of what this machine has to run with, for run/versions.json. */
  readonly versions: () => Promise<Readonly<Record<string, string>>>;
  readonly server: CohortServer;
  /** What the services that a run names are to compute and can hold; throws when the settings do not suffice for one. */
  readonly planRemote: (input: MultimodalInput, modalities: readonly FanOutModality[]) => Promise<RemotePlan>;
  /** Keyed hash of a unit's key, for workflow ids; undefined when this installation has no key for it. */
  readonly pseudonym?: (key: string) => string;
  /** Buckets whose reader pays. */
  readonly requesterPays?: readonly string[];
}

/** What a run needs to know of the services it uses. */
export interface RemotePlan {
  readonly dragen?: DragenChoice;
  /** Most units at once. */
  readonly limits?: Readonly<Partial<Record<FanOutModality, number>>>;
  /** What says so, or why nobody could. */
  readonly limitedBy?: Readonly<Partial<Record<FanOutModality, string>>>;
}

type Request = Parameters<CohortActivities['prepareCohort']>[0];

const FAN_OUT_MODALITIES: readonly FanOutModality[] = ['imaging', 'genomics'];

/** Paths that a person starting a workflow by hand may have left relative to a folder that no worker knows. */
function refuseRelativePaths(input: MultimodalInput): void {
  for (const name of ['cohort', 'clinical', 'output', 'radiomics', 'transcripts', 'annotation', 'index'] as const) {
    const path = input[name];
    const fault = path === undefined ? undefined : placeFault(path);
    if (fault !== undefined) throw new CohortflowError('InvalidInput', `${name}: ${fault}`);
    if (path !== undefined && !path.startsWith('/') && !isUri(path)) {
      throw new CohortflowError('InvalidInput', `${name} must be an absolute path or a URI, found a relative path`);
    }
  }
}

async function readYaml(
  files: Files,
  path: string,
  name: string,
  parseText: (text: string) => unknown = parse,
): Promise<JsonObject> {
  try {
    const document = parseText(await files.readText(path));
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document as JsonObject;
  } catch (error) {
    if (error instanceof CohortflowError) throw error;
    throw new CohortflowError('InvalidInput', `${name}: not readable as YAML or JSON (${messageOf(error)})`);
  }
  throw new CohortflowError('InvalidInput', `${name}: a mapping of keys is wanted`);
}

async function clinicalSpecOf(input: MultimodalInput, files: Files): Promise<string | JsonObject | undefined> {
  const spec = input.clinicalSpec;
  if (typeof spec !== 'string' || Object.hasOwn(BUILT_IN_SPECS, spec)) return spec;
  return readYaml(files, spec, 'clinicalSpec');
}

/** Reads need something to be quantified against; better said now than once per sample. DRAGEN's is in the settings. */
function refuseReadsWithoutReference(input: MultimodalInput, manifest: CohortManifest): void {
  if (input.genomicsExecutor === 'dragen') return;
  const tables = manifest.genomics.filter(({ source }) => source.kind === 'quant' && !isGeneTable(source.path));
  if (tables.length > 0 && input.annotation === undefined) {
    const message = `${tables.length} samples are tables of transcripts: annotation is needed to sum genes`;
    throw new CohortflowError('InvalidInput', message);
  }
  const reads = manifest.genomics.filter((unit) => unit.source.kind !== 'quant');
  if (reads.length === 0) return;
  if (input.transcripts === undefined && input.index === undefined) {
    throw new CohortflowError('InvalidInput', `${reads.length} samples have reads: transcripts or index is needed`);
  }
  if (input.annotation === undefined) {
    throw new CohortflowError('InvalidInput', `${reads.length} samples have reads: annotation is needed to sum genes`);
  }
}

/** A service reads what is in S3; better said now than once per study. */
function refuseStudiesOutsideS3(units: readonly CohortUnit[]): void {
  const outside = units.filter((unit) => {
    if (unit.modality !== 'imaging') return false;
    const { source } = unit;
    return !(source.kind === 'dicom' ? [source.folder] : [source.image, source.mask]).every((path) => isUri(path));
  });
  const [first] = outside;
  if (first === undefined) return;
  const message = `the executor sagemaker reads studies in S3 only; ${outside.length} are on this machine, as that of case ${first.caseId}: copy them to S3 and give s3:// in the sheet`;
  throw new CohortflowError('InvalidInput', message);
}

async function refuseMissingFiles(input: MultimodalInput, files: Files): Promise<void> {
  for (const name of ['clinical', 'radiomics', 'transcripts', 'annotation', 'index'] as const) {
    const path = input[name];
    if (path === undefined) continue;
    if ((await files.stat(path)) === undefined)
      throw new CohortflowError('FileNotFound', `${name}: ${path}: nothing is there`);
  }
}

/** Said before the sheet is read: writing into a file fails late and looks like a fault of the disk. */
async function refuseOutputThatIsAFile(output: string, files: Files): Promise<void> {
  if ((await files.stat(output))?.kind === 'file') {
    throw new CohortflowError('InvalidInput', `output: ${output} is a file, a folder is wanted`);
  }
}

/** Units with what stands for their key in workflow ids, when that is wanted. */
function withAliases<T extends CohortUnit>(
  units: readonly T[],
  wanted: boolean,
  { pseudonym }: PrepareServices,
): readonly T[] {
  if (!wanted) return units;
  if (pseudonym === undefined) {
    const message = 'pseudonymise: the worker has no key: set COHORTFLOW_PSEUDONYM_KEY or an encryption key';
    throw new CohortflowError('InvalidInput', message);
  }
  return units.map((unit) => ({ ...unit, alias: pseudonym(unitKey(unit)) }));
}

/** The parameters of a run as they are kept beside its results: everything but what is internal. */
function parameters(input: MultimodalInput): JsonObject {
  const { prepared: _prepared, retryRound: _round, ...rest } = input;
  return rest as unknown as JsonObject;
}

/**
 * Checks a request whole before any work, claims the output folder and writes what the run needs: pages of units, the
 * sheet as it was understood, parameters and versions. Doing it again for the same run gives the same files.
 *
 * @throws CohortflowError `InvalidInput`, `InvalidSheet` (all faults of all rows), `FileNotFound`, `OutputBusy`, …
 */
export async function prepareCohort(request: Request, services: PrepareServices): Promise<PreparedRun> {
  const { input, modalities, runId } = request;
  const { files } = services;
  const { output } = input;
  refuseRelativePaths(input);
  if (input.retryOf !== undefined) {
    const { runId: _run, ...choice } = input.retryOf;
    checkRetryRequest(choice);
  }
  await refuseOutputThatIsAFile(output, files);
  const reading = input.cohort === undefined ? undefined : await services.readSheet(input.cohort);
  const manifest = reading?.manifest;
  await refuseMissingFiles(input, files);
  const takes = (modality: Modality): boolean => modalities.includes(modality);
  if (manifest !== undefined && takes('genomics')) refuseReadsWithoutReference(input, manifest);
  const settings =
    input.radiomics === undefined ? undefined : await readYaml(files, input.radiomics, 'radiomics', parseParameterText);
  if (settings !== undefined) parseRadiomicsSettings(settings);
  const clinicalSpec = input.clinical === undefined ? undefined : await clinicalSpecOf(input, files);
  const pseudonymise = input.pseudonymise === true;
  const imaging = withAliases(takes('imaging') ? (manifest?.imaging ?? []) : [], pseudonymise, services);
  const genomics = withAliases(takes('genomics') ? (manifest?.genomics ?? []) : [], pseudonymise, services);
  if (input.imagingExecutor === 'sagemaker' && imaging.length > 0) {
    refuseStudiesOutsideS3(imaging);
    if (reading !== undefined) refuseRequesterPays(input.cohort ?? '', reading, services.requesterPays ?? []);
  }
  const given = { imaging, genomics };
  const remote = await services.planRemote(
    input,
    FAN_OUT_MODALITIES.filter((modality) => given[modality].length > 0),
  );
  const { retryOf } = input;
  const earlier = retryOf === undefined ? undefined : await retriedRun(services, output, runId, retryOf);
  const { workflowId, startedAt } = request;
  const options = { takeOver: input.takeOver === true, retryOf: earlier };
  const taken = await claimOutput(services, output, { workflowId, runId, startedAt }, options);

  await removePages(files, output, taken);
  await writePages(files, imaging, (page) => layout.unitPage(output, runId, 'imaging', page));
  await writePages(files, genomics, (page) => layout.unitPage(output, runId, 'genomics', page));
  await writePages(files, manifest?.cases ?? [], (page) => layout.casePage(output, runId, page));
  if (manifest !== undefined) await files.write(layout.validSheet(output), validSheetCsv(manifest));
  await files.write(layout.params(output), `${JSON.stringify(parameters(input), null, 2)}\n`);
  const versions = versionsAtStart(await services.versions(), genomics, input.genomicsExecutor);
  await files.write(layout.versions(output), versionsText(versions));
  const retry =
    retryOf === undefined || earlier === undefined
      ? {}
      : { retry: await takeUpAll(services, { output, runId }, { imaging, genomics }, earlier, retryOf) };
  return {
    runId,
    cases: manifest?.cases.length ?? 0,
    imaging: imaging.length,
    genomics: genomics.length,
    ...(settings === undefined ? {} : { settings }),
    ...(clinicalSpec === undefined ? {} : { clinicalSpec }),
    ...remote,
    ...((await services.server.hasSearchAttributes()) ? { searchAttributes: true } : {}),
    ...retry,
  };
}

/** Pages of runs that have ended are of no use to anyone, and their records stay. Ours are written anew. */
async function removePages(files: Files, output: string, taken: readonly string[]): Promise<void> {
  const folder = layout.manifests(output);
  for (const runId of await files.names(folder)) if (!taken.includes(runId)) await files.remove(`${folder}/${runId}`);
}

async function takeUpAll(
  services: PrepareServices,
  run: { readonly output: string; readonly runId: string },
  units: Readonly<Record<FanOutModality, readonly CohortUnit[]>>,
  earlier: string,
  retryOf: RetryOf,
): Promise<NonNullable<PreparedRun['retry']>> {
  const found: Partial<Record<FanOutModality, Awaited<ReturnType<typeof takeUpFailures>>>> = {};
  for (const modality of FAN_OUT_MODALITIES) {
    if (units[modality].length === 0) continue;
    found[modality] = await takeUpFailures(services, { ...run, modality }, earlier, retryOf);
  }
  return found;
}
