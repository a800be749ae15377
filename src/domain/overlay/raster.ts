import type { Window } from './choose.js';
import type { View } from './views.js';

/** Colour of the tumour: yellow, as in the original article's pictures. */
const TUMOUR = [255, 214, 10] as const;
const FILL = 0.28;
const BACKGROUND = 12;

/** A picture being composed: RGBA, rows from the top. */
export interface Sheet {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray;
}

/** An empty dark picture. */
export function emptySheet(width: number, height: number): Sheet {
  const rgba = new Uint8ClampedArray(width * height * 4).fill(BACKGROUND);
  for (let at = 3; at < rgba.length; at += 4) rgba[at] = 255;
  return { width, height, rgba };
}

/** Size in pixels of a view fitted into a square of `side`, its true aspect kept. */
export function fittedSize(view: View, side: number): readonly [number, number] {
  const across = view.width * view.pixel[0];
  const down = view.height * view.pixel[1];
  const scale = side / Math.max(across, down);
  return [Math.max(1, Math.round(across * scale)), Math.max(1, Math.round(down * scale))];
}

function bilinear(view: View, x: number, y: number): number {
  const x0 = Math.min(view.width - 1, Math.max(0, Math.floor(x)));
  const y0 = Math.min(view.height - 1, Math.max(0, Math.floor(y)));
  const x1 = Math.min(view.width - 1, x0 + 1);
  const y1 = Math.min(view.height - 1, y0 + 1);
  const fx = Math.min(1, Math.max(0, x - x0));
  const fy = Math.min(1, Math.max(0, y - y0));
  const at = (column: number, row: number): number => view.values[row * view.width + column]!;
  const top = at(x0, y0) * (1 - fx) + at(x1, y0) * fx;
  return top * (1 - fy) + (at(x0, y1) * (1 - fx) + at(x1, y1) * fx) * fy;
}

/** Draws a view at (left, top) in the given size: grey values in the window, the tumour filled thinly and outlined. */
export function drawView(
  sheet: Sheet,
  view: View,
  window: Window,
  left: number,
  top: number,
  [width, height]: readonly [number, number],
): void {
  const inside = new Uint8Array(width * height);
  for (let row = 0; row < height; row += 1) {
    const y = Math.min(view.height - 1, Math.floor(((row + 0.5) * view.height) / height));
    for (let column = 0; column < width; column += 1) {
      const x = Math.min(view.width - 1, Math.floor(((column + 0.5) * view.width) / width));
      inside[row * width + column] = view.mask[y * view.width + x]!;
    }
  }
  const isInside = (column: number, row: number): boolean =>
    column >= 0 && row >= 0 && column < width && row < height && inside[row * width + column] === 1;
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const value = bilinear(
        view,
        ((column + 0.5) * view.width) / width - 0.5,
        ((row + 0.5) * view.height) / height - 0.5,
      );
      const grey = (255 * (value - window.low)) / (window.high - window.low);
      const here = isInside(column, row);
      const border =
        here &&
        !(
          isInside(column - 1, row) &&
          isInside(column + 1, row) &&
          isInside(column, row - 1) &&
          isInside(column, row + 1)
        );
      const share = border ? 1 : here ? FILL : 0;
      const to = 4 * ((top + row) * sheet.width + left + column);
      for (let channel = 0; channel < 3; channel += 1) {
        const shade = Math.min(255, Math.max(0, grey));
        sheet.rgba[to + channel] = shade * (1 - share) + TUMOUR[channel]! * share;
      }
    }
  }
}
