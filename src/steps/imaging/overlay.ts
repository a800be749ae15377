import { CohortflowError } from '../../domain/errors.js';
import type { Volume } from '../../domain/geometry/volume.js';
import { readNifti } from '../../domain/nifti/read.js';
import { axialPicture, orthogonalPicture, type Picture } from '../../domain/overlay/pictures.js';
import { baseName } from '../file-names.js';
import type { Step, StepCall } from '../step.js';

/** Parameters of `imaging.overlay`. */
export type OverlayParams = {
  /** Shown at the top: the case. */
  readonly title: string;
};

async function volume(call: StepCall<OverlayParams>, role: string): Promise<Volume> {
  const [path] = call.inputs[role] ?? [];
  if (path === undefined) throw new CohortflowError('InvalidInput', `imaging.overlay needs the input ${role}`);
  return readNifti(await call.io.files.readGzip(path, call.signal), baseName(path));
}

/**
 * Draws the tumour over the image: `overlay-ortho.png` (axial, coronal and sagittal, each where the tumour is largest) and
 * `overlay-z.png` (four axial slices through it). Inputs: `image`, `mask` (one grid). Throws `EmptyMask`.
 */
export const overlayStep: Step<OverlayParams, { readonly pictures: number }> = {
  name: 'imaging.overlay',
  version: 1,
  async run(call) {
    const { io, params } = call;
    const image = await volume(call, 'image');
    const mask = await volume(call, 'mask');
    const write = ({ sheet, labels }: Picture, name: string): Promise<void> =>
      io.files.write(`${io.outputFolder}/${name}`, io.pictures.png(sheet, labels));
    await write(orthogonalPicture(params.title, image, mask), 'overlay-ortho.png');
    await write(axialPicture(params.title, image, mask), 'overlay-z.png');
    return { pictures: 2 };
  },
};
