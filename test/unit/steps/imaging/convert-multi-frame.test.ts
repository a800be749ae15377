import { deflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { createStepIo } from '../../../../src/app/step-io.js';
import type { ElementMap } from '../../../../src/domain/dicom/dcmjs.js';
import type { DicomFile } from '../../../../src/domain/dicom/write/index.js';
import { voxelToLps } from '../../../../src/domain/geometry/affine.js';
import { PixelReader } from '../../../../src/steps/imaging/read-pixels.js';
import { readStudy } from '../../../../src/steps/imaging/read-study.js';
import { encodeFile, type FileOptions } from '../../../support/dicom/encode.js';
import { convert, failureOf, removeConverted, studyFolder } from '../../../support/dicom/run-convert.js';
import { ds, edited, el, elementsOf, smallStudy } from '../../../support/dicom/studies.js';

afterAll(removeConverted);

const study = smallStudy();
const [columns, rows, slices] = study.geometry.size;
const truth = Array.from(study.phantom.tumour);
const IMAGE = '2.25.4711';
const items = (elements: ElementMap, tag: string): ElementMap[] => elements[tag]!.Value as ElementMap[];

/** One frame of the enhanced image: the slice of the phantom it shows, what is added to its values, its time point. */
interface FrameSpec {
  readonly k: number;
  readonly plus?: number;
  readonly time?: number;
}

/** The CT as one enhanced multi-frame object; rescale in the frames' own groups. */
function enhanced(frames: readonly FrameSpec[], options: FileOptions = {}): DicomFile {
  const file = study.ct.files[0]!;
  const elements = elementsOf(file);
  for (const tag of ['00200032', '00200037', '00280030', '00281052', '00281053', '00281054']) delete elements[tag];
  elements['00080016'] = el('UI', '1.2.840.10008.5.1.4.1.1.2.1');
  elements['00080018'] = el('UI', IMAGE);
  elements['00280008'] = el('IS', String(frames.length));
  elements['52009229'] = el('SQ', {
    '00209116': el('SQ', { '00200037': ds(1, 0, 0, 0, 1, 0) }),
    '00289110': el('SQ', { '00280030': ds(3, 3) }),
  });
  elements['52009230'] = el(
    'SQ',
    ...frames.map(({ k, time }) => ({
      '00209111': el('SQ', time === undefined ? {} : { '00209128': el('UL', time) }),
      '00209113': el('SQ', { '00200032': ds(...voxelToLps(study.geometry, [0, 0, k])) }),
      '00289145': el('SQ', { '00281052': ds(-k), '00281053': ds(1), '00281054': el('LO', 'HU') }),
    })),
  );
  const words = frames.flatMap(({ k, plus = 0 }) =>
    Array.from(study.phantom.hu.slice(k * columns * rows, (k + 1) * columns * rows), (value) => value + k + plus),
  );
  Object.assign(elements, { '00280101': el('US', 16), '00280102': el('US', 15), '00280103': el('US', 1) });
  elements['7FE00010'] = el('OW', Int16Array.from(words).buffer);
  return { ...file, name: 'enhanced.dcm', bytes: encodeFile(elements, options) };
}

/** A segmentation whose frames name the enhanced image, and the frame of it that `number` gives (from 1). */
function segmentation(number: (k: number) => number | undefined, withPosition: boolean): DicomFile {
  const plain = study.segmentation({ frames: 'sparse' });
  const groups = items(elementsOf(plain), '52009230').map((group) => {
    const z = Number((items(group, '00209113')[0]!['00200032']!.Value as (string | number)[])[2]);
    const k = Math.round((z - study.geometry.origin[2]) / study.geometry.spacing[2]);
    const frame = number(k);
    const source = {
      '00081155': el('UI', IMAGE),
      ...(frame === undefined ? {} : { '00081160': el('IS', String(frame)) }),
    };
    const changed = { ...group, '00089124': el('SQ', { '00082112': el('SQ', source) }) };
    return withPosition ? changed : Object.fromEntries(Object.entries(changed).filter(([tag]) => tag !== '00209113'));
  });
  const references = el('SQ', {
    '0020000E': el('UI', study.ct.reference.seriesInstanceUid),
    '0008114A': el('SQ', { '00081155': el('UI', IMAGE) }),
  });
  return edited(plain, { '52009230': el('SQ', ...groups), '00081115': references });
}

const order = Array.from({ length: slices }, (_, at) => (at * 3) % slices);
const unsorted = order.map((k) => ({ k }));

describe('a multi-frame CT', () => {
  it('is read whose frames are not sorted and whose rescale is in the functional groups', async () => {
    const { image, mask } = await convert([enhanced(unsorted), segmentation((k) => order.indexOf(k) + 1, true)]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(Array.from(mask.data)).toEqual(truth);
  });

  it('places frames of a segmentation that have no position by the frame they name', async () => {
    const { mask, summary } = await convert([enhanced(unsorted), segmentation((k) => order.indexOf(k) + 1, false)]);
    expect(Array.from(mask.data)).toEqual(truth);
    expect(summary.warnings).toContain('FramesWithoutPosition');
  });

  it('gives no place to frames that name the image without a frame of it', async () => {
    const failure = await failureOf(convert([enhanced(unsorted), segmentation(() => undefined, false)]));
    expect(failure.code).toBe('NoGeometry');
  });

  it('in a deflated file is inflated once, not once a frame', async () => {
    const file = enhanced(unsorted, {
      transferSyntax: '1.2.840.10008.1.2.1.99',
      transform: (bytes) => deflateRawSync(bytes),
    });
    const folder = await studyFolder([file]);
    const io = createStepIo({ outputFolder: `${folder}/out`, scratchFolder: `${folder}/scratch` });
    const { signal } = new AbortController();
    const [instance] = (await readStudy(io, [`${folder}/${file.name}`], signal, () => undefined)).instances;
    const open = vi.spyOn(io.files, 'open');
    const reader = new PixelReader(io, signal);
    const frames = await Promise.all(order.map((_, index) => reader.samples(instance!, index)));
    expect(open).toHaveBeenCalledTimes(1);
    frames.forEach((samples, at) => {
      const k = order[at]!;
      const wanted = study.phantom.hu.slice(k * columns * rows, (k + 1) * columns * rows).map((value) => value + k);
      expect(Array.from(samples)).toEqual(Array.from(wanted));
    });
  });

  it('with two time points gives the one whose frames the segmentation names', async () => {
    const both = [1, 2].flatMap((time) => order.map((k) => ({ k, time, plus: time === 1 ? 7 : 0 })));
    const { image, mask, summary } = await convert([
      enhanced(both),
      segmentation((k) => slices + order.indexOf(k) + 1, true),
    ]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(Array.from(mask.data)).toEqual(truth);
    expect(summary.warnings).toContain('OneOfSeveralVolumes');
    const vague = await failureOf(convert([enhanced(both), segmentation(() => undefined, true)]));
    expect(vague.code).toBe('AmbiguousSeries');
  });
});
