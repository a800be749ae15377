import type { FailureKind } from './failure.js';

const data = (reason: string, remedy: string) => ({ retryable: false, fault: 'data', reason, remedy }) as const;

/** Failures of the imaging part. */
export const IMAGING_FAILURES = {
  NoDicom: data('The folder of the study holds no DICOM file.', 'Check the path in the sheet.'),
  ArchiveDamaged: data(
    'The archive of a study is damaged, cut off, or not what its own checksums say.',
    'Fetch the archive again.',
  ),
  ArchiveEncrypted: data('The archive of a study is encrypted.', 'Unpack it and give the folder.'),
  ArchiveUnsafe: data(
    'The archive of a study has entries that would be written outside its folder.',
    'Do not trust it; unpack it by hand where that does no harm, and give the folder.',
  ),
  ArchiveTooLarge: data(
    'The archive of a study unpacks to more than any study is.',
    'If it is a study all the same, unpack it and give the folder.',
  ),
  DamagedDicom: data(
    'A DICOM file ends early, contradicts itself or cannot be decoded.',
    'Fetch the file that the message names again.',
  ),
  NoImageSeries: data(
    'The study has DICOM files, but no series of images that lie in the patient.',
    'Add the CT series that was segmented to the folder.',
  ),
  SeriesNotFound: data(
    'No series of the study matches the one asked for.',
    'Choose one of the series that the message lists.',
  ),
  AmbiguousSeries: data(
    'Several series or acquisitions fit and nothing says which one was segmented.',
    'Choose with --series, or keep only the segmented one in the folder.',
  ),
  SeveralStudies: data(
    'The folder holds more than one study where the sheet names one.',
    'Give each study its own folder and row (study_id), or choose with --series.',
  ),
  MixedGeometry: data(
    'The images of the series differ in size, spacing or orientation and do not form one grid.',
    'Keep only the axial stack that was segmented.',
  ),
  DuplicatePosition: data(
    'Different images lie at the same position and nothing tells them apart.',
    'Keep one acquisition (phase, reconstruction) in the folder.',
  ),
  MissingSlice: data('Slices are missing inside the series.', 'Fetch the complete series.'),
  NonUniformSpacing: data(
    'The distances between slices vary by more than the tolerance.',
    'Resample the series onto even slices, or use another reconstruction.',
  ),
  GantryTilt: data(
    'The scan was taken with a tilted gantry, so its voxels are not rectangular.',
    'Correct the tilt (resample) before converting.',
  ),
  NotAVolume: data('The series has fewer than two usable slices.', 'Choose a series that is a volume.'),
  NoGeometry: data(
    'An image lacks a valid position, orientation or pixel spacing.',
    'Fetch the original images: screen captures and damaged exports carry no geometry.',
  ),
  TruncatedPixelData: data(
    'An image file ends before its pixel data do.',
    'Fetch the file that the message names again.',
  ),
  UnsupportedTransferSyntax: data(
    'The pixel data are compressed in a way that is not supported.',
    'Decompress the series (for example with dcmdjpeg or gdcmconv) first.',
  ),
  UnsupportedPixelFormat: data(
    'The pixel data are of a kind that no CT has (colour, look-up table, unusual depth).',
    'Use the original images instead of a derived or exported series.',
  ),
  SegNotFound: data(
    'The study has no segmentation (DICOM SEG or RTSTRUCT).',
    'Add the segmentation of the series; cases without one cannot have imaging features.',
  ),
  SegAmbiguous: data(
    'Several segmentations fit the image series.',
    'Choose with --roi (a segment) or --series (a segmentation series), or keep one in the folder.',
  ),
  SegReferencesOtherSeries: data(
    'The segmentation belongs to images that are not in the study.',
    'Add the series it was drawn on, or the segmentation of this series.',
  ),
  SegNotReadable: data(
    'The segmentation object is not of a kind that can be read.',
    'Export it again as BINARY, FRACTIONAL or LABELMAP segmentation, or as RTSTRUCT.',
  ),
  FrameOffGrid: data(
    'Parts of the segmentation lie outside the image or between its slices.',
    'Segment the very series that is converted, or resample the segmentation onto it.',
  ),
  RoiNotFound: data('No segment or region matches the one asked for.', 'Choose one of those that the message lists.'),
  RoiAmbiguous: data(
    'The structure set has several regions and none is named as the tumour.',
    'Choose one with --roi; the message lists them.',
  ),
  EmptyMask: data(
    'The region of interest has no voxel on the image grid.',
    'Look at the segmentation: its segments or contours are empty.',
  ),
  NotNifti: data(
    'A file is not a readable NIfTI-1 or NIfTI-2 volume.',
    'Check the file; .hdr/.img pairs have to be joined.',
  ),
  GeometryMismatch: data(
    'The image and the mask do not lie on the same grid, or the region lies partly beside the image.',
    'Resample the mask onto the image (nearest neighbour), or set `correctMask: true` in the radiomics settings; the image has to hold the whole region.',
  ),
  InvalidMask: data(
    'The mask holds values that are not labels.',
    'Save the mask with whole numbers, 0 for background.',
  ),
  LabelNotFound: data(
    'The mask has no voxel of the label asked for.',
    'Choose one of the labels that the message lists.',
  ),
} as const satisfies Record<string, FailureKind>;
