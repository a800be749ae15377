import { deflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { voxelToLps } from '../../../../src/domain/geometry/affine.js';
import type { Element, ElementMap } from '../../../../src/domain/dicom/dcmjs.js';
import {
  sphereContours,
  structureSet,
  type DicomFile,
  type RoiSpec,
} from '../../../../src/domain/dicom/write/index.js';
import { concat, encapsulate, encodeFile } from '../../../support/dicom/encode.js';
import { convert, failureOf, removeConverted } from '../../../support/dicom/run-convert.js';
import { ds, edited, el, elementsOf, named, smallStudy } from '../../../support/dicom/studies.js';

afterAll(removeConverted);

const study = smallStudy();
const ct = study.ct.files;
const [columns, rows, slices] = study.geometry.size;
const truth = Array.from(study.phantom.tumour);
const maskOf = async (file: DicomFile, params = {}) => Array.from((await convert([...ct, file], params)).mask.data);

/** Items of a sequence, to be changed in place. */
const items = (elements: ElementMap, tag: string): ElementMap[] => elements[tag]!.Value as ElementMap[];

/** The segmentation after a change of its elements. */
function changed(file: DicomFile, change: (elements: ElementMap) => void, options = {}): DicomFile {
  const elements = elementsOf(file);
  change(elements);
  return { ...file, bytes: encodeFile(elements, options) };
}

const box = (from: readonly [number, number, number], to: readonly [number, number, number]): Uint8Array => {
  const mask = new Uint8Array(columns * rows * slices);
  for (let k = from[2]; k < to[2]; k++)
    for (let j = from[1]; j < to[1]; j++) for (let i = from[0]; i < to[0]; i++) mask[i + columns * (j + rows * k)] = 1;
  return mask;
};

describe('a segmentation object becomes a mask on the grid of the CT', () => {
  it.each(['whole', 'sparse', 'cropped'] as const)('from %s frames', async (frames) => {
    expect(await maskOf(study.segmentation({ frames }))).toEqual(truth);
  });

  it('from frames in any order, by position and not by reference', async () => {
    const file = changed(study.segmentation({ frames: 'sparse' }), (elements) => {
      // The references of the frames contradict their positions, as viewers have written.
      const groups = items(elements, '52009230');
      const sources = groups.map((group) => group['00089124']!);
      groups.forEach((group, at) => (group['00089124'] = sources[(at + 2) % sources.length]!));
    });
    expect(await maskOf(file)).toEqual(truth);
  });

  it('from a big-endian file whose bits are kept in words', async () => {
    const file = changed(study.segmentation(), (elements) => (elements['7FE00010']!.vr = 'OW'), {
      littleEndian: false,
    });
    expect(await maskOf(file)).toEqual(truth);
  });

  it('from an object of the first 3D Slicer writer: the segment number in the shared group, an instance named twice', async () => {
    const file = changed(study.segmentation({ frames: 'sparse' }), (elements) => {
      for (const group of items(elements, '52009230')) delete group['0062000A'];
      items(elements, '52009229')[0]!['0062000A'] = el('SQ', { '0062000B': el('US', 1) });
      const list = items(items(elements, '00081115')[0]!, '0008114A');
      list.push(list[0]!);
    });
    const { mask, summary } = await convert([...ct, file]);
    expect(Array.from(mask.data)).toEqual(truth);
    expect(summary.warnings).toEqual(['RepeatedReference']);
  });

  it('from frames without a position, by the image they were drawn on, with a warning', async () => {
    const file = changed(study.segmentation({ frames: 'sparse' }), (elements) => {
      for (const group of items(elements, '52009230')) delete group['00209113'];
    });
    const { mask, summary } = await convert([...ct, file]);
    expect(Array.from(mask.data)).toEqual(truth);
    expect(summary.warnings).toEqual(['FramesWithoutPosition']);
  });

  it('from compressed frames, one byte a pixel or bits packed frame by frame', async () => {
    const plain = study.segmentation();
    for (const packed of [false, true]) {
      const elements = elementsOf(plain);
      delete elements['7FE00010'];
      const frames = Array.from({ length: slices }, (_, k) => {
        const plane = study.phantom.tumour.slice(k * columns * rows, (k + 1) * columns * rows);
        if (!packed) return deflateRawSync(plane);
        const bits = new Uint8Array(Math.ceil(plane.length / 8));
        plane.forEach((value, at) => (bits[at >> 3] = bits[at >> 3]! | (value << (at & 7))));
        return deflateRawSync(bits);
      });
      const head = encodeFile(elements, { transferSyntax: '1.2.840.10008.1.2.8.1' });
      expect(await maskOf({ ...plain, bytes: concat([head, encapsulate(frames)]) })).toEqual(truth);
    }
  });

  it('from fractions, at half of the maximum', async () => {
    const file = changed(study.segmentation(), (elements) => {
      elements['00620001'] = el('CS', 'FRACTIONAL');
      elements['00620010'] = el('CS', 'PROBABILITY');
      elements['0062000E'] = el('US', 200);
      Object.assign(elements, { '00280100': el('US', 8), '00280101': el('US', 8), '00280102': el('US', 7) });
      // Inside the tumour 100 (exactly half) or 200; outside 99 or 0.
      const pixels = Uint8Array.from(study.phantom.tumour, (value, at) =>
        value ? (at % 2 ? 100 : 200) : at % 3 ? 99 : 0,
      );
      elements['7FE00010'] = el('OB', pixels.buffer);
    });
    expect(await maskOf(file)).toEqual(truth);
    const faint = changed(file, (elements) => (elements['0062000E'] = el('US', 255 * 2)));
    const failure = await failureOf(convert([...ct, faint]));
    expect(failure.code).toBe('EmptyMask');
    expect(failure.message).toContain('reaches half of the maximum');
  });

  it('from a label map, where overlaps cannot be and frames name no segment', async () => {
    const core = box([14, 7, 4], [17, 10, 6]);
    const file = changed(
      study.segmentation({
        segments: [
          { label: 'Rim', mask: study.phantom.tumour },
          { label: 'Core', mask: core },
        ],
      }),
      (elements) => {
        elements['00080016'] = el('UI', '1.2.840.10008.5.1.4.1.1.66.7');
        elements['00620001'] = el('CS', 'LABELMAP');
        const kept = items(elements, '52009230').slice(0, slices);
        for (const group of kept) delete group['0062000A'];
        elements['52009230'] = { vr: 'SQ', Value: kept };
        elements['00280008'] = el('IS', String(slices));
        Object.assign(elements, { '00280100': el('US', 16), '00280101': el('US', 16), '00280102': el('US', 15) });
        const labels = Uint16Array.from(study.phantom.tumour, (value, at) => (core[at] ? 2 : value));
        elements['7FE00010'] = el('OW', labels.buffer);
      },
    );
    const { mask, document, segment } = await convert([...ct, file]);
    expect(Array.from(mask.data)).toEqual(truth.map((value, at) => (value || core[at] ? 1 : 0)));
    expect(document.segments.map(({ name, voxelsOut }) => [name, voxelsOut])).toEqual([
      ['Rim', truth.reduce((sum, value, at) => sum + (value && !core[at] ? 1 : 0), 0)],
      ['Core', core.reduce((sum, value) => sum + value, 0)],
    ]);
    expect(Array.from((await segment('segments/Core.nii.gz')).data)).toEqual(Array.from(core));
    // The same without a word of the second label: its pixels are not lost in silence.
    const short = changed(file, (elements) => void items(elements, '00620002').pop());
    const { mask: rim, document: account } = await convert([...ct, short]);
    expect(Array.from(rim.data)).toEqual(truth.map((value, at) => (value && !core[at] ? 1 : 0)));
    expect(account.warnings.map(({ code }) => code)).toEqual(['UnlistedLabels']);
  });

  it('through flipped rows and exchanged axes, by the place of the pixels', async () => {
    // The same voxels, rows from the bottom up and columns and rows exchanged.
    const file = changed(study.segmentation(), (elements) => {
      const shared = items(elements, '52009229')[0]!;
      shared['00209116'] = el('SQ', { '00200037': ds(0, -1, 0, 1, 0, 0) });
      items(elements, '52009230').forEach((group, k) => {
        group['00209113'] = el('SQ', { '00200032': ds(...voxelToLps(study.geometry, [0, rows - 1, k])) });
      });
      elements['00280010'] = el('US', columns);
      elements['00280011'] = el('US', rows);
      const bits = new Uint8Array(Math.ceil((columns * rows * slices) / 8) + 1);
      let bit = 0;
      for (let k = 0; k < slices; k++)
        for (let i = 0; i < columns; i++)
          for (let j = rows - 1; j >= 0; j--, bit++)
            if (study.phantom.tumour[i + columns * (j + rows * k)]) bits[bit >> 3] = bits[bit >> 3]! | (1 << (bit & 7));
      elements['7FE00010'] = el('OB', bits.buffer);
    });
    const { mask, summary } = await convert([...ct, file]);
    expect(Array.from(mask.data)).toEqual(truth);
    expect(summary.warnings).toEqual([]);
  });

  it('on pixels of another size by the nearest one, with a warning', async () => {
    // Half the resolution: pixel (c, r) covers columns 2c and 2c + 1; its centre lies between them.
    const mask = box([8, 6, 3], [14, 10, 6]);
    const file = changed(study.segmentation({ segments: [{ label: 'Box', mask }] }), (elements) => {
      const shared = items(elements, '52009229')[0]!;
      shared['00289110'] = el('SQ', { '00280030': ds(6, 6) });
      items(elements, '52009230').forEach((group, k) => {
        group['00209113'] = el('SQ', { '00200032': ds(...voxelToLps(study.geometry, [0.5, 0.5, k])) });
      });
      elements['00280010'] = el('US', rows / 2);
      elements['00280011'] = el('US', columns / 2);
      const bits = new Uint8Array(Math.ceil((columns * rows * slices) / 32) + 2);
      let bit = 0;
      for (let k = 0; k < slices; k++)
        for (let r = 0; r < rows / 2; r++)
          for (let c = 0; c < columns / 2; c++, bit++)
            if (mask[2 * c + columns * (2 * r + rows * k)]) bits[bit >> 3] = bits[bit >> 3]! | (1 << (bit & 7));
      elements['7FE00010'] = el('OB', bits.buffer.slice(0, bits.length + (bits.length % 2)));
    });
    const result = await convert([...ct, file]);
    expect(result.summary.warnings).toEqual(['SegmentResampled']);
    expect(Array.from(result.mask.data)).toEqual(Array.from(mask));
  });

  it.each([
    [0.05, []],
    [0.2, ['FramesOffSlice']],
  ])('takes the nearest slice of frames that lie %s spacings off', async (fraction, warnings) => {
    const file = changed(study.segmentation({ frames: 'sparse' }), (elements) => {
      for (const group of items(elements, '52009230')) {
        const place = items(group, '00209113')[0]!;
        const [x, y, z] = place['00200032']!.Value as number[];
        place['00200032'] = ds(x!, y!, z! + fraction * 5);
      }
    });
    const { mask, summary } = await convert([...ct, file]);
    expect(Array.from(mask.data)).toEqual(truth);
    expect(summary.warnings).toEqual(warnings);
  });

  it.each([
    ['between two slices', [0, 0, 2.4]],
    ['beyond the last slice', [0, 0, 200]],
    ['beside the image', [60, 0, 0]],
  ])('refuses frames that lie %s', async (_, shift) => {
    const file = changed(study.segmentation({ frames: 'sparse' }), (elements) => {
      for (const group of items(elements, '52009230')) {
        const place = items(group, '00209113')[0]!;
        place['00200032'] = ds(...(place['00200032']!.Value as number[]).map((value, axis) => value + shift[axis]!));
      }
    });
    expect((await failureOf(convert([...ct, file]))).code).toBe('FrameOffGrid');
  });

  it('ignores empty frames that lie nowhere', async () => {
    const file = changed(study.segmentation(), (elements) => {
      items(items(elements, '52009230')[0]!, '00209113')[0]!['00200032'] = ds(0, 0, 999);
    });
    expect(await maskOf(file)).toEqual(truth);
  });

  it('refuses a segmentation in planes across the slices', async () => {
    const file = changed(study.segmentation({ frames: 'sparse' }), (elements) => {
      items(elements, '52009229')[0]!['00209116'] = el('SQ', { '00200037': ds(1, 0, 0, 0, 0, 1) });
    });
    const failure = await failureOf(convert([...ct, file]));
    expect(failure).toMatchObject({ code: 'FrameOffGrid', message: expect.stringContaining('not parallel') as string });
  });

  it('refuses an object whose number of frames is not that of its groups', async () => {
    for (const frames of [undefined, el('IS', '2')]) {
      const file = changed(study.segmentation({ frames: 'sparse' }), (elements) => {
        if (frames === undefined) delete elements['00280008'];
        else elements['00280008'] = frames;
      });
      const failure = await failureOf(convert([...ct, file]));
      expect(failure.code).toBe('DamagedDicom');
      expect(failure.message).toMatch(/[12] frames but geometry for \d/);
    }
  });

  it('refuses an empty segmentation', async () => {
    const file = study.segmentation({ segments: [{ label: 'Nothing', mask: new Uint8Array(truth.length) }] });
    expect((await failureOf(convert([...ct, file]))).code).toBe('EmptyMask');
  });

  it('refuses segments packed into the bits of a byte', async () => {
    const file = changed(study.segmentation(), (elements) => {
      Object.assign(elements, { '00280100': el('US', 8), '00280101': el('US', 8), '00280102': el('US', 7) });
      elements['7FE00010'] = el(
        'OB',
        Uint8Array.from(study.phantom.tumour, (value, at) => value * (1 + (at % 5))).buffer,
      );
    });
    expect((await failureOf(convert([...ct, file]))).code).toBe('SegNotReadable');
  });
});

describe('several segments', () => {
  const core = box([14, 7, 4], [17, 10, 6]);
  const far = box([1, 1, 0], [3, 3, 2]);
  const segments = [
    { label: 'Tumor core', mask: core },
    { label: 'Whole tumor', mask: study.phantom.tumour },
    { label: 'Node/left: 1', mask: far },
  ];
  const file = study.segmentation({ segments, frames: 'sparse' });
  const union = (...masks: readonly Uint8Array[]) => truth.map((_, at) => (masks.some((mask) => mask[at]) ? 1 : 0));

  it('make a union, and a file each under a safe name', async () => {
    const { mask, document, summary, segment } = await convert([...ct, file]);
    expect(Array.from(mask.data)).toEqual(union(core, study.phantom.tumour, far));
    expect(document.segments.map((one) => one.file)).toEqual([
      'segments/Tumor-core.nii.gz',
      'segments/Whole-tumor.nii.gz',
      'segments/Node-left-1.nii.gz',
    ]);
    for (const { voxelsIn, voxelsOut } of document.segments) expect(voxelsIn).toBe(voxelsOut);
    expect(Array.from((await segment('segments/Node-left-1.nii.gz')).data)).toEqual(Array.from(far));
    expect(summary).toMatchObject({ segments: 3, warnings: ['SegmentOverlap'] });
    expect(summary.roiVoxels).toBe(union(core, study.phantom.tumour, far).filter(Boolean).length);
  });

  it('have names in the character set of the file', async () => {
    const file = study.segmentation({ segments: [{ label: 'Xxxxxx', mask: study.phantom.tumour }] });
    const bytes = Buffer.from(changed(file, (elements) => (elements['00080005'] = el('CS', 'ISO_IR 192'))).bytes);
    const label = Buffer.from('腫瘍');
    label.copy(bytes, bytes.indexOf('Xxxxxx'));
    const { document } = await convert([...ct, { ...file, bytes }], { roi: '腫瘍' });
    expect(document.segments.map(({ name }) => name)).toEqual(['腫瘍']);
  });

  it.each([
    ['whole TUMOR', [study.phantom.tumour]],
    ['*tumor', [study.phantom.tumour]],
    ['tumor', [core, study.phantom.tumour]],
    ['^node|core', [core, far]],
  ])('are chosen by --roi %s', async (roi, masks) => {
    expect(await maskOf(file, { roi })).toEqual(union(...masks));
  });

  it('are listed when none matches', async () => {
    const failure = await failureOf(convert([...ct, file], { roi: 'liver' }));
    expect(failure.code).toBe('RoiNotFound');
    expect(failure.message).toContain('"Whole tumor"');
  });
});

describe('contours become a mask', () => {
  const contours = sphereContours(study.geometry, [12, -3, 2], 11);
  type Contours = RoiSpec['contours'];
  const file = (rois: readonly RoiSpec[]): DicomFile => structureSet({ of: study.ct.reference, rois });
  const gtv: RoiSpec = { name: 'GTV-1', contours };
  const big: RoiSpec = { name: 'Lung', contours: sphereContours(study.geometry, [0, 0, 0], 20), type: 'ORGAN' };

  /** Independent truth: the winding of each pixel centre within the polygons of its slice. */
  const inside = (roi: RoiSpec): number[] =>
    truth.map((_, at) => {
      const [i, j, k] = [at % columns, Math.floor(at / columns) % rows, Math.floor(at / (columns * rows))];
      const [x, y] = voxelToLps(study.geometry, [i, j, k]);
      let parity = 0;
      for (const contour of roi.contours.filter((one) => one.k === k)) {
        let winding = 0;
        contour.points.forEach(([x1, y1], corner) => {
          const [x2, y2] = contour.points[(corner + 1) % contour.points.length]!;
          winding += Math.atan2((x1 - x) * (y2 - y) - (x2 - x) * (y1 - y), (x1 - x) * (x2 - x) + (y1 - y) * (y2 - y));
        });
        parity ^= Math.round(winding / (2 * Math.PI)) & 1;
      }
      return parity;
    });

  it('by pixel centres, equal to an independent test of every voxel', async () => {
    const wanted = inside(gtv);
    expect(wanted.filter(Boolean).length).toBeGreaterThan(50);
    expect(await maskOf(file([gtv]))).toEqual(wanted);
  });

  it('with holes and islands in holes by exclusive or', async () => {
    const rings = {
      name: 'GTV',
      contours: [14, 9, 4].flatMap((radius) => sphereContours(study.geometry, [0.3, 0.2, 2], radius)),
    };
    expect(await maskOf(file([rings]))).toEqual(inside(rings));
  });

  it('takes the tumour among other regions, or the one asked for', async () => {
    const rois = [{ ...big, name: 'BODY', type: 'EXTERNAL' }, big, gtv, { ...big, name: 'Lung minus GTV' }];
    expect(await maskOf(file(rois))).toEqual(inside(gtv));
    expect(await maskOf(file(rois), { roi: 'lung' })).toEqual(inside(big));
  });

  it('takes the only region that is not the outline of the patient', async () => {
    const rois = [
      { ...big, name: 'External' },
      { ...gtv, name: 'Structure1' },
    ];
    expect(await maskOf(file(rois))).toEqual(inside(gtv));
  });

  it('refuses to guess among regions none of which is called a tumour', async () => {
    const failure = await failureOf(convert([...ct, file([big, { ...gtv, name: 'Heart' }])]));
    expect(failure.code).toBe('RoiAmbiguous');
    expect(failure.message).toContain('"Lung", "Heart"');
  });

  it('leaves out points, lines and contours above the image, and says so', async () => {
    const withRest = changed(file([gtv]), (elements) => {
      const list = items(items(elements, '30060039')[0]!, '30060040');
      const point: Element = ds(1, 2, 3);
      list.push({ '30060042': el('CS', 'POINT'), '30060046': el('IS', '1'), '30060050': point });
      list.push({
        '30060042': el('CS', 'CLOSED_PLANAR'),
        '30060046': el('IS', '3'),
        '30060050': ds(0, 0, 500, 9, 0, 500, 0, 9, 500),
      });
    });
    const { mask, summary } = await convert([...ct, withRest]);
    expect(Array.from(mask.data)).toEqual(inside(gtv));
    expect([...summary.warnings].sort()).toEqual(['ContoursOutside', 'OpenContours']);
  });

  it('survives a contour of no area', async () => {
    const sliver = {
      k: 3,
      points: [
        voxelToLps(study.geometry, [4.2, 5.3, 3]),
        voxelToLps(study.geometry, [4.3, 5.3, 3]),
        voxelToLps(study.geometry, [4.25, 5.35, 3]),
      ],
    };
    expect(await maskOf(file([{ name: 'GTV', contours: [...contours, sliver] }]))).toEqual(inside(gtv));
  });

  it('drawn on thinner slices than the image has, by the plane nearest to each slice', async () => {
    // Planes every third of a slice, with a hole each: three planes of one slice must not cancel each other.
    const rings = [14, 6].flatMap((radius) => sphereContours(study.geometry, [0.3, 0.2, 2], radius));
    const raised = (thirds: number): Contours =>
      rings.map(({ k, points }) => ({ k, points: points.map(([x, y, z]) => [x, y, z + (5 * thirds) / 3] as const) }));
    const { mask, document } = await convert([
      ...ct,
      file([{ name: 'GTV', contours: [...raised(-1), ...rings, ...raised(1)] }]),
    ]);
    expect(Array.from(mask.data)).toEqual(inside({ name: 'GTV', contours: rings }));
    expect(document.segments[0]!.voxelsOut).toBeGreaterThan(50);
    expect(document.warnings.map(({ code }) => code)).toEqual(['ContoursBetweenSlices']);
  });

  it('between slices without a nearer plane, by the nearest slice', async () => {
    // Two lesions, one of them drawn on planes of its own: both stay.
    const own = sphereContours(study.geometry, [-20, 10, 2], 7);
    const shifted = own.map(({ k, points }) => ({ k, points: points.map(([x, y, z]) => [x, y, z + 1.5] as const) }));
    const { mask, summary } = await convert([...ct, file([{ name: 'GTV', contours: [...contours, ...shifted] }])]);
    expect(Array.from(mask.data)).toEqual(inside({ name: 'GTV', contours: [...contours, ...own] }));
    expect(summary.warnings).toEqual(['ContoursOffSlice']);
  });

  it('takes contours that are listed twice once, and says so', async () => {
    const { mask, summary } = await convert([...ct, file([{ name: 'GTV', contours: [...contours, ...contours] }])]);
    expect(Array.from(mask.data)).toEqual(inside(gtv));
    expect(summary.warnings).toEqual(['RepeatedContours']);
  });

  it('says when contours reach beyond the edge of the image, and refuses those that lie beside it', async () => {
    const at = (x: number): DicomFile =>
      file([{ name: 'GTV', contours: sphereContours(study.geometry, [x, -3, 2], 11) }]);
    const { summary } = await convert([...ct, at(-34)]);
    expect(summary.roiVoxels).toBeGreaterThan(10);
    expect(summary.warnings).toEqual(['ContoursClipped']);
    const failure = await failureOf(convert([...ct, at(-300)]));
    expect(failure.code).toBe('FrameOffGrid');
    expect(failure.message).toContain('beside the image');
  });

  it('says why nothing is enclosed', async () => {
    const open = changed(file([gtv]), (elements) => {
      for (const contour of items(items(elements, '30060039')[0]!, '30060040'))
        contour['30060042'] = el('CS', 'OPEN_PLANAR');
    });
    const failure = await failureOf(convert([...ct, open]));
    expect(failure.code).toBe('EmptyMask');
    expect(failure.message).toMatch(/point\(s\) or open line\(s\) of "GTV-1" enclose nothing/);
  });

  it('refuses contours whose coordinates are not numbers in threes', async () => {
    const broken = changed(file([gtv]), (elements) => {
      items(items(elements, '30060039')[0]!, '30060040')[0]!['30060050'] = ds(1, 2, 3, 4);
    });
    expect((await failureOf(convert([...ct, broken]))).code).toBe('DamagedDicom');
  });

  it('refuses contours that all lie above the image', async () => {
    const above = sphereContours(study.geometry, [12, -3, 2], 11).map(({ k, points }) => ({
      k,
      points: points.map(([x, y, z]) => [x, y, z + 400] as const),
    }));
    expect((await failureOf(convert([...ct, file([{ name: 'GTV', contours: above }])]))).code).toBe('FrameOffGrid');
  });
});

describe('which segmentation and which images', () => {
  const seg = study.segmentation();
  const other = smallStudy('another');

  it('passes over everything else in the folder, at any depth', async () => {
    const pet = smallStudy('small', { seriesNumber: 7 }).ct.files.map((file, k) =>
      named(
        edited(file, {
          '00080060': el('CS', 'PT'),
          '00080016': el('UI', '1.2.840.10008.5.1.4.1.1.128'),
          '0020000E': el('UI', '2.25.5'),
          '00080018': el('UI', `2.25.6${k}`),
        }),
        `pet/${k}.dcm`,
      ),
    );
    const report = named(
      edited(ct[0]!, {
        '00080016': el('UI', '1.2.840.10008.5.1.4.1.1.88.11'),
        '00080060': el('CS', 'SR'),
        '0020000E': el('UI', '2.25.8'),
        '00080018': el('UI', '2.25.9'),
        '00280010': undefined,
        '00280011': undefined,
        '7FE00010': undefined,
        '00200032': undefined,
      }),
      'sr/1.dcm',
    );
    const bytes = (text: string) => new TextEncoder().encode(text);
    const { image, mask, document } = await convert([
      ...ct.map((file) => named(file, `deep/er/${file.name}`)),
      ...pet,
      report,
      named(seg, 'x/seg.dcm'),
      { name: 'README.txt', bytes: bytes('hello, this is not DICOM') },
      { name: 'empty.dcm', bytes: new Uint8Array(0) },
      { name: 'deep/._1-001.dcm', bytes: bytes('\0\x05\x16\x07 resource fork') },
      { name: 'tiny', bytes: bytes('ab') },
    ]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(Array.from(mask.data)).toEqual(truth);
    expect(document.files).toEqual({ seen: 26, notDicom: 3, empty: 1, copies: 0 });
  });

  it('refuses a folder without DICOM, without images, without a segmentation', async () => {
    expect((await failureOf(convert([]))).code).toBe('NoDicom');
    expect(
      (await failureOf(convert([{ name: 'a.txt', bytes: new TextEncoder().encode('nothing here to see') }]))).code,
    ).toBe('NoDicom');
    expect((await failureOf(convert([seg]))).code).toBe('NoImageSeries');
    expect((await failureOf(convert([...ct]))).code).toBe('SegNotFound');
  });

  it('refuses a segmentation of another CT, whatever makes it another one', async () => {
    const uid = study.ct.reference.seriesInstanceUid;
    const list = items(elementsOf(seg), '00081115')[0]!['0008114A']!;
    const absent = edited(seg, {
      '00081115': el('SQ', {
        '0020000E': el('UI', '2.25.1'),
        '0008114A': el('SQ', { '00081155': el('UI', '2.25.2') }),
      }),
      '52009230': el(
        'SQ',
        ...items(elementsOf(seg), '52009230').map((group) => ({
          '00209113': group['00209113']!,
          '0062000A': group['0062000A']!,
        })),
      ),
    });
    expect((await failureOf(convert([...ct, absent]))).code).toBe('SegReferencesOtherSeries');
    expect((await failureOf(convert([...ct, other.segmentation()]))).code).toBe('SegReferencesOtherSeries');
    const frame = edited(seg, {
      '00200052': el('UI', '2.25.3'),
      '00081115': el('SQ', { '0020000E': el('UI', uid), '0008114A': list }),
    });
    const failure = await failureOf(convert([...ct, frame]));
    expect(failure.code).toBe('SegReferencesOtherSeries');
    expect(failure.message).toContain('frame of reference');
    expect(failure.message).not.toMatch(/2\.25\.\d/);
  });

  it('leaves out the segmentation of another CT when one fits', async () => {
    const { mask, summary } = await convert([...ct, seg, other.segmentation({ seriesNumber: 301 })]);
    expect(Array.from(mask.data)).toEqual(truth);
    expect(summary.warnings).toEqual(['SegmentationIgnored']);
  });

  it('refuses several that fit, and lets --roi or --series decide', async () => {
    const second = study.segmentation({
      segments: [{ label: 'Node', mask: box([1, 1, 0], [3, 3, 2]) }],
      seriesNumber: 301,
      seriesDescription: 'reader 2',
    });
    const files = [...ct, seg, second];
    const failure = await failureOf(convert(files));
    expect(failure.code).toBe('SegAmbiguous');
    expect(failure.message).toContain('reader 2');
    expect(Array.from((await convert(files, { roi: 'neoplasm' })).mask.data)).toEqual(truth);
    for (const series of [
      'reader 2',
      '301',
      '*2',
      second.name === '' ? '' : (elementsOf(second)['0020000E']!.Value[0] as string),
    ]) {
      expect((await convert(files, { series })).summary.roiVoxels).toBe(8);
    }
    expect((await failureOf(convert(files, { series: 'reader 3' }))).code).toBe('SeriesNotFound');
  });

  it('prefers a SEG to contours with a warning, and takes the contours when asked', async () => {
    const contours = structureSet({
      of: study.ct.reference,
      rois: [{ name: 'GTV', contours: sphereContours(study.geometry, [12, -3, 2], 6) }],
      seriesDescription: 'contours',
    });
    const both = await convert([...ct, seg, contours]);
    expect(Array.from(both.mask.data)).toEqual(truth);
    expect(both.summary.warnings).toEqual(['StructureSetIgnored']);
    const asked = await convert([...ct, seg, contours], { series: 'contours' });
    expect(asked.summary.roiVoxels).toBeLessThan(both.summary.roiVoxels);
    expect(asked.summary.warnings).toEqual([]);
  });

  it('takes the CT that the segmentation refers to among several', async () => {
    const twin = smallStudy('small', { seriesNumber: 2 });
    const { image } = await convert([
      ...twin.ct.files.map((file, k) => edited(file, { '00281052': ds(k) })),
      ...ct,
      seg,
    ]);
    expect(image.data).toEqual(study.phantom.hu);
  });

  it('takes the series of the same frame of reference when the segmentation names none, and refuses two', async () => {
    const vague = edited(seg, {
      '00081115': undefined,
      '52009230': el(
        'SQ',
        ...items(elementsOf(seg), '52009230').map((group) => ({
          '00209113': group['00209113']!,
          '0062000A': group['0062000A']!,
        })),
      ),
    });
    const { mask, summary } = await convert([...ct, vague]);
    expect(Array.from(mask.data)).toEqual(truth);
    expect(summary.warnings).toEqual(['SegWithoutReference']);
    const twin = smallStudy('small', { seriesNumber: 2 });
    expect((await failureOf(convert([...ct, ...twin.ct.files, vague]))).code).toBe('AmbiguousSeries');
    expect((await convert([...ct, ...twin.ct.files, vague], { series: '1' })).image.data).toEqual(study.phantom.hu);
  });

  it('accepts re-exported images whose series and frame of reference agree, with a warning', async () => {
    const renamed = ct.map((file, k) => edited(file, { '00080018': el('UI', `2.25.5${k}`) }));
    const { mask, summary } = await convert([...renamed, seg]);
    expect(Array.from(mask.data)).toEqual(truth);
    expect(summary.warnings).toEqual(['ReferencedImagesMissing']);
  });

  it('warns when an image that the segmentation names is absent at the end of the stack', async () => {
    const { summary } = await convert([...ct.slice(0, -1), seg]);
    expect(summary.warnings).toEqual(['ReferencedImagesMissing']);
  });

  it('refuses several studies in one folder, and lets --series choose', async () => {
    const files = [
      ...ct,
      seg,
      ...other.ct.files.map((file) => named(file, `b/${file.name}`)),
      named(other.segmentation(), 'b/seg.dcm'),
    ];
    const failure = await failureOf(convert(files));
    expect(failure.code).toBe('SeveralStudies');
    expect(failure.message).toMatch(/study 1: .*study 2: /);
    const chosen = await convert(files, { series: study.ct.reference.seriesInstanceUid });
    expect(chosen.image.data).toEqual(study.phantom.hu);
  });

  it('refuses a screen capture as the only image', async () => {
    const capture = ct.map((file) =>
      edited(file, { '00080016': el('UI', '1.2.840.10008.5.1.4.1.1.7'), '00200032': undefined, '00200037': undefined }),
    );
    expect((await failureOf(convert([...capture, seg]))).code).toBe('NoImageSeries');
  });

  it('drops a colour picture that was saved into the series', async () => {
    const picture = named(
      edited(ct[0]!, {
        '00080018': el('UI', '2.25.99'),
        '00080016': el('UI', '1.2.840.10008.5.1.4.1.1.7'),
        '00280002': el('US', 3),
        '00200032': undefined,
      }),
      'dose.dcm',
    );
    const { image, document } = await convert([...ct, picture, seg]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(document.slices.dropped).toEqual([
      { file: expect.stringContaining('dose.dcm') as string, reason: 'colour picture' },
    ]);
  });
});
