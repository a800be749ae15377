import type { Volume } from '../geometry/volume.js';
import { largestIndex, maskProfile, spreadIndexes, windowOf } from './choose.js';
import { drawView, emptySheet, fittedSize, type Sheet } from './raster.js';
import { throughAxis, viewOf, type View } from './views.js';

/** Text on a picture, in pixels. */
export interface PictureLabel {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly align: 'left' | 'center' | 'right';
  readonly colour: string;
}

/** A composed picture. */
export interface Picture {
  readonly sheet: Sheet;
  readonly labels: readonly PictureLabel[];
}

const SIDE = 360;
const GAP = 12;
const TITLE = 44;
const FOOT = 26;
const WHITE = '#f2f2f2';
const GREY = '#a8b0b8';

interface Tile {
  readonly view: View;
  readonly caption: string;
}

/** Tiles side by side under a title, each with its caption below and the letters of its sides. */
function compose(title: string, subtitle: string, tiles: readonly Tile[], image: Volume, mask: Volume): Picture {
  const window = windowOf(image, mask);
  const width = GAP + tiles.length * (SIDE + GAP);
  const height = TITLE + SIDE + FOOT + GAP;
  const sheet = emptySheet(width, height);
  const labels: PictureLabel[] = [
    { text: title, x: GAP, y: TITLE / 2, size: 20, align: 'left', colour: WHITE },
    { text: subtitle, x: width - GAP, y: TITLE / 2, size: 13, align: 'right', colour: GREY },
  ];
  tiles.forEach(({ view, caption }, number) => {
    const size = fittedSize(view, SIDE);
    const left = GAP + number * (SIDE + GAP) + Math.floor((SIDE - size[0]) / 2);
    const top = TITLE + Math.floor((SIDE - size[1]) / 2);
    drawView(sheet, view, window, left, top, size);
    const middle = left + size[0] / 2;
    const [west, east, north, south] = view.edges;
    const edge = { size: 13, colour: '#6cc4ff' } as const;
    labels.push(
      { text: west, x: left + 5, y: top + size[1] / 2, align: 'left', ...edge },
      { text: east, x: left + size[0] - 5, y: top + size[1] / 2, align: 'right', ...edge },
      { text: north, x: middle, y: top + 10, align: 'center', ...edge },
      { text: south, x: middle, y: top + size[1] - 10, align: 'center', ...edge },
      {
        text: caption,
        x: GAP + number * (SIDE + GAP) + SIDE / 2,
        y: TITLE + SIDE + FOOT / 2,
        size: 13,
        align: 'center',
        colour: GREY,
      },
    );
  });
  return { sheet, labels };
}

function windowText(image: Volume, mask: Volume): string {
  const { low, high } = windowOf(image, mask);
  return `shown from ${Math.round(low)} to ${Math.round(high)}`;
}

/** Axial, coronal and sagittal cuts through the tumour, each where it is largest. */
export function orthogonalPicture(title: string, image: Volume, mask: Volume): Picture {
  const tiles = (['axial', 'coronal', 'sagittal'] as const).map((plane): Tile => {
    const axis = throughAxis(image.geometry, plane);
    const index = largestIndex(maskProfile(mask, axis));
    return {
      view: viewOf(image, mask, plane, index),
      caption: `${plane}, ${index + 1} of ${image.geometry.size[axis]}`,
    };
  });
  return compose(title, windowText(image, mask), tiles, image, mask);
}

/** Four axial cuts spread over the tumour. */
export function axialPicture(title: string, image: Volume, mask: Volume): Picture {
  const axis = throughAxis(image.geometry, 'axial');
  const profile = maskProfile(mask, axis);
  largestIndex(profile);
  const tiles = spreadIndexes(profile, 4).map((index): Tile => {
    const share = `${profile[index]!} voxels of tumour`;
    return {
      view: viewOf(image, mask, 'axial', index),
      caption: `slice ${index + 1} of ${image.geometry.size[axis]}, ${share}`,
    };
  });
  return compose(title, windowText(image, mask), tiles, image, mask);
}
