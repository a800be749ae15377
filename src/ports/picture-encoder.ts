/** A drawing on a picture: text in a corner or centred, in the bundled font. */
export interface Label {
  readonly text: string;
  /** Pixels from the left and top of the picture to the text's anchor. */
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly align?: 'left' | 'center' | 'right';
  /** CSS colour. */
  readonly colour?: string;
}

/** Pixels to encode: RGBA, 8 bits, rows from the top. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray;
}

/** Turns pixels and labels into a PNG. Equal input gives equal bytes. */
export interface PictureEncoder {
  png(raster: Raster, labels: readonly Label[]): Uint8Array;
}
