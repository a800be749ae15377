import type { Volume } from '../../geometry/volume.js';
import { valuesInBox, type Box } from '../roi.js';
import { gradientMagnitude } from './gradient.js';
import type { FilteredRegion, ImageTypeRequest } from './image-type.js';
import { exponential, logarithm, square, squareRoot } from './intensity.js';
import { canFilter, laplacianOfGaussian } from './laplacian-of-gaussian.js';
import { waveletBands } from './wavelet.js';

function* laplacians(image: Volume, request: ImageTypeRequest, box: Box): IterableIterator<FilteredRegion> {
  for (const [at, sigma] of (request.sigma ?? []).entries()) {
    const text = request.sigmaTexts?.[at] ?? String(sigma);
    const prefix = `log-sigma-${text.replace('.', '-')}-mm-3D`;
    if (canFilter(image.geometry, sigma)) yield { prefix, values: valuesInBox(laplacianOfGaussian(image, sigma), box) };
    else yield { prefix };
  }
}

function* wavelets(
  image: Volume,
  request: ImageTypeRequest,
  box: Box,
  flatAxis?: number,
): IterableIterator<FilteredRegion> {
  const axes = ([0, 1, 2] as const).filter((axis) => axis !== flatAxis);
  const { wavelet = 'coif1', level = 1, startLevel = 0 } = request;
  for (const band of waveletBands(image, box, axes, { wavelet, level, startLevel })) {
    const number = band.level === 1 ? '' : String(band.level);
    yield { prefix: `wavelet${number}-${band.letters}`, values: band.values };
  }
}

/**
 * The images of one requested type inside the box of the region, one at a time (the bands of a wavelet need not be held
 * together). Filters see the whole image.
 *
 * @param flatAxis voxel axis that is left out when features are 2D
 */
export function* filteredRegions(
  image: Volume,
  request: ImageTypeRequest,
  box: Box,
  flatAxis?: number,
): IterableIterator<FilteredRegion> {
  const whole = (prefix: string, filtered: Volume): FilteredRegion => ({ prefix, values: valuesInBox(filtered, box) });
  switch (request.name) {
    case 'Original':
      yield whole('original', image);
      return;
    case 'Square':
      yield whole('square', square(image));
      return;
    case 'SquareRoot':
      yield whole('squareroot', squareRoot(image));
      return;
    case 'Logarithm':
      yield whole('logarithm', logarithm(image));
      return;
    case 'Exponential':
      yield whole('exponential', exponential(image));
      return;
    case 'Gradient':
      yield whole('gradient', gradientMagnitude(image, request.useSpacing ?? true));
      return;
    case 'LoG':
      yield* laplacians(image, request, box);
      return;
    case 'Wavelet':
      yield* wavelets(image, request, box, flatAxis);
  }
}
