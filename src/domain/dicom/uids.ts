/** Transfer syntaxes and storage classes by name (DICOM PS3.6 annex A). */

export const TRANSFER_SYNTAX = {
  implicitLittle: '1.2.840.10008.1.2',
  explicitLittle: '1.2.840.10008.1.2.1',
  deflatedLittle: '1.2.840.10008.1.2.1.99',
  explicitBig: '1.2.840.10008.1.2.2',
  rle: '1.2.840.10008.1.2.5',
  deflatedFrames: '1.2.840.10008.1.2.8.1',
  jpegBaseline: '1.2.840.10008.1.2.4.50',
  jpegExtended: '1.2.840.10008.1.2.4.51',
  jpegLossless: '1.2.840.10008.1.2.4.57',
  jpegLosslessFirstOrder: '1.2.840.10008.1.2.4.70',
  jpegLs: '1.2.840.10008.1.2.4.80',
  jpegLsNear: '1.2.840.10008.1.2.4.81',
  jpeg2000Lossless: '1.2.840.10008.1.2.4.90',
  jpeg2000: '1.2.840.10008.1.2.4.91',
  htj2kLossless: '1.2.840.10008.1.2.4.201',
  htj2kLosslessRpcl: '1.2.840.10008.1.2.4.202',
  htj2k: '1.2.840.10008.1.2.4.203',
} as const;

const SYNTAX_NAMES: Readonly<Record<string, string>> = {
  [TRANSFER_SYNTAX.implicitLittle]: 'Implicit VR Little Endian',
  [TRANSFER_SYNTAX.explicitLittle]: 'Explicit VR Little Endian',
  [TRANSFER_SYNTAX.deflatedLittle]: 'Deflated Explicit VR Little Endian',
  [TRANSFER_SYNTAX.explicitBig]: 'Explicit VR Big Endian',
  [TRANSFER_SYNTAX.rle]: 'RLE Lossless',
  [TRANSFER_SYNTAX.deflatedFrames]: 'Deflated Image Frame Compression',
  [TRANSFER_SYNTAX.jpegBaseline]: 'JPEG Baseline (Process 1)',
  [TRANSFER_SYNTAX.jpegExtended]: 'JPEG Extended (Process 2 and 4)',
  [TRANSFER_SYNTAX.jpegLossless]: 'JPEG Lossless (Process 14)',
  [TRANSFER_SYNTAX.jpegLosslessFirstOrder]: 'JPEG Lossless (Process 14, Selection Value 1)',
  [TRANSFER_SYNTAX.jpegLs]: 'JPEG-LS Lossless',
  [TRANSFER_SYNTAX.jpegLsNear]: 'JPEG-LS Near-Lossless',
  [TRANSFER_SYNTAX.jpeg2000Lossless]: 'JPEG 2000 Lossless',
  [TRANSFER_SYNTAX.jpeg2000]: 'JPEG 2000',
  [TRANSFER_SYNTAX.htj2kLossless]: 'High-Throughput JPEG 2000 Lossless',
  [TRANSFER_SYNTAX.htj2kLosslessRpcl]: 'High-Throughput JPEG 2000 Lossless (RPCL)',
  [TRANSFER_SYNTAX.htj2k]: 'High-Throughput JPEG 2000',
};

/** The standard's name of a transfer syntax, or `unknown transfer syntax`. */
export function transferSyntaxName(uid: string): string {
  return SYNTAX_NAMES[uid] ?? 'unknown transfer syntax';
}

export const SOP_CLASS = {
  ct: '1.2.840.10008.5.1.4.1.1.2',
  enhancedCt: '1.2.840.10008.5.1.4.1.1.2.1',
  legacyEnhancedCt: '1.2.840.10008.5.1.4.1.1.2.2',
  mr: '1.2.840.10008.5.1.4.1.1.4',
  enhancedMr: '1.2.840.10008.5.1.4.1.1.4.1',
  legacyEnhancedMr: '1.2.840.10008.5.1.4.1.1.4.4',
  pet: '1.2.840.10008.5.1.4.1.1.128',
  enhancedPet: '1.2.840.10008.5.1.4.1.1.130',
  legacyEnhancedPet: '1.2.840.10008.5.1.4.1.1.128.1',
  segmentation: '1.2.840.10008.5.1.4.1.1.66.4',
  labelmapSegmentation: '1.2.840.10008.5.1.4.1.1.66.7',
  rtStructureSet: '1.2.840.10008.5.1.4.1.1.481.3',
} as const;

const VOLUME_CLASSES: ReadonlySet<string> = new Set<string>([
  SOP_CLASS.ct,
  SOP_CLASS.enhancedCt,
  SOP_CLASS.legacyEnhancedCt,
  SOP_CLASS.mr,
  SOP_CLASS.enhancedMr,
  SOP_CLASS.legacyEnhancedMr,
  SOP_CLASS.pet,
  SOP_CLASS.enhancedPet,
  SOP_CLASS.legacyEnhancedPet,
]);

/** True for the storage classes whose images lie in the patient and may form a volume: CT, MR and PET, classic or enhanced. */
export function isVolumeClass(sopClass: string): boolean {
  return VOLUME_CLASSES.has(sopClass);
}
