/** A value that several rows may give, with the row that gave it first. */
export interface Told<T> {
  readonly value: T;
  readonly row: number;
}

/** What a study or a sample is told apart by. */
export interface Dated {
  readonly row: number;
  readonly id?: string;
  date?: Told<string>;
  /** Row that belongs here because it gave no date; a fault once the case turns out to have several. */
  undatedRow?: number;
}

const UNDATED = 'undated';

/**
 * The studies or the samples of one case. A row belongs to the part with its id where the sheet gives one, else to the one
 * with its date. Ids that differ in case only are one folder on many file systems, so they are one part.
 */
export class PartList<T extends Dated> {
  readonly parts: T[] = [];
  /** Made with the second part: most cases have one. */
  #byKey: Map<string, T> | undefined;
  readonly #start: (row: number, id: string | undefined) => T;

  constructor(start: (row: number, id: string | undefined) => T) {
    this.#start = start;
  }

  /** The part that a row belongs to; started when it is new. */
  find(id: string | undefined, date: Told<string> | undefined, row: number): T {
    let part = this.#lookUp(id, date?.value);
    if (part === undefined) {
      part = this.#start(row, id);
      this.#add(part);
    }
    if (date === undefined) part.undatedRow ??= row;
    else if (part.date === undefined) {
      part.date = date;
      if (id === undefined) this.#byKey?.set(`date ${date.value}`, part);
    }
    return part;
  }

  #lookUp(id: string | undefined, date: string | undefined): T | undefined {
    const [only] = this.parts;
    if (this.#byKey === undefined) {
      if (only === undefined || only.id?.toLowerCase() !== id?.toLowerCase()) return undefined;
      return id !== undefined || date === undefined || only.date === undefined || only.date.value === date
        ? only
        : undefined;
    }
    if (id !== undefined) return this.#byKey.get(`id ${id.toLowerCase()}`);
    if (date === undefined) return this.#byKey.get(UNDATED);
    const dated = this.#byKey.get(`date ${date}`);
    if (dated !== undefined) return dated;
    const undated = this.#byKey.get(UNDATED);
    return undated?.date === undefined ? undated : undefined;
  }

  #add(part: T): void {
    this.parts.push(part);
    if (this.parts.length < 2) return;
    if (this.#byKey === undefined) {
      this.#byKey = new Map();
      for (const each of this.parts) this.#index(each);
    } else this.#index(part);
  }

  #index(part: T): void {
    const map = this.#byKey as Map<string, T>;
    if (part.id !== undefined) {
      map.set(`id ${part.id.toLowerCase()}`, part);
      return;
    }
    // Rows without id and date go to the first part without an id.
    if (!map.has(UNDATED)) map.set(UNDATED, part);
    if (part.date !== undefined) map.set(`date ${part.date.value}`, part);
  }
}
