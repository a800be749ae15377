import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { voxelToLps } from '../../../../src/domain/geometry/affine.js';
import { convertStep } from '../../../../src/steps/imaging/convert.js';
import { convert, failureOf, removeConverted } from '../../../support/dicom/run-convert.js';
import { ds, edited, el, named, smallStudy } from '../../../support/dicom/studies.js';

afterAll(removeConverted);

const study = smallStudy('golden');
const seg = study.segmentation({
  segments: [
    { label: 'Core', mask: study.phantom.tumour.map((value, at) => value & (at % 2)) },
    { label: 'Whole', mask: study.phantom.tumour },
  ],
  frames: 'cropped',
});
const sha = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

describe('the golden output of imaging.convert', () => {
  it('changes only together with the version of the step', async () => {
    const { bytes, document } = await convert([...study.ct.files, seg]);
    // The uncompressed files: compressed bytes depend on the zlib of the Node in use.
    expect({
      version: convertStep.version,
      image: sha(gunzipSync(bytes.image)),
      mask: sha(gunzipSync(bytes.mask)),
      document: sha(JSON.stringify(document)),
    }).toMatchInlineSnapshot(`
      {
        "document": "1fba4ad9e2e0adc2786bd505e1c33cc67f80972028a5257c3a11dbe180d07ce0",
        "image": "5590723b4cf132bac8126d63b53c3b09dcc6e5d84e606e247a064e4481006087",
        "mask": "c36b136c233bf94a1a2298da9146ab30f4f6f8331dc09718871fd03d0a6bf1dd",
        "version": 2,
      }
    `);
  });
});

describe('messages', () => {
  it('hold neither UIDs nor dates, although files and folders are named by them', async () => {
    const uid = '1.2.840.113619.2.55.3.604688119';
    const files = study.ct.files.map((file, k) => named(file, `20011127/${uid}/CT.${uid}.${k}.dcm`));
    const cut = files.map((file, k) => (k === 4 ? { ...file, bytes: file.bytes.slice(0, -100) } : file));
    const failure = await failureOf(convert([...cut, named(seg, `${uid}.1/${uid}.1.dcm`)]));
    expect(failure.code).toBe('TruncatedPixelData');
    expect(failure.message).toContain('CT.….dcm (file 6 of 11)');
    expect(failure.message).not.toMatch(/\d+\.\d+\.\d+\.\d+|2001/);
  });

  it('say that another series was asked for than the segmented one', async () => {
    const twin = smallStudy('golden', { seriesNumber: 2 });
    const failure = await failureOf(convert([...study.ct.files, ...twin.ct.files, seg], { series: '2' }));
    expect(failure.code).toBe('SegReferencesOtherSeries');
    expect(failure.message).toContain('another series than the one asked for');
  });

  it('show the progress of long reads', async () => {
    const { messages } = await convert([...study.ct.files, seg]);
    expect(messages).toContain('slice 10 of 10');
    expect(messages).toContain('segment 2 of 2');
  });
});

describe('different objects under one instance UID', () => {
  it('are not taken for copies, and warned of', async () => {
    const uid = study.ct.files[0]!.sopInstanceUid;
    const files = study.ct.files.map((file, k) =>
      edited(file, { '00080018': el('UI', uid), '00200032': ds(...voxelToLps(study.geometry, [0, 0, k])) }),
    );
    const { image, summary } = await convert([...files, seg]);
    expect(image.data).toEqual(study.phantom.hu);
    expect(summary.warnings).toContain('RepeatedInstanceUid');
  });
});
