import { TRANSFER_SYNTAX } from './uids.js';

/**
 * Finds the elements of a DICOM file without reading their values.
 *
 * Why not leave it to dcmjs: it refuses files without preamble or meta group, stops at the first odd private sequence,
 * copies pixel data, and returns short pixel data of a truncated file without a word. This walker knows where every
 * top-level element starts and ends, so that dcmjs is given only the few elements we want, in a form it can read, and
 * pixel data are read by offset.
 */

/** Where one top-level element lies: `[start, end)` with its tag and length field. */
export interface ElementSpan {
  /** `GGGGEEEE`, upper-case hexadecimal. */
  readonly tag: string;
  readonly start: number;
  readonly end: number;
}

/** Where the pixel data lie. */
export interface PixelSpan {
  readonly tag: string;
  readonly vr: string;
  /** First byte of the value (native) or of the first item (encapsulated). */
  readonly offset: number;
  /** Declared length in bytes; undefined when encapsulated. */
  readonly length: number | undefined;
}

/** How the data set is encoded. */
export interface Encoding {
  readonly explicit: boolean;
  readonly littleEndian: boolean;
}

/** What a file consists of. */
export interface Layout {
  /** As the file declares it, or as its first element shows where it declares none. */
  readonly transferSyntax: string;
  readonly encoding: Encoding;
  readonly elements: readonly ElementSpan[];
  readonly pixels: PixelSpan | undefined;
  /** SOP class of the meta group, where there is one. */
  readonly mediaClass: string | undefined;
}

export type Scan =
  | { readonly kind: 'not-dicom' }
  /** The bytes given are only the start of the file; at least so many are needed. */
  | { readonly kind: 'more'; readonly need: number }
  /** The data set from `offset` to the end is deflated: inflate it and call {@link scanDataset}. */
  | { readonly kind: 'deflated'; readonly offset: number; readonly mediaClass: string | undefined }
  | { readonly kind: 'layout'; readonly layout: Layout }
  /** The file ends or contradicts itself within its header; `layout` holds what came before. */
  | { readonly kind: 'damaged'; readonly reason: string; readonly layout: Layout };

const LONG_VRS = new Set(['OB', 'OW', 'OF', 'OD', 'OL', 'OV', 'UN', 'SQ', 'UT', 'UC', 'UR', 'SV', 'UV']);
const UNDEFINED = 0xffffffff;
const MAX_DEPTH = 32;

class OutOfBytes extends Error {
  constructor(readonly need: number) {
    super();
  }
}
class Malformed extends Error {}

const hex4 = (value: number): string => value.toString(16).toUpperCase().padStart(4, '0');
const isUpper = (code: number): boolean => code >= 0x41 && code <= 0x5a;

