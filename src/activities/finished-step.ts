import { dirname } from 'node:path';
import type { StepReport, StepRequest } from '../contracts/activities.js';
import { layout } from '../contracts/layout.js';
import { isRunAccession } from '../domain/cohort/cell-checks.js';
import { mapBounded } from '../domain/map-bounded.js';
import type { Files } from '../ports/files.js';
import type { Fingerprints, MadeFile, RunLedger, StepManifest } from '../ports/run-ledger.js';
import { canonicalJson, sha256Text } from './canonical-json.js';

/** What finding a finished step needs. */
export interface LookUpServices {
  readonly files: Files;
  readonly ledger: RunLedger;
  readonly fingerprints: Fingerprints;
  /** Version of a step by its name. */
  readonly versionOf: (step: string) => number;
  /** Folder of results that any run may share. */
  readonly sharedFolder: string;
}

/** What decides a step's result. */
export type StepFingerprint = Pick<StepManifest, 'step' | 'version' | 'params' | 'inputs'>;

/** Outputs of one step looked at at once. */
const LOOKS_AT_ONCE = 8;

/**
 * Hashes that the ledger knows because our own steps made the files: read once per folder of outputs, for as long as one
 * unit is looked at. A made file whose stamp changed since is not taken from here.
 */
export class MadeFiles {
  readonly #folders = new Map<string, Promise<ReadonlyMap<string, MadeFile>>>();

  constructor(
    private readonly services: Pick<LookUpServices, 'ledger' | 'fingerprints'>,
    private readonly output: string,
  ) {}

  /**
   * Hash of a file that a finished step made and nobody touched; undefined for any other path.
   *
   * @param home folder below the output where the asking step's own files lie
   */
  async hashOf(path: string, home: string | undefined): Promise<string | undefined> {
    if (!path.startsWith(`${this.output}/`)) return undefined;
    const below = path.slice(this.output.length + 1);
    const own = home !== undefined && home !== '' && below.startsWith(`${home}/`);
    const parent = dirname(below);
    const folder = own ? home : parent === '.' ? '' : parent;
    const made = (await this.#madeIn(folder)).get(folder === '' ? below : below.slice(folder.length + 1));
    if (made?.stamp === undefined) return undefined;
    return (await this.services.fingerprints.stamp(path)) === made.stamp ? made.sha256 : undefined;
  }

  #madeIn(folder: string): Promise<ReadonlyMap<string, MadeFile>> {
    let known = this.#folders.get(folder);
    if (known === undefined) {
      known = this.services.ledger
        .manifestsOf(this.output, folder)
        .then((manifests) => new Map(manifests.flatMap(({ outputs }) => outputs.map((made) => [made.path, made]))));
      this.#folders.set(folder, known);
    }
    return known;
  }
}

/** The folder of a request's files below the output; undefined for results that any run may share. */
function homeOf({ place }: StepRequest): string | undefined {
  return place.kind === 'output' ? place.folder : undefined;
}

/** Everything of a fingerprint but the inputs: known without looking at a file. */
function withoutInputs({ step, params }: StepRequest, services: LookUpServices): Omit<StepFingerprint, 'inputs'> {
  return { step, version: services.versionOf(step), params: sha256Text(canonicalJson(params)) };
}

/**
 * The file whose content stands for an input. The report is given the whole output folder: what it shows is this run, and
 * the run's own record tells runs apart without hashing every image below.
 */
const deciding = (path: string, output: string): string => (path === output ? layout.owner(output) : path);

/** One hash per role; undefined as soon as `hashOf` does not know a path. */
async function inputHashes(
  request: StepRequest,
  hashOf: (path: string) => Promise<string | undefined>,
): Promise<StepFingerprint['inputs'] | undefined> {
  const inputs: Record<string, string> = {};
  for (const [role, paths] of Object.entries(request.inputs)) {
    const hashes: string[] = [];
    for (const path of paths) {
      // An accession names content that never changes; there is no file to look at.
      const accession = isRunAccession(path);
      const hash = accession ? sha256Text(path.toUpperCase()) : await hashOf(deciding(path, request.output));
      if (hash === undefined) return undefined;
      hashes.push(hash);
    }
    inputs[role] = sha256Text(hashes.join('\n'));
  }
  return inputs;
}

