import { CohortflowError, messageOf } from '../../errors.js';
import type { Instance } from '../instance.js';
import { TRANSFER_SYNTAX, transferSyntaxName } from '../uids.js';
import { inflateRaw } from './inflate.js';
import { decodeRle } from './rle.js';

/** Which function of the codec library decodes a transfer syntax. */
const NATIVE_DECODERS = {
  [TRANSFER_SYNTAX.jpegBaseline]: 'decodeJpeg',
  [TRANSFER_SYNTAX.jpegExtended]: 'decodeJpeg',
  [TRANSFER_SYNTAX.jpegLossless]: 'decodeJpeg',
  [TRANSFER_SYNTAX.jpegLosslessFirstOrder]: 'decodeJpeg',
  [TRANSFER_SYNTAX.jpegLs]: 'decodeJpegLs',
  [TRANSFER_SYNTAX.jpegLsNear]: 'decodeJpegLs',
  [TRANSFER_SYNTAX.jpeg2000Lossless]: 'decodeJpeg2000',
  [TRANSFER_SYNTAX.jpeg2000]: 'decodeJpeg2000',
  [TRANSFER_SYNTAX.htj2kLossless]: 'decodeHtJpeg2000',
  [TRANSFER_SYNTAX.htj2kLosslessRpcl]: 'decodeHtJpeg2000',
  [TRANSFER_SYNTAX.htj2k]: 'decodeHtJpeg2000',
} as const satisfies Record<string, string>;

type Codecs = typeof import('dcmjs-codecs');
let loading: Promise<Codecs> | undefined;

/** The codec library, loaded and initialised (4 MB of WebAssembly, about 0.1 s) on the first compressed frame only. */
async function codecs(): Promise<Codecs> {
  loading ??= (async () => {
    const module = (await import('dcmjs-codecs')) as Codecs & { default?: Codecs };
    const library = module.default ?? module;
    library.log.setLevel('silent', false);
    await library.NativeCodecs.initializeAsync();
    return library;
  })();
  return loading;
}

function isNative(syntax: string): syntax is keyof typeof NATIVE_DECODERS {
  return Object.hasOwn(NATIVE_DECODERS, syntax);
}

/** True for the transfer syntaxes whose pixel data are stored frame by frame as they are. */
export function isUncompressed(syntax: string): boolean {
  return (
    syntax === TRANSFER_SYNTAX.implicitLittle ||
    syntax === TRANSFER_SYNTAX.explicitLittle ||
    syntax === TRANSFER_SYNTAX.explicitBig ||
    syntax === TRANSFER_SYNTAX.deflatedLittle
  );
}

/**
 * Decodes one compressed frame into samples as stored (little-endian; sign bits are not extended).
 *
 * Throws `UnsupportedTransferSyntax` naming the syntax, `DamagedDicom` when the stream cannot be decoded.
 */
export async function decodeFrame(stream: Uint8Array, instance: Instance): Promise<Uint8Array> {
  const { format, shown, transferSyntax } = instance;
  if (transferSyntax === TRANSFER_SYNTAX.rle) return decodeRle(stream, format.rows * format.columns, shown);
  if (transferSyntax === TRANSFER_SYNTAX.deflatedFrames) return inflateRaw(stream, shown);
  if (!isNative(transferSyntax)) {
    throw new CohortflowError(
      'UnsupportedTransferSyntax',
      `${shown}: pixel data in ${transferSyntaxName(transferSyntax)} cannot be decoded. Decompress the series first.`,
      { transferSyntax: transferSyntaxName(transferSyntax) },
    );
  }
  const { Context, NativeCodecs } = await codecs();
  // A codec works in whole bytes: one-bit segmentations are coded as 8-bit images of 0 and 1.
  const bits = Math.max(8, format.bitsAllocated);
  try {
    const decoded = NativeCodecs[NATIVE_DECODERS[transferSyntax]](
      new Context({
        width: format.columns,
        height: format.rows,
        bitsAllocated: bits,
        bitsStored: format.bitsAllocated === 1 ? 8 : format.bitsStored,
        samplesPerPixel: format.samplesPerPixel,
        pixelRepresentation: format.signed ? 1 : 0,
        planarConfiguration: format.planarConfiguration,
        // The library takes padding for part of the name.
        photometricInterpretation: format.photometric.trim(),
        encodedBuffer: stream,
      }),
    ).getDecodedBuffer();
    if (decoded === undefined) throw new Error('no pixels came out');
    return decoded;
  } catch (error) {
    throw new CohortflowError(
      'DamagedDicom',
      `${shown}: the ${transferSyntaxName(transferSyntax)} pixel data cannot be decoded (${messageOf(error).slice(0, 80)}). Fetch the file again.`,
      {},
      error,
    );
  }
}
