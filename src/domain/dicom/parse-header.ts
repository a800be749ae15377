import { readPart10 } from './dcmjs.js';
import { textDecoderOf } from './character-set.js';
import { Dataset } from './dataset.js';
import type { Layout } from './layout.js';
import { TRANSFER_SYNTAX } from './uids.js';

/**
 * The top-level elements the product reads. Nothing that names a person or a date of birth is among them: such values
 * never enter the program.
 */
const WANTED: ReadonlySet<string> = new Set([
  '00080008', // ImageType
  '00080016', // SOPClassUID
  '00080018', // SOPInstanceUID
  '00080060', // Modality
  '0008103E', // SeriesDescription
  '00081115', // ReferencedSeriesSequence
  '00082112', // SourceImageSequence
  '00181210', // ConvolutionKernel
  '0020000D', // StudyInstanceUID
  '0020000E', // SeriesInstanceUID
  '00200011', // SeriesNumber
  '00200012', // AcquisitionNumber
  '00200032', // ImagePositionPatient
  '00200037', // ImageOrientationPatient
  '00200052', // FrameOfReferenceUID
  '00200100', // TemporalPositionIdentifier
  '00280002', // SamplesPerPixel
  '00280004', // PhotometricInterpretation
  '00280006', // PlanarConfiguration
  '00280008', // NumberOfFrames
  '00280010', // Rows
  '00280011', // Columns
  '00280030', // PixelSpacing
  '00280100', // BitsAllocated
  '00280101', // BitsStored
  '00280102', // HighBit
  '00280103', // PixelRepresentation
  '00280120', // PixelPaddingValue
  '00281052', // RescaleIntercept
  '00281053', // RescaleSlope
  '00281054', // RescaleType
  '00282110', // LossyImageCompression
  '00283000', // ModalityLUTSequence
  '00620001', // SegmentationType
  '00620002', // SegmentSequence
  '0062000E', // MaximumFractionalValue
  '30060010', // ReferencedFrameOfReferenceSequence
  '30060020', // StructureSetROISequence
  '30060039', // ROIContourSequence
  '30060080', // RTROIObservationsSequence
  '52009229', // SharedFunctionalGroupsSequence
  '52009230', // PerFrameFunctionalGroupsSequence
  '7FE00001', // ExtendedOffsetTable
]);

const encoder = new TextEncoder();

/** A meta group that only names the transfer syntax: what dcmjs needs to read the elements that follow. */
function metaFor(layout: Layout): Uint8Array {
  const syntax = !layout.encoding.explicit
    ? TRANSFER_SYNTAX.implicitLittle
    : layout.encoding.littleEndian
      ? TRANSFER_SYNTAX.explicitLittle
      : TRANSFER_SYNTAX.explicitBig;
  const uid = encoder.encode(syntax.length % 2 === 0 ? syntax : `${syntax}\0`);
  const bytes = new Uint8Array(132 + 12 + 8 + uid.length);
  const view = new DataView(bytes.buffer);
  bytes.set(encoder.encode('DICM'), 128);
  bytes.set([2, 0, 0, 0, 0x55, 0x4c, 4, 0], 132);
  view.setUint32(140, 8 + uid.length, true);
  bytes.set([2, 0, 0x10, 0, 0x55, 0x49], 144);
  view.setUint16(150, uid.length, true);
  bytes.set(uid, 152);
  return bytes;
}

/** The text of a SpecificCharacterSet element. Tag, VR and length take 8 bytes in both encodings (CS is a short VR). */
function characterSetOf(element: Uint8Array): string {
  return String.fromCharCode(...element.subarray(8)).replace(/[\0 ]+$/, '');
}

/** A header as values, and the tags that are in the file but could not be read. */
export interface ParsedHeader {
  readonly dataset: Dataset;
  readonly unread: readonly string[];
}

/**
 * Reads the wanted elements of a file. `bytes` holds the file at least up to its pixel data.
 *
 * dcmjs is given a file made of those elements only: private groups, unknown VRs and character sets, at which it
 * stumbles, never reach it. What it drops in spite of that is listed in `unread`.
 */
export function parseHeader(bytes: Uint8Array, layout: Layout): ParsedHeader {
  const parts: Uint8Array[] = [metaFor(layout)];
  const given: string[] = [];
  let decode: ReturnType<typeof textDecoderOf>;
  for (const { tag, start, end } of layout.elements) {
    const part = bytes.subarray(start, end);
    if (tag === '00080005') {
      decode = textDecoderOf(characterSetOf(part));
    } else if (WANTED.has(tag)) {
      given.push(tag);
      parts.push(part);
    }
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  const elements = readPart10(whole);
  return { dataset: new Dataset(elements, decode), unread: given.filter((tag) => elements[tag] === undefined) };
}
