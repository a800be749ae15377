import type { Element, ElementMap } from '../../../src/domain/dicom/dcmjs.js';

/**
 * An encoder of DICOM data sets that is independent of dcmjs, for the encodings and faults that tests need: any byte
 * order, implicit VR, no preamble, no meta group, extra raw bytes.
 */
export interface Encoding {
  readonly explicit?: boolean;
  readonly littleEndian?: boolean;
}

const LONG = new Set(['OB', 'OW', 'OF', 'SQ', 'UN', 'UT']);
const NUMBERS: Readonly<Record<string, number>> = { US: 2, SS: 2, UL: 4, SL: 4, AT: 4, FL: 4, FD: 8 };

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function valueBytes({ vr, Value }: Element, encoding: Required<Encoding>): Uint8Array {
  if (vr === 'SQ') {
    return concat(
      (Value as ElementMap[]).map((item) => {
        const body = encodeDataset(item, encoding);
        const head = new DataView(new ArrayBuffer(8));
        head.setUint16(0, 0xfffe, encoding.littleEndian);
        head.setUint16(2, 0xe000, encoding.littleEndian);
        head.setUint32(4, body.length, encoding.littleEndian);
        return concat([new Uint8Array(head.buffer), body]);
      }),
    );
  }
  const width = NUMBERS[vr];
  if (width !== undefined) {
    const view = new DataView(new ArrayBuffer(width * Value.length));
    Value.forEach((value, at) => {
      const number = Number(value);
      if (vr === 'FD') view.setFloat64(at * 8, number, encoding.littleEndian);
      else if (vr === 'FL') view.setFloat32(at * 4, number, encoding.littleEndian);
      else if (vr === 'AT') {
        view.setUint16(at * 4, number >>> 16, encoding.littleEndian);
        view.setUint16(at * 4 + 2, number & 0xffff, encoding.littleEndian);
      } else if (width === 2) view.setUint16(at * 2, number & 0xffff, encoding.littleEndian);
      else view.setUint32(at * 4, number >>> 0, encoding.littleEndian);
    });
    return new Uint8Array(view.buffer);
  }
  if (Value[0] instanceof ArrayBuffer || ArrayBuffer.isView(Value[0])) {
    const bytes = concat(
      Value.map((part) => (part instanceof ArrayBuffer ? new Uint8Array(part) : (part as Uint8Array))),
    );
    if (!encoding.littleEndian && vr === 'OW') {
      for (let at = 0; at + 1 < bytes.length; at += 2) [bytes[at], bytes[at + 1]] = [bytes[at + 1]!, bytes[at]!];
    }
    return bytes;
  }
  const text = Value.map((value) => (value === null || value === undefined ? '' : String(value))).join('\\');
  const bytes = new TextEncoder().encode(text);
  return bytes.length % 2 === 0 ? bytes : concat([bytes, Uint8Array.of(vr === 'UI' ? 0 : 0x20)]);
}

/** One element. `undefinedLength` writes sequences with delimiters instead of lengths. */
export function encodeElement(tag: string, element: Element, encoding: Encoding = {}): Uint8Array {
  const full = { explicit: encoding.explicit ?? true, littleEndian: encoding.littleEndian ?? true };
  const body = valueBytes(element, full);
  const long = full.explicit && LONG.has(element.vr);
  const head = new DataView(new ArrayBuffer(long ? 12 : 8));
  head.setUint16(0, parseInt(tag.slice(0, 4), 16), full.littleEndian);
  head.setUint16(2, parseInt(tag.slice(4), 16), full.littleEndian);
  if (full.explicit) {
    head.setUint8(4, element.vr.charCodeAt(0));
    head.setUint8(5, element.vr.charCodeAt(1));
    if (long) head.setUint32(8, body.length, full.littleEndian);
    else head.setUint16(6, body.length, full.littleEndian);
  } else head.setUint32(4, body.length, full.littleEndian);
  return concat([new Uint8Array(head.buffer), body]);
}

/** A data set in tag order. */
export function encodeDataset(dataset: ElementMap, encoding: Encoding = {}): Uint8Array {
  return concat(
    Object.keys(dataset)
      .sort()
      .map((tag) => encodeElement(tag, dataset[tag]!, encoding)),
  );
}

export interface FileOptions extends Encoding {
  /** Value of (0002,0010); null leaves the element out. Default: what the encoding is. */
  readonly transferSyntax?: string | null;
  readonly preamble?: boolean;
  readonly meta?: boolean;
  readonly groupLength?: boolean;
  /** Bytes put in front of the encoded data set. */
  readonly before?: Uint8Array;
  /** Changes the encoded data set, e.g. deflates it. */
  readonly transform?: (dataset: Uint8Array) => Uint8Array;
}

/** A file: preamble, meta group, data set, each of which can be left out or changed. */
export function encodeFile(dataset: ElementMap, options: FileOptions = {}): Uint8Array {
  const explicit = options.explicit ?? true;
  const littleEndian = options.littleEndian ?? true;
  const syntax =
    options.transferSyntax === undefined
      ? explicit
        ? littleEndian
          ? '1.2.840.10008.1.2.1'
          : '1.2.840.10008.1.2.2'
        : '1.2.840.10008.1.2'
      : options.transferSyntax;
  const meta = encodeDataset({
    '00020002': dataset['00080016'] ?? { vr: 'UI', Value: [''] },
    ...(syntax === null ? {} : { '00020010': { vr: 'UI', Value: [syntax] } }),
  });
  const length = encodeElement('00020000', { vr: 'UL', Value: [meta.length] });
  const body = concat([options.before ?? new Uint8Array(0), encodeDataset(dataset, { explicit, littleEndian })]);
  const parts: Uint8Array[] = [];
  if (options.preamble ?? true) parts.push(new Uint8Array(128), new TextEncoder().encode('DICM'));
  if (options.meta ?? true) parts.push(...((options.groupLength ?? true) ? [length, meta] : [meta]));
  parts.push(options.transform?.(body) ?? body);
  return concat(parts);
}

/** Compressed frames as the value of PixelData in an explicit file: items with an empty offset table. */
export function encapsulate(frames: readonly Uint8Array[]): Uint8Array {
  const item = (tag: number, bytes: Uint8Array): Uint8Array => {
    const padded = bytes.length % 2 === 0 ? bytes : concat([bytes, Uint8Array.of(0)]);
    const head = new DataView(new ArrayBuffer(8));
    head.setUint32(0, tag, true);
    head.setUint32(4, padded.length, true);
    return concat([new Uint8Array(head.buffer), padded]);
  };
  const head = Uint8Array.of(0xe0, 0x7f, 0x10, 0, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff);
  return concat([
    head,
    item(0xe000fffe, new Uint8Array(0)),
    ...frames.map((frame) => item(0xe000fffe, frame)),
    item(0xe0ddfffe, new Uint8Array(0)),
  ]);
}

export { concat };
