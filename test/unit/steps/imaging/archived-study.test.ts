import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { convertPaths, removeConverted } from '../../../support/dicom/run-convert.js';
import { named, smallStudy } from '../../../support/dicom/studies.js';
import { temporaryFolder } from '../../../support/run-step.js';
import { zipOf } from '../../../support/zip.js';

afterAll(removeConverted);

describe('a study in an archive', () => {
  const small = smallStudy('archived');
  const files = [...small.ct.files, named(small.segmentation(), 'segmentation.dcm')];
  const root = temporaryFolder('archived');
  const folder = join(root, 'study');

  it('is converted to the same bytes as its folder', async () => {
    mkdirSync(folder);
    for (const { name, bytes } of files) writeFileSync(join(folder, name), bytes);
    const archive = join(root, 'study.zip');
    writeFileSync(archive, zipOf(files.map(({ name, bytes }) => ({ name: `study/${name}`, content: bytes }))));
    const [here, packed] = [await convertPaths({ study: [folder] }), await convertPaths({ study: [archive] })];
    expect(Buffer.from(packed.bytes.image).equals(Buffer.from(here.bytes.image))).toBe(true);
    expect(Buffer.from(packed.bytes.mask).equals(Buffer.from(here.bytes.mask))).toBe(true);
    expect(packed.document.files).toEqual(here.document.files);
  });

  it('is refused by name when it is damaged', async () => {
    const archive = join(root, 'broken.zip');
    const whole = zipOf(files.map(({ name, bytes }) => ({ name, content: bytes })));
    writeFileSync(archive, whole.subarray(0, whole.length / 2));
    await expect(convertPaths({ study: [archive] })).rejects.toMatchObject({
      code: 'ArchiveDamaged',
      message: expect.stringContaining('broken.zip') as string,
    });
  });
});
