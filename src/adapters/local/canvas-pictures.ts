import { createRequire } from 'node:module';
import { createCanvas, GlobalFonts } from '@napi-rs/canvas';
import type { Label, PictureEncoder, Raster } from '../../ports/picture-encoder.js';

const FAMILY = 'cohortflow';
let registered = false;

/** The font comes with the product, so that a picture does not depend on the machine it was drawn on. */
function registerFont(): void {
  if (registered) return;
  const require = createRequire(import.meta.url);
  GlobalFonts.registerFromPath(require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'), FAMILY);
  registered = true;
}

/** {@link PictureEncoder} with Skia. */
export class CanvasPictures implements PictureEncoder {
  png({ width, height, rgba }: Raster, labels: readonly Label[]): Uint8Array {
    registerFont();
    const canvas = createCanvas(width, height);
    const context = canvas.getContext('2d');
    const image = context.createImageData(width, height);
    image.data.set(rgba);
    context.putImageData(image, 0, 0);
    context.textBaseline = 'middle';
    for (const { text, x, y, size, align = 'left', colour = '#ffffff' } of labels) {
      context.font = `${size}px ${FAMILY}`;
      context.textAlign = align;
      // A dark rim keeps letters readable over bone and over air.
      context.lineWidth = Math.max(2, size / 5);
      context.strokeStyle = 'rgba(0, 0, 0, 0.75)';
      context.lineJoin = 'round';
      context.strokeText(text, x, y);
      context.fillStyle = colour;
      context.fillText(text, x, y);
    }
    return canvas.toBuffer('image/png');
  }
}
