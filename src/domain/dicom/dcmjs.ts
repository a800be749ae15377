import dcmjs from 'dcmjs';

/**
 * The one place that touches dcmjs. It is used for what it does well, the values of a header and the writing of new
 * objects; pixel data never passes through it (see `layout.ts` for why).
 */

// dcmjs prints every private tag and every lenient repair to the console; what matters is reported by our own checks.
dcmjs.log.setLevel('silent', false);
dcmjs.log.getLogger('validation.dcmjs').setLevel('silent', false);

/** One element as dcmjs holds it: the VR and the list of values (nested data sets for `SQ`). */
export interface Element {
  vr: string;
  Value: unknown[];
}

/** A data set by tag, `GGGGEEEE` in upper-case hexadecimal. */
export type ElementMap = Record<string, Element>;

/**
 * Parses a Part 10 file in memory. Lenient: an element that dcmjs cannot read ends the parse without an error, so that
 * the caller has to check that the elements it needs are there.
 */
export function readPart10(bytes: Uint8Array): ElementMap {
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  const buffer = whole ? bytes.buffer : bytes.slice().buffer;
  return dcmjs.data.DicomMessage.readFile(buffer as ArrayBuffer, { ignoreErrors: true, noCopy: true }).dict;
}

/** Writes a Part 10 file: preamble, `DICM`, the meta group with its length, then the data set in tag order. */
export function writePart10(meta: ElementMap, dataset: ElementMap): Uint8Array {
  const file = new dcmjs.data.DicomDict(meta);
  file.dict = dataset;
  return new Uint8Array(file.write({ allowInvalidVRLength: true, fragmentMultiframe: false }));
}
