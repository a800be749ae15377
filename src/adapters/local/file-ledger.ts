import { layout, type RecordPageName } from '../../contracts/layout.js';
import type { OutcomeRecord } from '../../contracts/outcome.js';
import type { Modality } from '../../contracts/workflow-ids.js';
import { CohortflowError } from '../../domain/errors.js';
import type { Files } from '../../ports/files.js';
import type { RecordReader, RunClaim, RunLedger, RunOwner, StepManifest } from '../../ports/run-ledger.js';
import { isMissing } from '../aws/s3-errors.js';
import { isNotFound } from './io-errors.js';
import { FileRecordReader, recordName } from './record-reader.js';

/** Nothing is there, as opposed to something that cannot be read. */
function isAbsent(error: unknown): boolean {
  if (!(error instanceof CohortflowError) || error.code !== 'FileNotFound') return false;
  return isNotFound(error.cause) || isMissing(error.cause);
}

/** A case id as the sheet takes it; anything else (a path, say) must not reach a removal. */
const isCaseId = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text);

function isObject(found: unknown): found is Readonly<Record<string, unknown>> {
  return typeof found === 'object' && found !== null && !Array.isArray(found);
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

function isClaim(found: unknown): found is RunClaim {
  if (!isObject(found)) return false;
  const { workflowId, runId, startedAt, server } = found;
  if (!isText(workflowId) || !isText(runId) || (startedAt !== undefined && typeof startedAt !== 'string')) return false;
  return (
    server === undefined ||
    (isObject(server) && [server['namespaceId'], server['namespace'], server['address']].every(isText))
  );
}

const STATES: readonly unknown[] = ['running', 'finished', 'cancelled'] satisfies readonly RunOwner['state'][];

function isOwner(found: unknown): found is RunOwner {
  return isClaim(found) && STATES.includes((found as unknown as Readonly<Record<string, unknown>>)['state']);
}

function isManifest(found: unknown): found is StepManifest {
  return isObject(found) && isObject(found['inputs']) && Array.isArray(found['outputs']) && isObject(found['summary']);
}

/** A run id as part of a file's name. */
const fileName = (runId: string): string => runId.replaceAll(/[^A-Za-z0-9._-]/g, '_');

/** {@link RunLedger} as small JSON files below the output's `run` folder. */
export class FileLedger implements RunLedger {
  /** @param warn is told of records that cannot be read; says nothing of whose they are */
  constructor(
    private readonly files: Files,
    private readonly warn: (message: string) => void = () => undefined,
  ) {}

  async owner(output: string): Promise<RunOwner | undefined> {
    const found = await this.readJson(layout.owner(output));
    return isOwner(found) ? found : undefined;
  }

  async setOwner(output: string, owner: RunOwner): Promise<void> {
    await this.writeJson(layout.owner(output), owner);
  }

  async claim(output: string, after: string | undefined, claim: RunClaim): Promise<RunClaim> {
    const place = `${layout.claims(output)}/after-${after === undefined ? 'none' : fileName(after)}.json`;
    const text = `${JSON.stringify(claim, null, 1)}\n`;
    if (await this.files.writeOnce(place, text)) return claim;
    const found = await this.readJson(place);
    if (isClaim(found)) return found;
    // Nobody can have claimed anything with what stands there.
    await this.files.write(place, text, { durable: true });
    return claim;
  }

  async claims(output: string): Promise<readonly RunClaim[]> {
    const folder = layout.claims(output);
    const names = (await this.files.names(folder)).filter((name) => /^after-.*\.json$/.test(name));
    const found = await Promise.all(names.map((name) => this.readJson(`${folder}/${name}`)));
    return found.filter(isClaim);
  }

  async manifest(path: string): Promise<StepManifest | undefined> {
    const found = await this.readJson(path);
    return isManifest(found) ? found : undefined;
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
    const { modality, caseId, part } = record;
    const folder = layout.unitRecords(output, runId, modality, caseId, part);
    // Taken means this very record was written by an attempt whose answer was lost.
    await this.files.writeOnce(`${folder}/${recordName(record)}`, `${JSON.stringify(record)}\n`);
  }

  async recordPage(
    output: string,
    runId: string,
    page: RecordPageName,
    records: readonly OutcomeRecord[],
  ): Promise<void> {
    const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
    // A retry may have found other units than the attempt whose answer was lost: both pages stay, and readers merge them.
    let { name } = page;
    for (let copy = 2; ; copy += 1) {
      if (await this.files.writeOnce(layout.recordPage(output, runId, { ...page, name }), lines)) return;
      name = `${page.name}-${copy}`;
    }
  }

  recordsOf(output: string, runId: string, modality: Modality): RecordReader {
    return new FileRecordReader(this.files, output, runId, modality, this.warn);
  }

  async forgetCase(output: string, caseId: string): Promise<number> {
    if (!isCaseId(caseId)) throw new CohortflowError('InvalidInput', 'forgetting a case: this is no case id');
    let changed = 0;
    const remove = async (path: string): Promise<void> => {
      if ((await this.files.stat(path)) === undefined) return;
      await this.files.remove(path);
      changed += 1;
    };
    for (const modality of ['imaging', 'genomics'] as const) {
      await remove(layout.stepManifests(output, `${modality}/${caseId}`));
    }
    for (const runId of await this.files.names(layout.allRecords(output))) {
      for (const modality of ['imaging', 'genomics', 'clinical'] as const) {
        await remove(layout.unitRecords(output, runId, modality, caseId, ''));
      }
      const pages = layout.recordPages(output, runId);
      for (const name of await this.files.names(pages)) {
        if (await this.forgetLines(`${pages}/${name}`, caseId)) changed += 1;
      }
    }
    return changed;
  }

  /** Writes a page again without the lines of a case; false when it has none. */
  private async forgetLines(page: string, caseId: string): Promise<boolean> {
    const mark = `"caseId":${JSON.stringify(caseId)}`;
    const isOthers = (line: string): boolean =>
      !line.includes(mark) || (JSON.parse(line) as OutcomeRecord).caseId !== caseId;
    let found = false;
    for await (const line of this.files.lines(page)) found ||= !isOthers(line);
    if (!found) return false;
    const { files } = this;
    const rest = async function* (): AsyncIterable<string> {
      for await (const line of files.lines(page)) if (isOthers(line)) yield `${line}\n`;
    };
    await this.files.write(page, rest());
    return true;
  }

  private async readJson(path: string): Promise<unknown> {
    let text: string;
    try {
      text = await this.files.readText(path);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // Never half-written by us; someone edited it. Doing the work again is safe, trusting it is not.
      return undefined;
    }
  }

  private async writeJson(path: string, document: unknown): Promise<void> {
    await this.files.write(path, `${JSON.stringify(document, null, 1)}\n`, { durable: true });
  }
}
