import type { OutcomeRecord } from '../../contracts/outcome.js';
import { layout } from '../../contracts/layout.js';
import type { Files } from '../../ports/files.js';
import type { RunLedger, RunOwner, StepManifest } from '../../ports/run-ledger.js';

/** {@link RunLedger} as small JSON files below the output's `run` folder. */
export class FileLedger implements RunLedger {
  constructor(private readonly files: Files) {}

  async owner(output: string): Promise<RunOwner | undefined> {
    return (await this.readJson(layout.owner(output))) as RunOwner | undefined;
  }

  async setOwner(output: string, owner: RunOwner): Promise<void> {
    await this.writeJson(layout.owner(output), owner);
  }

  async manifest(path: string): Promise<StepManifest | undefined> {
    return (await this.readJson(path)) as StepManifest | undefined;
  }

  async setManifest(path: string, manifest: StepManifest): Promise<void> {
    await this.writeJson(path, manifest);
  }

  async manifestsOf(output: string, folder: string): Promise<readonly StepManifest[]> {
    const place = layout.stepManifests(output, folder);
    if ((await this.files.stat(place))?.kind !== 'folder') return [];
    const found: StepManifest[] = [];
    for (const entry of await this.files.list(place)) {
      if (entry.kind !== 'file' || !entry.name.endsWith('.json') || entry.name.startsWith('.')) continue;
      const manifest = await this.manifest(entry.path);
      if (manifest !== undefined) found.push(manifest);
    }
    return found;
  }

  async record(output: string, runId: string, record: OutcomeRecord): Promise<void> {
    const { modality, caseId, part, step, attempts, outcome } = record;
    const unit = part === '' ? caseId : `${caseId}/${part}`;
    const path = `${layout.records(output, runId)}/${modality}/${unit}/${step}.${attempts}-${outcome}.json`;
    // Taken means this very record was written by an attempt whose answer was lost.
    await this.files.writeOnce(path, `${JSON.stringify(record)}\n`);
  }

  async records(output: string, runId: string): Promise<readonly OutcomeRecord[]> {
    const folder = layout.records(output, runId);
    if ((await this.files.stat(folder)) === undefined) return [];
    const latest = new Map<string, OutcomeRecord>();
    for (const entry of await this.files.list(folder, { recursive: true })) {
      if (!entry.name.endsWith('.json') || entry.name.startsWith('.')) continue;
      const record = JSON.parse(await this.files.readText(entry.path)) as OutcomeRecord;
      const key = JSON.stringify([record.modality, record.caseId, record.part, record.step]);
      const known = latest.get(key);
      if (known === undefined || supersedes(record, known)) latest.set(key, record);
    }
    const order = (record: OutcomeRecord): string =>
      [record.modality, record.caseId, record.part, record.started].join('|');
    return [...latest.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  private async readJson(path: string): Promise<unknown> {
    if ((await this.files.stat(path)) === undefined) return undefined;
    const text = await this.files.readText(path);
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // Never half-written by us; someone edited it. Doing the work again is safe, trusting it is not.
      return undefined;
    }
  }

  private async writeJson(path: string, document: unknown): Promise<void> {
    await this.files.write(path, `${JSON.stringify(document, null, 1)}\n`);
  }
}

/** A success outranks a failure of the same step (the answer of the successful attempt was lost); then the later one. */
function supersedes(a: OutcomeRecord, b: OutcomeRecord): boolean {
  const success = (record: OutcomeRecord): boolean => record.outcome === 'done' || record.outcome === 'reused';
  if (success(a) !== success(b)) return success(a);
  return a.attempts > b.attempts || (a.attempts === b.attempts && a.started > b.started);
}
