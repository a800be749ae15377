import type { ElementMap } from './dcmjs.js';

/**
 * Typed reading of a data set by tag (`GGGGEEEE`). Absent, empty and unreadable values are undefined; nothing throws.
 */
export class Dataset {
  /** @param decode makes letters of texts that were read byte by byte; ASCII stays as it is */
  constructor(
    private readonly elements: ElementMap,
    private readonly decode?: (text: string) => string,
  ) {}

  private values(tag: string): readonly unknown[] {
    const value: unknown = this.elements[tag]?.Value;
    return Array.isArray(value) ? value : [];
  }

  has(tag: string): boolean {
    return this.elements[tag] !== undefined;
  }

  /** All values as text, trimmed of padding; empty ones are kept so that positions stay. */
  texts(tag: string): string[] {
    return this.values(tag).map((value) => {
      // A damaged VR can make bytes of what should be text.
      const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
      return (this.decode?.(text) ?? text).replace(/[\0\s]+$/g, '').trimStart();
    });
  }

  text(tag: string): string | undefined {
    const [first] = this.texts(tag);
    return first === undefined || first === '' ? undefined : first;
  }

  /** All values as numbers; undefined when there is none or any is not a finite number. */
  numbers(tag: string): number[] | undefined {
    const numbers = this.values(tag).map((value) => {
      if (typeof value === 'number') return value;
      const text = typeof value === 'string' ? value.replace(/[\0\s]+$/g, '').trim() : '';
      return text === '' ? NaN : Number(text);
    });
    return numbers.length > 0 && numbers.every(Number.isFinite) ? numbers : undefined;
  }

  number(tag: string): number | undefined {
    const [first] = this.values(tag);
    if (typeof first === 'number') return Number.isFinite(first) ? first : undefined;
    return this.numbers(tag)?.[0];
  }

  /** The items of a sequence; none when it is absent. */
  items(tag: string): Dataset[] {
    if (this.elements[tag]?.vr !== 'SQ') return [];
    return this.values(tag)
      .filter((item): item is ElementMap => typeof item === 'object' && item !== null)
      .map((item) => new Dataset(item, this.decode));
  }

  /** The first item of a sequence. */
  item(tag: string): Dataset | undefined {
    return this.items(tag)[0];
  }
}
