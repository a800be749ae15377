import { writePart10, type Element, type ElementMap } from '../dcmjs.js';
import { TRANSFER_SYNTAX } from '../uids.js';

/** One DICOM file in memory; `name` is a file name without a folder. */
export interface DicomFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
}

/** One element: its VR and values. */
export function el(vr: string, ...values: readonly unknown[]): Element {
  return { vr, Value: [...values] };
}

/** A decimal string of at most 16 characters, the limit of VR DS. */
export function decimal(value: number): string {
  for (let digits = 15; digits > 0; digits--) {
    const text = String(Number(value.toPrecision(digits)));
    if (text.length <= 16) return text;
  }
  return String(Math.round(value));
}

/** Decimal strings as one DS element. */
export function ds(...values: readonly number[]): Element {
  return el('DS', ...values.map(decimal));
}

/** A sequence element. */
export function sq(...items: readonly ElementMap[]): Element {
  return el('SQ', ...items);
}

/** Pixel bytes as an element. */
export function pixels(vr: 'OW' | 'OB', bytes: Uint8Array): Element {
  const even = new Uint8Array(bytes.byteLength + (bytes.byteLength % 2));
  even.set(bytes);
  return el(vr, even.buffer);
}

/** Wraps a data set as a Part 10 file. The data set must hold its SOP class and instance UID. */
export function part10(
  name: string,
  dataset: ElementMap,
  transferSyntax: string = TRANSFER_SYNTAX.explicitLittle,
): DicomFile {
  const sopClassUid = String(dataset['00080016']?.Value[0]);
  const sopInstanceUid = String(dataset['00080018']?.Value[0]);
  const meta: ElementMap = {
    '00020001': el('OB', Uint8Array.of(0, 1).buffer),
    '00020002': el('UI', sopClassUid),
    '00020003': el('UI', sopInstanceUid),
    '00020010': el('UI', transferSyntax),
    '00020012': el('UI', '2.25.80302813137786398554742050926734630921603'),
  };
  return { name, bytes: writePart10(meta, dataset), sopClassUid, sopInstanceUid };
}
