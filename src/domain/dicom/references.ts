import type { Dataset } from './dataset.js';

/** What a segmentation says it was drawn on. */
export interface ImageReferences {
  /** SeriesInstanceUIDs. */
  readonly series: ReadonlySet<string>;
  /** SOPInstanceUIDs named by single frames or contours: the slices that were really segmented. */
  readonly byFrame: ReadonlySet<string>;
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

/** Source images that functional groups name (DerivationImageSequence > SourceImageSequence). */
function derivationSources(group: Dataset | undefined): string[] {
  return group?.items('00089124').flatMap((derivation) => uids(derivation.items('00082112'), SOP_UID)) ?? [];
}

/** References of a segmentation object (PS3.3 A.51), wherever its writer put them. */
export function segmentationReferences(dataset: Dataset): ImageReferences {
  const referenced = dataset.items('00081115');
  const listed = referenced.flatMap((series) => uids(series.items('0008114A'), SOP_UID));
  const frameOfReference = dataset.text('00200052');
  return {
    series: new Set(uids(referenced, SERIES_UID)),
    byFrame: new Set(dataset.items('52009230').flatMap(derivationSources)),
    byObject: new Set([
      ...listed,
      ...uids(dataset.items('00082112'), SOP_UID),
      ...derivationSources(dataset.item('52009229')),
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
    byFrame: new Set(contours.flatMap((contour) => uids(contour.items('30060016'), SOP_UID))),
    byObject: new Set(listed),
    framesOfReference: new Set([...uids(frames, '00200052'), ...uids(dataset.items('30060020'), '30060024')]),
    repeated: listed.length - new Set(listed).size,
  };
}