/** What decides the result of a request now; reads the inputs whose hashes are not known. Throws `FileNotFound`. */
export async function fingerprintOf(
  request: StepRequest,
  services: LookUpServices,
  signal: AbortSignal,
): Promise<StepFingerprint> {
  const { fingerprints } = services;
  const made = new MadeFiles(services, request.output);
  const verify = request.verify ?? false;
  const inputs = await inputHashes(request, async (path) => {
    const known = verify ? undefined : await made.hashOf(path, homeOf(request));
    return known ?? fingerprints.of(path, { signal, verify });
  });
  return { ...withoutInputs(request, services), inputs: inputs ?? {} };
}

/** Where a request's files go and where its manifest stands. */
export function placeOf(
  request: StepRequest,
  now: StepFingerprint,
  sharedFolder: string,
): { folder: string; manifest: string } {
  const { output, place, step } = request;
  if (place.kind === 'shared') {
    const folder = `${sharedFolder}/${step}/${sha256Text(canonicalJson(now)).slice(0, 32)}`;
    return { folder, manifest: `${folder}/manifest.json` };
  }
  const folder = place.folder === '' ? output : `${output}/${place.folder}`;
  return { folder, manifest: layout.stepManifest(output, place.folder, step) };
}

/** Why a step must run although one like it may have finished; undefined when that one can be taken instead. */
export function reasonToRun(
  now: StepFingerprint,
  before: StepManifest | undefined,
  force: boolean,
): string | undefined {
  if (force) return 'forced';
  if (before === undefined) return 'new';
  if (before.version !== now.version) return 'step version changed';
  if (before.params !== now.params) return 'parameters changed';
  const roles = [...new Set([...Object.keys(before.inputs), ...Object.keys(now.inputs)])];
  const changed = roles.filter((role) => before.inputs[role] !== now.inputs[role]);
  return changed.length > 0 ? `input changed: ${changed.join(', ')}` : undefined;
}

/**
 * True when all files that a step made are there unchanged. A file that was only touched (or copied here with the rest of
 * the folder) has another stamp and is judged by its content.
 *
 * @param hashOf gives the hash of such a file; undefined when it is not to be read, which counts as changed
 */
export async function intact(
  folder: string,
  outputs: readonly MadeFile[],
  services: Pick<LookUpServices, 'files' | 'fingerprints'>,
  hashOf: (path: string) => Promise<string | undefined>,
): Promise<boolean> {
  const checks = await mapBounded(outputs, LOOKS_AT_ONCE, async ({ path, size, sha256, stamp }) => {
    const file = `${folder}/${path}`;
    if (stamp !== undefined && (await services.fingerprints.stamp(file)) === stamp) return true;
    const found = await services.files.stat(file);
    return found?.kind === 'file' && found.size === size && (await hashOf(file)) === sha256;
  });
  return checks.every(Boolean);
}

/** The report of a finished step that is taken instead of running it again. */
export function reuseReport(folder: string, { outputs, summary }: StepManifest): StepReport {
  return { outcome: 'reused', why: 'unchanged', folder, outputs: outputs.map(({ path }) => path), summary };
}

/**
 * The report of the finished step that a request would reuse, or undefined when that is not sure without reading the
 * content of a file (then {@link executeStep} decides). Cheapest questions first: a step that never ran costs one look.
 * Records nothing.
 *
 * @param made give the same one for all steps of a unit, and the manifests of its folder are read once
 */
export async function lookUpStep(
  request: StepRequest,
  services: LookUpServices,
  signal: AbortSignal,
  made: MadeFiles = new MadeFiles(services, request.output),
): Promise<StepReport | undefined> {
  if (request.force || request.verify === true) return undefined;
  const { ledger, fingerprints, sharedFolder } = services;
  const known = (path: string): Promise<string | undefined> => fingerprints.known(path, signal);
  const identity = withoutInputs(request, services);
  const inputs = (): Promise<StepFingerprint['inputs'] | undefined> =>
    inputHashes(request, async (path) => (await made.hashOf(path, homeOf(request))) ?? known(path));
  // The folder of a shared result is named by its inputs: there they must be known first.
  const early = request.place.kind === 'shared' ? await inputs() : {};
  if (early === undefined) return undefined;
  const { folder, manifest } = placeOf(request, { ...identity, inputs: early }, sharedFolder);
  const before = await ledger.manifest(manifest);
  if (before === undefined || before.version !== identity.version || before.params !== identity.params) {
    return undefined;
  }
  if (!(await intact(folder, before.outputs, services, known))) return undefined;
  const now = request.place.kind === 'shared' ? early : await inputs();
  if (now === undefined || reasonToRun({ ...identity, inputs: now }, before, false) !== undefined) return undefined;
  return reuseReport(folder, before);
}
