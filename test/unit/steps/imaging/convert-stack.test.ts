import { afterAll, describe, expect, it } from 'vitest';
import { voxelToLps } from '../../../../src/domain/geometry/affine.js';
import { axialGeometry, type DicomFile } from '../../../../src/domain/dicom/write/index.js';
import type { Geometry, Vec3 } from '../../../../src/domain/geometry/volume.js';
import { convert, failureOf, removeConverted } from '../../../support/dicom/run-convert.js';
import { ds, edited, el, named, smallStudy, type Edits } from '../../../support/dicom/studies.js';

afterAll(removeConverted);

const study = smallStudy();
const seg = study.segmentation();
const ct = study.ct.files;
const position = (k: number, shift: Vec3 = [0, 0, 0]) => {
  const point = voxelToLps(study.geometry, [0, 0, k]);
  return ds(...point.map((value, axis) => Number((value + shift[axis]!).toFixed(6))));
};
/** The segmentation, its frames naming nothing, the whole of it the given images. */
const naming = (uids: readonly string[]): DicomFile =>
  edited(seg, {
    '00081115': el('SQ', {
      '0020000E': el('UI', study.ct.reference.seriesInstanceUid),
      '0008114A': el('SQ', ...uids.map((uid) => ({ '00081155': el('UI', uid) }))),
    }),
    '52009230': el(
      'SQ',
      ...ct.map((_, k) => ({
        '00209113': el('SQ', { '00200032': position(k) }),
        '0062000A': el('SQ', { '0062000B': el('US', 1) }),
      })),
    ),
  });
const each = (edit: (k: number) => Edits): DicomFile[] => ct.map((file, k) => edited(file, edit(k)));