class Walker {
  private readonly view: DataView;
  constructor(
    private readonly bytes: Uint8Array,
    /** Size of the whole file, of which `bytes` may be the start. */
    readonly total: number,
    public at: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private need(end: number): void {
    if (end > this.bytes.byteLength) throw new OutOfBytes(end);
  }
  u16(at: number, little: boolean): number {
    this.need(at + 2);
    return this.view.getUint16(at, little);
  }
  u32(at: number, little: boolean): number {
    this.need(at + 4);
    return this.view.getUint32(at, little);
  }
  vr(at: number): string | undefined {
    this.need(at + 2);
    const [a, b] = [this.bytes[at]!, this.bytes[at + 1]!];
    return isUpper(a) && isUpper(b) ? String.fromCharCode(a, b) : undefined;
  }
  ascii(start: number, end: number): string {
    this.need(end);
    let text = '';
    for (let at = start; at < end; at++) text += String.fromCharCode(this.bytes[at]!);
    return text.replace(/[\0 ]+$/, '');
  }

  /** Reads tag, VR and length at `at`, and moves to the first byte of the value. */
  head({ explicit, littleEndian: little }: Encoding): { tag: string; vr: string; length: number } {
    const start = this.at;
    const tag = hex4(this.u16(start, little)) + hex4(this.u16(start + 2, little));
    // Item tags have no VR in any encoding.
    if (!explicit || tag.startsWith('FFFE')) {
      const length = this.u32(start + 4, little);
      this.at = start + 8;
      return { tag, vr: '', length };
    }
    const vr = this.vr(start + 4);
    if (vr === undefined)
      throw new Malformed(`element (${tag.slice(0, 4)},${tag.slice(4)}) has no value representation`);
    if (LONG_VRS.has(vr)) {
      const length = this.u32(start + 8, little);
      this.at = start + 12;
      return { tag, vr, length };
    }
    const length = this.u16(start + 6, little);
    this.at = start + 8;
    return { tag, vr, length };
  }

  skip(length: number): void {
    this.at += length;
    if (this.at > this.total) throw new OutOfBytes(this.at);
  }

  /** Skips the value of an element whose length is not known: a sequence, its items nested. */
  skipUndefined(encoding: Encoding, depth = 0): void {
    if (depth > MAX_DEPTH) throw new Malformed(`sequences are nested more than ${MAX_DEPTH} deep`);
    for (;;) {
      const { tag, length } = this.head(encoding);
      if (tag === 'FFFEE0DD') return;
      if (tag !== 'FFFEE000') throw new Malformed('a sequence holds something that is not an item');
      if (length === UNDEFINED) this.skipItem(encoding, depth);
      else this.skip(length);
    }
  }

  private skipItem(encoding: Encoding, depth: number): void {
    for (;;) {
      const { tag, vr, length } = this.head(encoding);
      if (tag === 'FFFEE00D') return;
      // Sequences that were written as UN with unknown length hold implicit little endian data (PS3.5 6.2.2).
      const inner = vr === 'UN' ? { explicit: false, littleEndian: true } : encoding;
      if (length === UNDEFINED) this.skipUndefined(inner, depth + 1);
      else this.skip(length);
    }
  }
}

/** Encoding of a data set from its first element: a valid VR after the tag means explicit; group 8 tells the byte order. */
function sniffEncoding(walker: Walker, at: number): Encoding | undefined {
  if (at + 8 > walker.total) return undefined;
  const little = walker.u16(at, true);
  const big = walker.u16(at, false);
  const explicit = walker.vr(at + 4) !== undefined;
  const plausible = (group: number): boolean => group > 0 && group <= 0x28;
  if (plausible(little)) return { explicit, littleEndian: true };
  if (plausible(big) && explicit) return { explicit: true, littleEndian: false };
  return undefined;
}

const SYNTAX_OF = (encoding: Encoding): string =>
  !encoding.explicit
    ? TRANSFER_SYNTAX.implicitLittle
    : encoding.littleEndian
      ? TRANSFER_SYNTAX.explicitLittle
      : TRANSFER_SYNTAX.explicitBig;

/** What a known transfer syntax says; for data sets that begin with private groups, where sniffing has no hold. */
function declaredEncoding(syntax: string | undefined): Encoding | undefined {
  if (syntax === undefined) return undefined;
  return {
    explicit: syntax !== TRANSFER_SYNTAX.implicitLittle,
    littleEndian: syntax !== TRANSFER_SYNTAX.explicitBig,
  };
}

const PIXEL_TAGS = new Set(['7FE00008', '7FE00009', '7FE00010']);

function walkDataset(walker: Walker, encoding: Encoding, transferSyntax: string, mediaClass: string | undefined): Scan {
  const elements: ElementSpan[] = [];
  let pixels: PixelSpan | undefined;
  const layout = (): Layout => ({ transferSyntax, encoding, elements, pixels, mediaClass });
  try {
    while (walker.at < walker.total) {
      const start = walker.at;
      const { tag, vr, length } = walker.head(encoding);
      if (tag > '7FE00010' || tag === 'FFFCFFFC') break;
      if (PIXEL_TAGS.has(tag)) {
        pixels = { tag, vr, offset: walker.at, length: length === UNDEFINED ? undefined : length };
        break;
      }
      const inner = vr === 'UN' ? { explicit: false, littleEndian: true } : encoding;
      if (length === UNDEFINED) walker.skipUndefined(inner);
      else walker.skip(length);
      elements.push({ tag, start, end: walker.at });
    }
    return { kind: 'layout', layout: layout() };
  } catch (error) {
    if (error instanceof OutOfBytes) {
      if (error.need <= walker.total) return { kind: 'more', need: error.need };
      return { kind: 'damaged', reason: 'the file ends within its header', layout: layout() };
    }
    if (error instanceof Malformed) return { kind: 'damaged', reason: error.message, layout: layout() };
    throw error;
  }
}

/** Lays out a data set without a meta group (what inflating a deflated file gives): explicit little endian. */
export function scanDataset(bytes: Uint8Array, mediaClass: string | undefined): Scan {
  const encoding = { explicit: true, littleEndian: true };
  return walkDataset(new Walker(bytes, bytes.byteLength, 0), encoding, TRANSFER_SYNTAX.explicitLittle, mediaClass);
}

/**
 * Lays out a file of which `bytes` is the start and `total` the size. Reads files without preamble, without a meta group,
 * without group length, without transfer syntax, and files whose data set is not encoded as they say.
 */
export function scan(bytes: Uint8Array, total: number): Scan {
  if (total < 8) return { kind: 'not-dicom' };
  try {
    const walker = new Walker(bytes, total, 0);
    const marked = total >= 132 && walker.ascii(128, 132) === 'DICM';
    if (marked) walker.at = 132;
    // Without the mark it must at least look like a data set: group 2 or 8 and a plausible first element.
    else if (![2, 8, 0x0200, 0x0800].includes(walker.u16(0, true)) || walker.u16(2, true) > 0x2000) {
      return { kind: 'not-dicom' };
    }

    let syntax: string | undefined;
    let mediaClass: string | undefined;
    const metaEncoding = { explicit: true, littleEndian: true };
    try {
      while (walker.at + 8 <= total && walker.u16(walker.at, true) === 2) {
        const explicit = walker.vr(walker.at + 4) !== undefined;
        const { tag, length } = walker.head({ ...metaEncoding, explicit });
        const start = walker.at;
        walker.skip(length);
        if (tag === '00020010') syntax = walker.ascii(start, walker.at);
        if (tag === '00020002') mediaClass = walker.ascii(start, walker.at);
      }
    } catch (error) {
      if (!(error instanceof OutOfBytes) || error.need <= total) throw error;
      if (!marked) return { kind: 'not-dicom' };
      const layout = { transferSyntax: '', encoding: metaEncoding, elements: [], pixels: undefined, mediaClass };
      return { kind: 'damaged', reason: 'the file ends within its header', layout };
    }

    if (syntax === TRANSFER_SYNTAX.deflatedLittle) return { kind: 'deflated', offset: walker.at, mediaClass };
    const found = sniffEncoding(walker, walker.at) ?? (marked ? declaredEncoding(syntax) : undefined);
    if (found === undefined) {
      if (!marked) return { kind: 'not-dicom' };
      const layout = {
        transferSyntax: syntax ?? '',
        encoding: metaEncoding,
        elements: [],
        pixels: undefined,
        mediaClass,
      };
      return { kind: 'damaged', reason: 'no data set follows the file header', layout };
    }
    return walkDataset(walker, found, syntax ?? SYNTAX_OF(found), mediaClass);
  } catch (error) {
    if (error instanceof OutOfBytes) {
      return error.need <= total ? { kind: 'more', need: error.need } : { kind: 'not-dicom' };
    }
    if (error instanceof Malformed) return { kind: 'not-dicom' };
    throw error;
  }
}
