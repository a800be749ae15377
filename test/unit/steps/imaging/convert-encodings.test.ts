import { deflateRawSync } from 'node:zlib';
import dcmjsCodecs from 'dcmjs-codecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DicomFile } from '../../../../src/domain/dicom/write/index.js';
import { concat, encapsulate, encodeElement, encodeFile, type FileOptions } from '../../../support/dicom/encode.js';
import { convert, failureOf, removeConverted } from '../../../support/dicom/run-convert.js';
import { ds, edited, el, elementsOf, smallStudy, type Edits } from '../../../support/dicom/studies.js';

const { Context, NativeCodecs } = dcmjsCodecs;

beforeAll(() => NativeCodecs.initializeAsync());
afterAll(removeConverted);

const study = smallStudy();
const seg = study.segmentation();
const ct = study.ct.files;
const [columns, rows] = study.geometry.size;

const encoded = (options: FileOptions, edits: Edits = {}): DicomFile[] =>
  ct.map((file) => edited(file, edits, options));

/** Stored bytes of a slice, little-endian. */
function stored(file: DicomFile): Uint8Array {
  const [value] = elementsOf(file)['7FE00010']!.Value;
  return new Uint8Array(value as ArrayBuffer);
}

/** The series with compressed pixel data. */
function compressed(
  syntax: string,
  encode: (bytes: Uint8Array) => Uint8Array | readonly Uint8Array[],
  edits: Edits = {},
): DicomFile[] {
  return ct.map((file) => {
    const elements = elementsOf(file);
    const frames = encode(stored(file));
    delete elements['7FE00010'];
    for (const [tag, element] of Object.entries(edits)) if (element !== undefined) elements[tag] = element;
    const head = encodeFile(elements, { transferSyntax: syntax });
    return { ...file, bytes: concat([head, encapsulate(frames instanceof Uint8Array ? [frames] : frames)]) };
  });
}

const context = (encodedBuffer: Uint8Array) =>
  new Context({
    width: columns,
    height: rows,
    bitsAllocated: 16,
    bitsStored: 12,
    samplesPerPixel: 1,
    pixelRepresentation: 0,
    planarConfiguration: 0,
    photometricInterpretation: 'MONOCHROME2',
    decodedBuffer: encodedBuffer,
  });

/** RLE Lossless as PS3.5 annex G describes it, with literal runs only. */
function rle(bytes: Uint8Array): Uint8Array {
  const plane = (offset: number): Uint8Array => {
    const out: number[] = [];
    const values = Array.from({ length: bytes.length / 2 }, (_, at) => bytes[2 * at + offset]!);
    for (let at = 0; at < values.length;) {
      let run = 1;
      while (run < 128 && values[at + run] === values[at]) run++;
      if (run > 1) out.push(257 - run, values[at]!);
      else out.push(0, values[at]!);
      at += run;
    }
    if (out.length % 2 === 1) out.push(128);
    return Uint8Array.from(out);
  };
  const [high, low] = [plane(1), plane(0)];
  const header = new DataView(new ArrayBuffer(64));
  header.setUint32(0, 2, true);
  header.setUint32(4, 64, true);
  header.setUint32(8, 64 + high.length, true);
  return concat([new Uint8Array(header.buffer), high, low]);
}

