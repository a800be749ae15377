import { gzipSync } from 'node:zlib';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sphereContours, structureSet } from '../../src/domain/dicom/write/index.js';
import { writeNifti } from '../../src/domain/nifti/write.js';
import { cli } from '../support/cli.js';
import { smallStudy } from '../support/dicom/studies.js';
import { temporaryFolder } from '../support/run-step.js';

const study = smallStudy();

function write(path: string, bytes: Uint8Array): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

describe('cohortflow imaging', () => {
  it('says what the conversion warned of, and leaves nothing of an earlier study beside a later one', async () => {
    const root = temporaryFolder('imaging-verb');
    const output = join(root, 'out');
    const contours = sphereContours(study.geometry, [12, -3, 2], 11);
    const rois = [
      { name: 'GTV-1', contours: [...contours, ...contours] },
      { name: 'GTV-2', contours: sphereContours(study.geometry, [-10, 0, 2], 8) },
    ];
    for (const file of [...study.ct.files, structureSet({ of: study.ct.reference, rois })])
      write(join(root, 'study', file.name), file.bytes);
    const first = await cli(['imaging', join(root, 'study'), '--output', output]);
    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.stderr).toMatch(/^warning: RepeatedContours: .*"GTV-1" repeat another one/m);
    expect(readdirSync(output)).toContain('features-GTV-2.json');

    const { geometry, phantom } = study;
    const image = write(join(root, 'image.nii.gz'), gzipSync(writeNifti({ geometry, data: phantom.hu })));
    const one = phantom.tumour.map((_, at) => (at === 700 ? 1 : 0));
    const mask = write(join(root, 'mask.nii.gz'), gzipSync(writeNifti({ geometry, data: one })));
    const second = await cli(['imaging', image, '--mask', mask, '--output', output]);
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain('RoiTooSmall');
    expect(readdirSync(output).filter((name) => name !== 'segments')).toEqual([
      'conversion.json',
      'ct.nii.gz',
      'seg.nii.gz',
    ]);
    expect(existsSync(join(output, 'segments', 'GTV-1.nii.gz'))).toBe(false);
  });
});
