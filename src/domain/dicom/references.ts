import type { Dataset } from './dataset.js';

/** What a segmentation says it was drawn on. */
export interface ImageReferences {
  /** SeriesInstanceUIDs. */
  readonly series: ReadonlySet<string>;
  /** SOPInstanceUIDs named by single frames or contours: the slices that were really segmented. */
  readonly byFrame: ReadonlySet<string>;
  /** Of multi-frame images that `byFrame` names: the frames, from 1. Without an entry the whole image is meant. */
  readonly frameNumbers: ReadonlyMap<string, ReadonlySet<number>>;
  /** SOPInstanceUIDs named for the object as a whole. */
  readonly byObject: ReadonlySet<string>;
  readonly framesOfReference: ReadonlySet<string>;
  /** How many entries of the object-wide list name an instance that was named before. */
  readonly repeated: number;
}

const SOP_UID = '00081155';
const SERIES_UID = '0020000E';

function uids(items: readonly Dataset[], tag: string): string[] {
  return items.flatMap((item) => {
    const uid = item.text(tag);
    return uid === undefined ? [] : [uid];
  });
}

/** An image that a frame or contour was drawn on, with the frames of it that are meant (from 1; none: all of it). */
export interface SourceImage {
  readonly uid: string;
  readonly frames: readonly number[];
}

/** Images named by the items of a sequence. */
function sourceImages(items: readonly Dataset[]): SourceImage[] {
  return items.flatMap((item) => {
    const uid = item.text(SOP_UID);
    return uid === undefined ? [] : [{ uid, frames: item.numbers('00081160') ?? [] }];
  });
}

/** Source images that functional groups name (DerivationImageSequence > SourceImageSequence). */
export function derivationSources(group: Dataset | undefined): SourceImage[] {
  return group?.items('00089124').flatMap((derivation) => sourceImages(derivation.items('00082112'))) ?? [];
}

/** True when a source is this frame (from 0) of this image. */
export function isSource(source: SourceImage, uid: string, index: number): boolean {
  return source.uid === uid && (source.frames.length === 0 || source.frames.includes(index + 1));
}

/** What single frames or contours name, for {@link ImageReferences}. */
function named(sources: readonly SourceImage[]): Pick<ImageReferences, 'byFrame' | 'frameNumbers'> {
  const numbers = new Map<string, Set<number>>();
  const whole = new Set(sources.flatMap(({ uid, frames }) => (frames.length === 0 ? [uid] : [])));
  for (const { uid, frames } of sources) {
    if (whole.has(uid)) continue;
    const known = numbers.get(uid) ?? new Set<number>();
    for (const frame of frames) known.add(frame);
    numbers.set(uid, known);
  }
  return { byFrame: new Set(sources.map(({ uid }) => uid)), frameNumbers: numbers };
}

/** References of a segmentation object (PS3.3 A.51), wherever its writer put them. */
export function segmentationReferences(dataset: Dataset): ImageReferences {
  const referenced = dataset.items('00081115');
  const listed = referenced.flatMap((series) => uids(series.items('0008114A'), SOP_UID));
  const frameOfReference = dataset.text('00200052');
  return {
    series: new Set(uids(referenced, SERIES_UID)),
    ...named(dataset.items('52009230').flatMap(derivationSources)),
    byObject: new Set([
      ...listed,
      ...uids(dataset.items('00082112'), SOP_UID),
      ...derivationSources(dataset.item('52009229')).map(({ uid }) => uid),
    ]),
    framesOfReference: new Set(frameOfReference === undefined ? [] : [frameOfReference]),
    repeated: listed.length - new Set(listed).size,
  };
}

/** References of a structure set (PS3.3 C.8.8.5 and C.8.8.6). */
export function structureSetReferences(dataset: Dataset): ImageReferences {
  const frames = dataset.items('30060010');
  const series = frames.flatMap((frame) => frame.items('30060012').flatMap((study) => study.items('30060014')));
  const listed = series.flatMap((one) => uids(one.items('30060016'), SOP_UID));
  const contours = dataset.items('30060039').flatMap((roi) => roi.items('30060040'));
  return {
    series: new Set(uids(series, SERIES_UID)),
    ...named(contours.flatMap((contour) => sourceImages(contour.items('30060016')))),
    byObject: new Set(listed),
    framesOfReference: new Set([...uids(frames, '00200052'), ...uids(dataset.items('30060020'), '30060024')]),
    repeated: listed.length - new Set(listed).size,
  };
}