describe('a CT series becomes a volume', () => {
  it('keeps every HU, the array order of DICOM and the place of every slice corner', async () => {
    const { image, mask, summary } = await convert([...ct, seg]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(image.data).toBeInstanceOf(Int16Array);
    expect(Array.from(mask.data)).toEqual(Array.from(study.phantom.tumour));
    expect(summary.warnings).toEqual([]);
    for (let k = 0; k < study.geometry.size[2]; k++) {
      const [found, wanted] = [voxelToLps(image.geometry, [0, 0, k]), voxelToLps(study.geometry, [0, 0, k])];
      wanted.forEach((value, axis) => expect(found[axis]).toBeCloseTo(value, 4));
    }
  });

  it('gives equal bytes for equal input', async () => {
    const [first, second] = [await convert([...ct, seg]), await convert([...ct, seg])];
    expect(first.bytes.image).toEqual(second.bytes.image);
    expect(first.bytes.mask).toEqual(second.bytes.mask);
    expect(first.document).toEqual(second.document);
  });

  it('sorts by position only, whatever file names and InstanceNumber say', async () => {
    const shuffled = ct.map((file, k) =>
      named(edited(file, { '00200013': el('IS', String((k * 7) % 10)) }), `${(k * 3) % 10}.dcm`),
    );
    const { image } = await convert([...shuffled, seg]);
    expect(image.data).toEqual(study.phantom.hu);
  });

  it('handles an oblique, left-handed-looking stack stored from the top down', async () => {
    const c = Math.cos(0.3);
    const s = Math.sin(0.3);
    const geometry: Geometry = {
      ...axialGeometry([14, 12, 6], [2, 2.5, 4]),
      origin: [10, -20, 55],
      directions: [
        [c, s, 0],
        [0, 0, -1],
        [-s, c, 0],
      ],
    };
    const oblique = smallStudy('oblique', { geometry });
    const mask = new Uint8Array(14 * 12 * 6).fill(1, 100, 300);
    const file = oblique.segmentation({ segments: [{ label: 'x', mask }], frames: 'cropped' });
    const { image, mask: found } = await convert([...[...oblique.ct.files].reverse(), file]);
    expect(image.data).toEqual(oblique.phantom.hu);
    expect(Array.from(found.data)).toEqual(Array.from(mask));
    geometry.directions.forEach((direction, axis) =>
      direction.forEach((value, part) => expect(image.geometry.directions[axis as 0][part as 0]).toBeCloseTo(value, 5)),
    );
  });

  it('drops files that hold the same object twice', async () => {
    const { image, document } = await convert([...ct, named(ct[3]!, 'again/copy.dcm'), seg]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(document.files['copies']).toBe(1);
  });

  it('drops an image that repeats another one at the same position', async () => {
    const twin = named(edited(ct[3]!, { '00080018': el('UI', '2.25.77') }), 'twin.dcm');
    const { image, document, summary } = await convert([...ct, twin, seg]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(summary.warnings).toEqual(['CopiesDropped']);
    expect(document.slices.dropped).toHaveLength(1);
  });

  it('refuses different images at one position when nothing tells them apart', async () => {
    const twin = named(edited(ct[3]!, { '00080018': el('UI', '2.25.77'), '00281052': ds(-1000) }), 'twin.dcm');
    expect(await failureOf(convert([...ct, twin, naming([])]))).toMatchObject({ code: 'DuplicatePosition' });
  });

  it('refuses a series with a missing slice, and says where and how large the gap is', async () => {
    const failure = await failureOf(convert([...ct.filter((_, k) => k !== 4), seg]));
    expect(failure.code).toBe('MissingSlice');
    expect(failure.message).toContain('after slice 4 of 9 is 10 mm');
  });

  it('counts several missing slices', async () => {
    const failure = await failureOf(convert([...ct.filter((_, k) => k !== 2 && k !== 3 && k !== 6), seg]));
    expect(failure).toMatchObject({
      code: 'MissingSlice',
      message: expect.stringContaining('3 slice(s) missing') as string,
    });
  });

  it('refuses slices whose spacing changes', async () => {
    const files = each((k) => ({ '00200032': position(k, [0, 0, k > 5 ? (k - 5) * 2.5 : 0]) }));
    const failure = await failureOf(convert([...files, seg]));
    expect(failure.code).toBe('NonUniformSpacing');
    expect(failure.message).toMatch(/from 5 mm to 7\.5 mm/);
  });

  it('refuses a spacing that drifts although no gap alone is far off', async () => {
    const long = smallStudy('long', { geometry: axialGeometry([8, 8, 60], [3, 3, 5]) });
    const start = long.geometry.origin[2];
    const files = long.ct.files.map((file, k) =>
      edited(file, {
        '00200032': ds(
          long.geometry.origin[0],
          long.geometry.origin[1],
          start + 5 * k + (k > 30 ? (k - 30) * 0.19 : 0),
        ),
      }),
    );
    expect((await failureOf(convert([...files, long.segmentation()]))).code).toBe('NonUniformSpacing');
  });

  it('keeps quiet about jitter of micrometres and warns of jitter of a few percent', async () => {
    const jitter = (size: number) => each((k) => ({ '00200032': position(k, [0, 0, k % 2 === 0 ? size : -size]) }));
    expect((await convert([...jitter(0.004), seg])).summary.warnings).toEqual([]);
    const { summary, document } = await convert([...jitter(0.06), seg]);
    expect(summary.warnings).toEqual(['UnevenSpacing']);
    expect(document.gaps['worstDeviationMm']).toBeGreaterThan(0.05);
  });

  it('refuses a tilted gantry with the angle', async () => {
    const files = each((k) => ({ '00200032': position(k, [0, 5 * k * Math.tan((14 * Math.PI) / 180), 0]) }));
    const failure = await failureOf(convert([...files, seg]));
    expect(failure.code).toBe('GantryTilt');
    expect(failure.message).toContain('14°');
  });

  it('refuses one slice that is shifted sideways', async () => {
    const files = each((k) => ({ '00200032': position(k, [k === 4 ? 20 : 0, 0, 0]) }));
    expect((await failureOf(convert([...files, seg]))).code).toBe('MixedGeometry');
  });

  it('ignores wrong SliceThickness and SpacingBetweenSlices', async () => {
    const { image } = await convert([...each(() => ({ '00180050': ds(99), '00180088': ds(0) })), seg]);
    expect(image.geometry.spacing[2]).toBeCloseTo(5, 5);
  });

  it('leaves out a localizer and a lone sagittal image, and says so', async () => {
    const localizer = named(
      edited(ct[0]!, {
        '00080018': el('UI', '2.25.81'),
        '00080008': el('CS', 'ORIGINAL', 'PRIMARY', 'LOCALIZER'),
        '00200037': ds(0, 1, 0, 0, 0, -1),
      }),
      'localizer.dcm',
    );
    const sagittal = named(
      edited(ct[1]!, { '00080018': el('UI', '2.25.82'), '00200037': ds(0, 1, 0, 0, 0, -1) }),
      'sagittal.dcm',
    );
    const { image, document, summary } = await convert([localizer, sagittal, ...ct, seg]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(document.slices.dropped.map(({ reason }) => reason).sort()).toEqual([
      'localizer',
      'other size, spacing or orientation than the segmented slices',
    ]);
    expect(summary.warnings).toEqual(['ImagesLeftOut']);
  });

  it('refuses a slice of the stack with another pixel spacing instead of dropping it', async () => {
    const files = each((k) => (k === 9 ? { '00280030': ds(2.5, 2.5) } : {}));
    const failure = await failureOf(convert([...files, seg]));
    expect(failure.code).toBe('MixedGeometry');
  });

  it('takes the acquisition that the segmentation refers to', async () => {
    const second = ct.map((file, k) =>
      named(
        edited(file, { '00080018': el('UI', `2.25.9${k}`), '00200012': el('IS', '2'), '00281052': ds(-1000) }),
        `late-${k}.dcm`,
      ),
    );
    const { image, summary, document } = await convert([...ct, ...second, seg]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(summary.warnings).toEqual(['OneOfSeveralVolumes']);
    expect(document.slices.dropped).toHaveLength(10);
  });

  it('refuses two acquisitions when the segmentation does not choose', async () => {
    const second = ct.map((file, k) =>
      named(
        edited(file, {
          '00080018': el('UI', `2.25.9${k}`),
          '00200012': el('IS', '2'),
          '00200032': position(k, [0, 0, 2.3]),
        }),
        `late-${k}.dcm`,
      ),
    );
    const failure = await failureOf(convert([...ct, ...second, naming([])]));
    expect(failure.code).toBe('AmbiguousSeries');
    expect(failure.message).toContain('10 slices, 10 slices');
  });

  it('takes the images that the segmentation names where nothing else tells them apart', async () => {
    const twins = ct.map((file, k) =>
      named(edited(file, { '00080018': el('UI', `2.25.77${k}`), '00281052': ds(-1000) }), `twin-${k}.dcm`),
    );
    const { image, summary, document } = await convert([...twins, ...ct, seg]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(summary.warnings).toEqual(['OneOfSeveralVolumes']);
    expect(document.slices.dropped).toHaveLength(10);
    expect((await convert([...twins, ...ct, naming(study.ct.reference.sopInstanceUids)])).image.data).toEqual(
      study.phantom.hu,
    );
    // Only the segmented slices are named: to take those would cut the volume.
    const some = naming(study.ct.reference.sopInstanceUids.slice(3, 8));
    expect((await failureOf(convert([...twins, ...ct, some]))).code).toBe('DuplicatePosition');
  });

  it('keeps a scan together whose AcquisitionNumber counts on with every slice', async () => {
    const { image } = await convert([...each((k) => ({ '00200012': el('IS', String(k + 1)) })), seg]);
    expect(image.data).toEqual(study.phantom.hu);
  });

  it('takes the scan of which the segmentation names every image, not the one further down in the series', async () => {
    const below = ct.map((file, k) =>
      named(
        edited(file, {
          '00080018': el('UI', `2.25.66${k}`),
          '00200012': el('IS', '2'),
          '00200032': position(k, [0, 0, -300]),
        }),
        `below-${k}.dcm`,
      ),
    );
    const { image, summary } = await convert([...below, ...ct, seg]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(summary.warnings).toEqual(['OneOfSeveralVolumes']);
    // Named in part only: the rest may belong to the same volume.
    const some = naming(study.ct.reference.sopInstanceUids.slice(3, 8));
    expect((await failureOf(convert([...below, ...ct, some]))).code).toBe('MissingSlice');
  });

  it('does not take half of a scan when a slice between two acquisitions is missing', async () => {
    const files = each((k) => ({ '00200012': el('IS', k < 5 ? '1' : '2') })).filter((_, k) => k !== 5);
    expect((await failureOf(convert([...files, seg]))).code).toBe('MissingSlice');
  });

  it('refuses an image without rows instead of leaving it out, and tells of DICOM files that are none', async () => {
    const end = ct.length - 1;
    const failure = await failureOf(convert([...each((k) => (k === end ? { '00280010': undefined } : {})), seg]));
    expect(failure.code).toBe('DamagedDicom');
    expect(failure.message).toContain('Rows × Columns');
    const page = { name: 'last.dcm', bytes: new TextEncoder().encode('<html>404 Not Found</html>') };
    const { summary } = await convert([...ct.slice(0, end), page, seg]);
    expect(summary.warnings).toEqual(['NotDicomFiles', 'ReferencedImagesMissing']);
  });

  it('refuses a single slice', async () => {
    expect((await failureOf(convert([ct[4]!, seg]))).code).toBe('NotAVolume');
  });

  it.each([
    ['zero spacing', { '00280030': ds(0, 3) }],
    ['negative spacing', { '00280030': ds(-3, 3) }],
    ['a spacing that is no number', { '00280030': ds('x', 3) }],
    ['an infinite spacing', { '00280030': ds('1e999', 3) }],
    ['a missing spacing', { '00280030': undefined }],
    ['a missing position', { '00200032': undefined }],
    ['a position of two numbers', { '00200032': ds(1, 2) }],
    ['a position that is not a number', { '00200032': ds('NaN', 0, 0) }],
    ['directions of length zero', { '00200037': ds(0, 0, 0, 0, 0, 0) }],
    ['directions that are not at right angles', { '00200037': ds(1, 0, 0, 1, 0, 0) }],
  ])('refuses %s and names the file', async (_, edit: Edits) => {
    const failure = await failureOf(convert([...ct.map((file, k) => (k === 2 ? edited(file, edit) : file)), seg]));
    expect(failure.code).toBe('NoGeometry');
    expect(failure.message).toContain('1-003.dcm');
  });

  it.each([
    ['no rows', { '00280010': el('US', 0) }],
    ['more bits stored than allocated', { '00280101': el('US', 99) }],
    ['an impossible depth', { '00280100': el('US', 12), '00280101': el('US', 12) }],
    ['a slope of zero', { '00281053': ds(0) }],
    ['colour', { '00280002': el('US', 3) }],
  ])('refuses a series with %s and never writes garbage', async (_, edit: Edits) => {
    const failure = await failureOf(convert([...each(() => edit), seg]));
    expect(['DamagedDicom', 'UnsupportedPixelFormat', 'NoImageSeries', 'SegReferencesOtherSeries']).toContain(
      failure.code,
    );
  });
});
