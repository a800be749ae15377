import { layout } from '../../contracts/layout.js';
import type { OutcomeRecord } from '../../contracts/outcome.js';
import type { Modality } from '../../contracts/workflow-ids.js';
import { CohortflowError } from '../../domain/errors.js';
import { mapBounded } from '../../domain/map-bounded.js';
import type { Files } from '../../ports/files.js';
import type { RecordedUnit, RecordReader } from '../../ports/run-ledger.js';

/** Units whose records are read at once. */
const READS_AT_ONCE = 32;

/** `<step>[.r<round>[p<pass>]].<attempts>-<outcome>.json`: what counts is found without opening a record. */
const RECORD_NAME = /^(.+?)(?:\.r(\d+(?:p\d+)?))?\.\d+-[a-z]+\.json$/;

/** A round as a name holds it; a name has its dots elsewhere. */
const roundName = (round: number): string =>
  round > 0
    ? `.r${round
        .toFixed(6)
        .replace(/\.?0+$/, '')
        .replace('.', 'p')}`
    : '';
const roundNamed = (name: string | undefined): number => Number(name?.replace('p', '.') ?? 0);

/** `<modality>-<first>-<last>.<name>.jsonl` */
const PAGE_NAME = /^([a-z]+)-(\d+)-(\d+)\.[A-Za-z0-9-]+\.jsonl$/;

interface Page {
  readonly file: string;
  readonly first: number;
  readonly last: number;
}

type ByUnit = ReadonlyMap<string, readonly OutcomeRecord[]>;

const keyOf = ({ caseId, part }: RecordedUnit): string => `${caseId}/${part}`;
const roundOf = ({ round = 0 }: OutcomeRecord): number => round;

/** Name of a record's file. */
export function recordName({ step, round = 0, attempts, outcome }: OutcomeRecord): string {
  return `${step}${roundName(round)}.${attempts}-${outcome}.json`;
}

/** A success outranks a failure of the same step (the answer of the successful attempt was lost); then the later one. */
function supersedes(a: OutcomeRecord, b: OutcomeRecord): boolean {
  const success = (record: OutcomeRecord): boolean => record.outcome === 'done' || record.outcome === 'reused';
  if (success(a) !== success(b)) return success(a);
  return a.attempts > b.attempts || (a.attempts === b.attempts && a.started > b.started);
}

/** The record that counts of each step, by start. */
function onePerStep(records: readonly OutcomeRecord[]): OutcomeRecord[] {
  const latest = new Map<string, OutcomeRecord>();
  for (const record of records) {
    const known = latest.get(record.step);
    if (known === undefined || supersedes(record, known)) latest.set(record.step, record);
  }
  // Of equal times the order in which they were written down stays: a page holds a unit's steps as they follow each other.
  return [...latest.values()].sort((a, b) => (a.started < b.started ? -1 : a.started > b.started ? 1 : 0));
}

/** What was written as a record; undefined where a disk or a person damaged it. */
function recordIn(text: string): OutcomeRecord | undefined {
  try {
    const found = JSON.parse(text) as Partial<OutcomeRecord> | null;
    const texts = [found?.caseId, found?.part, found?.step, found?.outcome, found?.started];
    return texts.every((value) => typeof value === 'string') ? (found as OutcomeRecord) : undefined;
  } catch {
    return undefined;
  }
}

function damagedPage(file: string): CohortflowError {
  const message = `${file} is damaged: put it back from a copy, or remove it and its units count as without an outcome`;
  return new CohortflowError('FileNotFound', message);
}

/** Reads the records that {@link FileLedger} writes: a folder of small files per unit, and pages that cover many units. */
export class FileRecordReader implements RecordReader {
  #pages: Promise<readonly Page[]> | undefined;
  /** Pages that cover the units asked for last: neighbours share them. */
  #open = new Map<string, Promise<ByUnit>>();

  constructor(
    private readonly files: Files,
    private readonly output: string,
    private readonly runId: string,
    private readonly modality: Modality,
    private readonly warn: (message: string) => void,
  ) {}

  async of(
    units: readonly RecordedUnit[],
    first: number,
    { step, signal }: Parameters<RecordReader['of']>[2] = {},
  ): Promise<readonly (readonly OutcomeRecord[])[]> {
    const pages = await this.#openPages(first, first + units.length - 1);
    return mapBounded(units, READS_AT_ONCE, async (unit) => {
      signal?.throwIfAborted();
      const paged = pages.flatMap((page) => page.get(keyOf(unit)) ?? []);
      const single = await this.#single(unit, step);
      const last = paged.reduce((most, record) => Math.max(most, roundOf(record)), single.last);
      const counting = [...paged, ...single.records].filter(
        (record) => roundOf(record) === last && (step === undefined || record.step === step),
      );
      return onePerStep(counting);
    });
  }

  /** The pages over these positions; keeps what is needed of the ones that are open and lets the others go. */
  async #openPages(first: number, last: number): Promise<readonly ByUnit[]> {
    const pages = await (this.#pages ??= this.#listPages());
    const wanted = pages.filter((page) => page.first <= last && page.last >= first);
    this.#open = new Map(wanted.map(({ file }) => [file, this.#open.get(file) ?? this.#readPage(file)]));
    return Promise.all(this.#open.values());
  }

  async #listPages(): Promise<readonly Page[]> {
    const folder = layout.recordPages(this.output, this.runId);
    const pages: Page[] = [];
    for (const name of await this.files.names(folder)) {
      const parts = PAGE_NAME.exec(name);
      if (parts?.[1] !== this.modality) continue;
      pages.push({ file: `${folder}/${name}`, first: Number(parts[2]), last: Number(parts[3]) });
    }
    return pages;
  }

  async #readPage(file: string): Promise<ByUnit> {
    const byUnit = new Map<string, OutcomeRecord[]>();
    for await (const line of this.files.lines(file)) {
      const record = recordIn(line);
      if (record === undefined) throw damagedPage(file);
      const known = byUnit.get(keyOf(record));
      if (known === undefined) byUnit.set(keyOf(record), [record]);
      else known.push(record);
    }
    return byUnit;
  }

  /** Not whose record it is: the log of a run that is pseudonymised has no case ids. */
  #warnOf(name = ''): void {
    const place = `${layout.records(this.output, this.runId)}/${this.modality}`;
    this.warn(`a record below ${place} cannot be read and counts as none: ${name}`);
  }

  /** The last round a unit has a record of, and that round's records; reads no others. */
  async #single(
    { caseId, part }: RecordedUnit,
    step: string | undefined,
  ): Promise<{ readonly last: number; readonly records: readonly OutcomeRecord[] }> {
    const folder = layout.unitRecords(this.output, this.runId, this.modality, caseId, part);
    const named = (await this.files.names(folder)).flatMap((name) => {
      const parts = RECORD_NAME.exec(name);
      return parts === null || name.startsWith('.') ? [] : [{ name, step: parts[1], round: roundNamed(parts[2]) }];
    });
    const last = named.reduce((most, { round }) => Math.max(most, round), 0);
    const wanted = named.filter((record) => record.round === last && (step === undefined || record.step === step));
    const texts = await Promise.all(wanted.map(({ name }) => this.files.readText(`${folder}/${name}`)));
    const records = texts.flatMap((text, index) => {
      const record = recordIn(text);
      if (record === undefined) this.#warnOf(wanted[index]?.name);
      return record ?? [];
    });
    return { last, records };
  }
}
