import type { FailureKind } from './failure.js';

/** Failures of the radiomics part. */
export const RADIOMICS_FAILURES = {
  RoiTooSmall: {
    retryable: false,
    fault: 'data',
    reason: 'The region of interest is too small for the features that are asked for.',
    remedy: 'Check the segmentation, or lower minimumROISize or minimumROIDimensions.',
  },
  UnsupportedRadiomicsSetting: {
    retryable: false,
    fault: 'input',
    reason: 'The radiomics parameter file asks for something that cohortflow does not compute.',
    remedy: 'Remove the key that the message names, or compute it with pyradiomics on ct.nii.gz and seg.nii.gz.',
  },
  InvalidRadiomicsSetting: {
    retryable: false,
    fault: 'input',
    reason: 'A key of the radiomics parameter file is unknown or has a value it cannot have.',
    remedy: 'Correct the key that the message names.',
  },
  TooManyGrayLevels: {
    retryable: false,
    fault: 'data',
    reason: 'The grey values of the region fall into more bins than a texture matrix can be built for.',
    remedy: 'Raise binWidth, set binCount or resegmentRange, or normalise the image.',
  },
} as const satisfies Record<string, FailureKind>;
