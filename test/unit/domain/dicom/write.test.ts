import { describe, expect, it } from 'vitest';
import {
  chestPhantom,
  ctSeries,
  segmentation,
  axialGeometry,
  sphereContours,
  structureSet,
} from '../../../../src/domain/dicom/write/index.js';
import { uidOf } from '../../../../src/domain/dicom/write/uid.js';
import { smallStudy } from '../../../support/dicom/studies.js';

describe('synthetic studies', () => {
  it('are equal byte for byte when the seed is', () => {
    const files = (seed: string) => {
      const study = smallStudy(seed);
      const rois = [{ name: 'GTV', contours: sphereContours(study.geometry, [12, -3, 2], 9) }];
      return [...study.ct.files, study.segmentation(), structureSet({ of: study.ct.reference, rois })];
    };
    expect(files('a')).toEqual(files('a'));
    expect(files('a')[0]!.sopInstanceUid).not.toBe(files('b')[0]!.sopInstanceUid);
  });

  it('have UIDs of the allowed length and letters', () => {
    const uids = new Set(Array.from({ length: 2000 }, (_, at) => uidOf(`case-${at}`)));
    expect(uids.size).toBe(2000);
    for (const uid of uids) expect(uid).toMatch(/^2\.25\.[1-9]\d{1,38}$/);
  });

  it('hold noise of the width asked for, and a tumour of the size asked for', () => {
    const geometry = axialGeometry([60, 60, 30], [2, 2, 2]);
    const { hu, tumour } = chestPhantom({
      geometry,
      tumour: { centre: [25, 0, 0], radii: [12, 12, 12], hu: 60 },
      seed: 5,
      noise: 15,
    });
    const inside = Array.from(hu).filter((_, at) => tumour[at]);
    const mean = inside.reduce((sum, value) => sum + value, 0) / inside.length;
    const spread = Math.sqrt(inside.reduce((sum, value) => sum + (value - mean) ** 2, 0) / inside.length);
    expect(mean).toBeGreaterThan(57);
    expect(mean).toBeLessThan(63);
    expect(spread).toBeGreaterThan(13);
    expect(spread).toBeLessThan(17);
    expect(inside.length * 8).toBeGreaterThan(0.95 * (4 / 3) * Math.PI * 12 ** 3);
    expect(inside.length * 8).toBeLessThan(1.05 * (4 / 3) * Math.PI * 12 ** 3);
  });

  it('crop and drop frames as told', () => {
    const { geometry, phantom, ct } = smallStudy();
    const size = (frames: 'whole' | 'sparse' | 'cropped') =>
      segmentation({ of: ct.reference, geometry, segments: [{ label: 'x', mask: phantom.tumour }], frames }).bytes
        .length;
    expect(size('sparse')).toBeLessThan(size('whole'));
    expect(size('cropped')).toBeLessThan(size('sparse'));
  });

  it('clip densities to what twelve bits can hold', () => {
    const geometry = axialGeometry([2, 2, 2], [1, 1, 1]);
    const hu = Int16Array.of(-5000, 5000, 0, 0, 0, 0, 0, 0);
    expect(() => ctSeries({ study: { seed: 's', patientId: 'P' }, geometry, hu })).not.toThrow();
  });
});
