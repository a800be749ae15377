import { CohortflowError } from '../../errors.js';
import type { Volume } from '../../geometry/volume.js';
import { gradientMagnitude } from './gradient.js';
import type { FilteredImage, ImageTypeRequest } from './image-type.js';
import { exponential, logarithm, square, squareRoot } from './intensity.js';

/** Makes the images of one requested type, one at a time (eight wavelet bands of a CT need not be held together). */
export function* filteredImages(image: Volume, request: ImageTypeRequest): IterableIterator<FilteredImage> {
  switch (request.name) {
    case 'Original':
      yield { prefix: 'original', image };
      return;
    case 'Square':
      yield { prefix: 'square', image: square(image) };
      return;
    case 'SquareRoot':
      yield { prefix: 'squareroot', image: squareRoot(image) };
      return;
    case 'Logarithm':
      yield { prefix: 'logarithm', image: logarithm(image) };
      return;
    case 'Exponential':
      yield { prefix: 'exponential', image: exponential(image) };
      return;
    case 'Gradient':
      yield { prefix: 'gradient', image: gradientMagnitude(image, request.useSpacing ?? true) };
      return;
    case 'LoG':
    case 'Wavelet':
      throw new CohortflowError('UnsupportedRadiomicsSetting', `imageType ${request.name} is not computed`);
  }
}
