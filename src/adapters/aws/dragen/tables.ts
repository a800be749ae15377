import { createHash } from 'node:crypto';
import type { AwsSettings } from '../../../config/aws-settings.js';
import type { DragenChoice } from '../../../contracts/inputs.js';
import { CohortflowError } from '../../../domain/errors.js';
import type { Files } from '../../../ports/files.js';
import { S3Files } from '../s3-files.js';
import { S3Fingerprints } from '../s3-fingerprints.js';

/** Names the build that all use: written once, when it is whole. */
const READY = 'READY';
/** Names the work that builds at the moment. */
const CLAIM = 'CLAIM';

/** Where hash tables are kept, without a slash at the end. */
export function tablesFolder({ dragen, work }: AwsSettings): string {
  const folder =
    dragen?.hashTable ?? (work === undefined ? undefined : `${work.replace(/\/+$/, '')}/dragen-hash-tables`);
  if (folder === undefined) {
    const message = 'the executor dragen needs a place for its hash tables: aws.dragen.hashTable, or aws.work';
    throw new CohortflowError('AwsNotConfigured', message);
  }
  return folder.replace(/\/+$/, '');
}

/**
 * Hash tables in S3. A table has a folder, and each build of it one of its own, so that no reader meets files of two; which
 * build is the table is written once and never changes. Who means to build claims the table first and the others wait.
 */
export class HashTables {
  readonly #fingerprints: S3Fingerprints;

  /** @param files S3, where only what is not there counts as not there: a refusal or a fault is thrown */
  constructor(
    private readonly settings: AwsSettings,
    private readonly files: Files,
  ) {
    // Of the reference: by its content hash tables are told apart.
    this.#fingerprints = new S3Fingerprints(new S3Files(settings));
  }

  /** Tables of other references, or of other versions, never meet: the folder carries what the table was made from. */
  async of({ profile, reference }: DragenChoice, signal: AbortSignal): Promise<string> {
    const content = await this.#fingerprints.of(reference, { signal });
    const digest = createHash('sha256').update(`${profile}\n${content}`).digest('hex').slice(0, 16);
    return `${tablesFolder(this.settings)}/${profile}-${digest}`;
  }

  /** Where a piece of work builds: `s3://…/`. */
  build(table: string, name: string): string {
    return `${table}/builds/${name}/`;
  }

  /** The build that all use; undefined while there is none. */
  async ready(table: string): Promise<string | undefined> {
    const name = await this.textOf(`${table}/${READY}`);
    return name === undefined ? undefined : this.build(table, name);
  }

  /** Makes a build the table, unless another was quicker: its files then serve nobody. */
  async publish(table: string, name: string): Promise<void> {
    const won =
      (await this.files.writeOnce(`${table}/${READY}`, name)) || (await this.textOf(`${table}/${READY}`)) === name;
    if (!won) await this.files.remove(this.build(table, name).slice(0, -1));
    await this.release(table, name);
  }

  /** Says that this work builds the table, and tells who does: itself, or the one that was there before. */
  async claim(table: string, name: string): Promise<string> {
    for (;;) {
      if (await this.files.writeOnce(`${table}/${CLAIM}`, name)) return name;
      const holder = await this.holder(table);
      if (holder !== undefined) return holder;
    }
  }

  /** The work that builds a table; undefined when none does. */
  holder(table: string): Promise<string | undefined> {
    return this.textOf(`${table}/${CLAIM}`);
  }

  /** Takes a claim back, if it is still that one's. */
  async release(table: string, name: string): Promise<void> {
    if ((await this.holder(table)) === name) await this.files.remove(`${table}/${CLAIM}`);
  }

  private async textOf(path: string): Promise<string | undefined> {
    try {
      return await this.files.readText(path);
    } catch (error) {
      if (error instanceof CohortflowError && error.code === 'FileNotFound') return undefined;
      throw error;
    }
  }
}