describe('the encodings of a DICOM file', () => {
  it.each<[string, FileOptions, Edits]>([
    ['implicit VR little endian', { explicit: false }, {}],
    ['explicit VR big endian', { littleEndian: false }, {}],
    ['deflated', { transferSyntax: '1.2.840.10008.1.2.1.99', transform: (bytes) => deflateRawSync(bytes) }, {}],
    [
      'deflated with a pad byte',
      {
        transferSyntax: '1.2.840.10008.1.2.1.99',
        transform: (bytes) => concat([deflateRawSync(bytes), Uint8Array.of(0)]),
      },
      {},
    ],
    ['no preamble', { preamble: false }, {}],
    ['no preamble and no meta group, explicit', { preamble: false, meta: false }, {}],
    ['no preamble and no meta group, implicit', { preamble: false, meta: false, explicit: false }, {}],
    ['no preamble and no meta group, big endian', { preamble: false, meta: false, littleEndian: false }, {}],
    ['no group length', { groupLength: false }, {}],
    ['no transfer syntax', { transferSyntax: null }, {}],
    ['no transfer syntax, implicit', { transferSyntax: null, explicit: false }, {}],
    ['a transfer syntax that is not true', { transferSyntax: '1.2.840.10008.1.2', explicit: true }, {}],
    ['several character sets', {}, { '00080005': el('CS', '', 'ISO 2022 IR 87') }],
    ['an unknown character set', {}, { '00080005': el('CS', 'KLINGON') }],
    ['16 bits stored of 16', {}, { '00280101': el('US', 16), '00280102': el('US', 15) }],
  ])('are read: %s', async (_, options, edits) => {
    const { image, mask } = await convert([...encoded(options, edits), seg]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(Array.from(mask.data)).toEqual(Array.from(study.phantom.tumour));
  });

  it('passes over nested private sequences of unknown length and unknown representation', async () => {
    const item = (bytes: Uint8Array) =>
      concat([
        Uint8Array.of(0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0xff),
        bytes,
        Uint8Array.of(0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0),
      ]);
    const closed = (head: number[], bytes: Uint8Array) =>
      concat([Uint8Array.from(head), bytes, Uint8Array.of(0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0)]);
    // (0007,1001) UN of unknown length holds implicit data; (0007,1002) SQ of unknown length holds explicit data.
    const implicit = encodeElement('00080060', el('CS', 'XX'), { explicit: false });
    const un = closed([7, 0, 1, 0x10, 0x55, 0x4e, 0, 0, 0xff, 0xff, 0xff, 0xff], item(implicit));
    const inner = closed(
      [9, 0, 2, 0x10, 0x53, 0x51, 0, 0, 0xff, 0xff, 0xff, 0xff],
      item(encodeElement('00080060', el('CS', 'YY'))),
    );
    const sq = closed([7, 0, 2, 0x10, 0x53, 0x51, 0, 0, 0xff, 0xff, 0xff, 0xff], item(inner));
    const { image } = await convert([...encoded({ before: concat([un, sq]) }), seg]);
    expect(image.data).toEqual(study.phantom.hu);
  });

  it('reads a header of half a megabyte in front of the pixels', async () => {
    const { image } = await convert([...encoded({}, { '00091010': el('OB', new Uint8Array(500_000)) }), seg]);
    expect(image.data).toEqual(study.phantom.hu);
  });

  it('ignores bits above BitsStored and extends the sign below', async () => {
    const raised = ct.map((file) => {
      const words = new Uint16Array(stored(file).slice().buffer);
      return edited(file, { '7FE00010': el('OW', words.map((word, at) => word | ((at % 15) << 12)).buffer) });
    });
    expect((await convert([...raised, seg])).image.data).toEqual(study.phantom.hu);
    const signed = ct.map((file, k) => {
      const hu = study.phantom.hu.slice(k * rows * columns, (k + 1) * rows * columns);
      // 13 bits signed, kept in bits 14 to 2.
      const words = Uint16Array.from(hu, (value) => ((value & 0x1fff) << 2) | 0x8003);
      return edited(file, {
        '00280101': el('US', 13),
        '00280102': el('US', 14),
        '00280103': el('US', 1),
        '00281052': ds(0),
        '7FE00010': el('OW', words.buffer),
      });
    });
    expect((await convert([...signed, seg])).image.data).toEqual(study.phantom.hu);
  });

  it('reads 8-bit and 32-bit pixels, also big-endian', async () => {
    const hu = Int16Array.from(study.phantom.hu, (value) => Math.max(-128, Math.min(127, value)));
    const slice = (k: number) => hu.slice(k * rows * columns, (k + 1) * rows * columns);
    const make = (bits: number, bytes: (k: number) => ArrayBufferLike, vr: string, options: FileOptions) =>
      ct.map((file, k) =>
        edited(
          file,
          {
            '00280100': el('US', bits),
            '00280101': el('US', bits),
            '00280102': el('US', bits - 1),
            '00280103': el('US', 1),
            '00281052': ds(0),
            '7FE00010': el(vr, bytes(k)),
          },
          options,
        ),
      );
    for (const options of [{}, { littleEndian: false }]) {
      const eight = make(8, (k) => Int8Array.from(slice(k)).buffer, 'OW', options);
      expect((await convert([...eight, seg])).image.data).toEqual(hu);
      const long = make(
        32,
        (k) => {
          const view = new DataView(new ArrayBuffer(4 * rows * columns));
          slice(k).forEach((value, at) => view.setInt32(4 * at, value, options.littleEndian ?? true));
          return view.buffer;
        },
        'OB',
        options,
      );
      expect((await convert([...long, seg])).image.data).toEqual(hu);
    }
  });

  it('rescales slice by slice and keeps fractions as 32-bit reals', async () => {
    const files = ct.map((file, k) => edited(file, { '00281053': ds(k === 3 ? 0.5 : 1) }));
    const { image, summary } = await convert([...files, seg]);
    expect(image.data).toBeInstanceOf(Float32Array);
    const at = 3 * rows * columns + 7;
    expect(image.data[at]).toBe((study.phantom.hu[at]! + 1024) * 0.5 - 1024);
    expect(image.data[at - rows * columns]).toBe(study.phantom.hu[at - rows * columns]);
    expect(summary.warnings).toEqual(['RescaleVaries']);
  });

  it('stores whole values beyond 16 bits as reals instead of wrapping them', async () => {
    const files = ct.map((file) => edited(file, { '00281052': ds(40000) }));
    const { image } = await convert([...files, seg]);
    expect(image.data).toBeInstanceOf(Float32Array);
    expect(image.data[5]).toBe(study.phantom.hu[5]! + 1024 + 40000);
  });

  it('warns of a CT without rescale, and keeps MONOCHROME1 as it is', async () => {
    const files = ct.map((file) =>
      edited(file, { '00281052': undefined, '00281053': undefined, '00280004': el('CS', 'MONOCHROME1') }),
    );
    const { image, summary } = await convert([...files, seg]);
    expect(image.data[9]).toBe(study.phantom.hu[9]! + 1024);
    expect(summary.warnings).toEqual(['NoRescale']);
  });

  it('refuses a CT of which some images have no rescale', async () => {
    const files = ct.map((file, k) =>
      k === 3 ? edited(file, { '00281052': undefined, '00281053': undefined, '00281054': undefined }) : file,
    );
    const failure = await failureOf(convert([...files, seg]));
    expect(failure.code).toBe('DamagedDicom');
    expect(failure.message).toContain(`1 of ${ct.length} images`);
  });

  it('keeps padding values and reports them with their sign', async () => {
    const files = ct.map((file, k) => {
      const hu = study.phantom.hu.slice(k * rows * columns, (k + 1) * rows * columns);
      hu[0] = -2000;
      return edited(
        file,
        {
          '00280101': el('US', 16),
          '00280102': el('US', 15),
          '00280103': el('US', 1),
          '00280120': el('US', 63536),
          '00281052': ds(0),
          '7FE00010': el('OW', hu.buffer),
        },
        { explicit: false },
      );
    });
    const { image, document } = await convert([...files, seg]);
    expect(image.data[0]).toBe(-2000);
    expect(document.paddingValue).toBe(-2000);
  });
});

describe('compressed pixel data', () => {
  it.each<[string, string, (bytes: Uint8Array) => Uint8Array]>([
    ['RLE', '1.2.840.10008.1.2.5', rle],
    [
      'JPEG Lossless',
      '1.2.840.10008.1.2.4.70',
      (bytes) =>
        NativeCodecs.encodeJpeg(context(bytes), { lossy: false, predictor: 1, pointTransform: 0 }).getEncodedBuffer()!,
    ],
    [
      'JPEG-LS',
      '1.2.840.10008.1.2.4.80',
      (bytes) => NativeCodecs.encodeJpegLs(context(bytes), { lossy: false }).getEncodedBuffer()!,
    ],
    [
      'JPEG 2000',
      '1.2.840.10008.1.2.4.90',
      (bytes) => NativeCodecs.encodeJpeg2000(context(bytes), { lossy: false }).getEncodedBuffer()!,
    ],
    [
      'High-Throughput JPEG 2000',
      '1.2.840.10008.1.2.4.201',
      (bytes) => NativeCodecs.encodeHtJpeg2000(context(bytes), { lossy: false }).getEncodedBuffer()!,
    ],
    ['Deflated Image Frame', '1.2.840.10008.1.2.8.1', (bytes) => deflateRawSync(bytes)],
  ])('is decoded without a change: %s', async (name, syntax, encode) => {
    const { image, document } = await convert([...compressed(syntax, encode), seg]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(document.transferSyntaxes[0]?.name).toContain(name);
  });

  it('joins the fragments of a single frame', async () => {
    const inParts = (bytes: Uint8Array) => {
      const whole = rle(bytes);
      return [whole.subarray(0, 100), whole.subarray(100, 222), whole.subarray(222)];
    };
    expect((await convert([...compressed('1.2.840.10008.1.2.5', inParts), seg])).image.data).toEqual(study.phantom.hu);
  });

  it('refuses a transfer syntax that cannot be decoded by its name', async () => {
    const failure = await failureOf(convert([...compressed('1.2.840.10008.1.2.4.102', (bytes) => bytes), seg]));
    expect(failure.code).toBe('UnsupportedTransferSyntax');
    expect(failure.message).toContain('1-001.dcm');
  });

  it('refuses a damaged stream instead of writing what came out of it', async () => {
    const noise = (bytes: Uint8Array) =>
      NativeCodecs.encodeJpegLs(context(bytes), { lossy: false }).getEncodedBuffer()!.slice(0, 40);
    const failure = await failureOf(convert([...compressed('1.2.840.10008.1.2.4.80', noise), seg]));
    expect(['DamagedDicom', 'TruncatedPixelData']).toContain(failure.code);
  });

  it('warns when the images were compressed with loss', async () => {
    const { summary } = await convert([...encoded({}, { '00282110': el('CS', '01') }), seg]);
    expect(summary.warnings).toEqual(['LossyCompression']);
  });
});

describe('truncated files', () => {
  const cut = (length: number): DicomFile[] =>
    ct.map((file, k) => (k === 6 ? { ...file, bytes: file.bytes.slice(0, length) } : file));
  const whole = ct[6]!.bytes.length;

  it.each([
    ['one byte of pixels missing', whole - 2],
    ['half of the pixels missing', whole - rows * columns],
    ['all pixels missing', whole - 2 * rows * columns - 12],
    ['half of the header missing', 700],
    ['cut within the file header', 200],
  ])('are refused by name: %s', async (_, length) => {
    const failure = await failureOf(convert([...cut(length), seg]));
    expect(['TruncatedPixelData', 'DamagedDicom']).toContain(failure.code);
    expect(failure.message).toContain('1-007.dcm');
  });

  it('say TruncatedPixelData when pixels are missing, with how many', async () => {
    const failure = await failureOf(convert([...cut(whole - 200), seg]));
    expect(failure.code).toBe('TruncatedPixelData');
    expect(failure.message).toContain(`${2 * rows * columns - 200} of ${2 * rows * columns} bytes`);
  });

  it('are refused when compressed, too', async () => {
    const files = compressed('1.2.840.10008.1.2.5', rle).map((file, k) =>
      k === 2 ? { ...file, bytes: file.bytes.slice(0, -60) } : file,
    );
    expect((await failureOf(convert([...files, seg]))).code).toBe('TruncatedPixelData');
  });

  it('do not matter in a series that is not converted', async () => {
    const other = smallStudy('small', { seriesNumber: 9 }).ct.files[0]!;
    const cutOther = { name: 'pet.dcm', bytes: edited(other, { '00080060': el('CS', 'PT') }).bytes.slice(0, 900) };
    const { image, summary } = await convert([...ct, cutOther, seg]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(summary.warnings).toEqual(['DamagedFiles']);
  });

  it('are the error when the segmentation is the one that is cut', async () => {
    const short = { ...seg, bytes: seg.bytes.slice(0, 3000) };
    expect(await failureOf(convert([...ct, short]))).toMatchObject({
      code: 'TruncatedPixelData',
      message: expect.stringContaining('300-1.dcm') as string,
    });
    const fewBits = { ...seg, bytes: seg.bytes.slice(0, -30) };
    expect((await failureOf(convert([...ct, fewBits]))).code).toBe('TruncatedPixelData');
  });
});
