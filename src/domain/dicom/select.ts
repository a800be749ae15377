import { CohortflowError } from '../errors.js';
import { hasPosition } from './frame.js';
import { isVolumeClass } from './uids.js';
import { roleOf, type Instance } from './instance.js';
import { segmentsOf } from './masks/segmentation.js';
import { roisOf } from './masks/structure-set.js';
import { listNames, matchNames } from './name-match.js';
import { segmentationReferences, structureSetReferences, type ImageReferences } from './references.js';
import { describeSeries, groupSeries, type Series } from './series.js';
import type { Warning } from './warning.js';

/** A segmentation of the study, SEG or RTSTRUCT alike. */
export interface SegmentationSource {
  readonly kind: 'SEG' | 'RTSTRUCT';
  readonly instance: Instance;
  readonly regions: readonly string[];
  readonly references: ImageReferences;
}

/** What of a study is converted, and why. */
export interface Selection {
  readonly images: Series;
  readonly segmentation: SegmentationSource;
  /** Sentences for conversion.json: why this series and this segmentation. */
  readonly why: readonly string[];
  readonly warnings: readonly Warning[];
}

/** What a caller may decide. */
export interface SelectionRequest {
  /** SeriesInstanceUID, series number, or SeriesDescription (exact, glob or expression) of images or of a segmentation. */
  readonly series?: string | undefined;
  /** Label of a segment or name of a region (exact, glob or expression). */
  readonly roi?: string | undefined;
}

function sourceOf(instance: Instance): SegmentationSource | undefined {
  const role = roleOf(instance);
  if (role === 'segmentation') {
    const regions = segmentsOf(instance.dataset).map(({ label }) => label);
    return { kind: 'SEG', instance, regions, references: segmentationReferences(instance.dataset) };
  }
  if (role === 'structure-set') {
    const regions = roisOf(instance.dataset).map(({ name }) => name);
    return { kind: 'RTSTRUCT', instance, regions, references: structureSetReferences(instance.dataset) };
  }
  return undefined;
}

const describeSource = ({ kind, instance, regions }: SegmentationSource): string =>
  `${kind} "${instance.seriesDescription}" (series ${instance.seriesNumber || '?'}; ${listNames(regions, 6)})`;

/** Series that `request` means: the UID, the number, or the description. */
function requestedSeries(all: readonly Series[], request: string): Series[] {
  const wanted = request.trim();
  const byUid = all.filter(({ uid }) => uid === wanted);
  if (byUid.length > 0) return byUid;
  const byNumber = all.filter(({ number }) => number !== '' && number === wanted);
  if (byNumber.length > 0) return byNumber;
  const found = matchNames(
    all.map(({ description }) => description),
    wanted,
  ).map((at) => all[at]!);
  if (found.length > 0) return found;
  throw new CohortflowError(
    'SeriesNotFound',
    `no series of the study matches the one asked for; there are: ${all.map(describeSeries).join('; ')}.`,
    { series: all.map(describeSeries).slice(0, 50) },
  );
}

/** Which image series of the study a segmentation belongs to, or why none. */
type Fit =
  | { readonly series: readonly Series[]; readonly how: string; readonly warning?: Warning }
  | { readonly series?: undefined; readonly why: string };

function fitOf(source: SegmentationSource, images: readonly Series[]): Fit {
  const { references } = source;
  const named = references.byFrame.size + references.byObject.size;
  const holds = (series: Series, uids: ReadonlySet<string>): boolean =>
    series.instances.some(({ sopInstanceUid }) => uids.has(sopInstanceUid));
  let how = 'it refers to this series';
  let warning: Warning | undefined;
  let present = images.filter(
    (series) =>
      references.series.has(series.uid) || holds(series, references.byFrame) || holds(series, references.byObject),
  );
  if (present.length === 0 && references.series.size === 0 && named === 0) {
    present = images.filter(({ instances }) =>
      instances.some(({ frameOfReferenceUid: uid }) => uid !== undefined && references.framesOfReference.has(uid)),
    );
    how = 'it refers to no series, but shares the frame of reference with this one';
    if (present.length > 0)
      warning = { code: 'SegWithoutReference', message: `${source.kind} names no images; ${how}.` };
  }
  if (present.length === 0) return { why: 'the images it was drawn on are not in the study' };

  const sameFrame = present.filter(({ instances }) => {
    const uid = instances[0]?.frameOfReferenceUid;
    return uid === undefined || references.framesOfReference.size === 0 || references.framesOfReference.has(uid);
  });
  if (sameFrame.length === 0) return { why: 'its frame of reference differs from that of the images it names' };
  const held = sameFrame.filter(
    (series) => named === 0 || holds(series, references.byFrame) || holds(series, references.byObject),
  );
  if (held.length === 0) {
    // Re-exported images get new instance UIDs; the series and the frame of reference then still vouch for them.
    const vouched = sameFrame.filter(({ instances }) =>
      references.framesOfReference.has(instances[0]?.frameOfReferenceUid ?? ''),
    );
    if (vouched.length === 0) return { why: 'it names the series, but none of its images' };
    return {
      series: vouched,
      how: 'it refers to this series and shares its frame of reference',
      warning: {
        code: 'ReferencedImagesMissing',
        message: `The ${source.kind} names ${named} image(s), none of which is in the series; series and frame of reference agree.`,
      },
    };
  }
  return warning === undefined ? { series: held, how } : { series: held, how, warning };
}

/** The one series among several that a segmentation refers to: the one its frames name, then CT. */
function narrow(source: SegmentationSource, candidates: readonly Series[]): Series {
  const byFrame = candidates.filter(({ instances }) =>
    instances.some(({ sopInstanceUid }) => source.references.byFrame.has(sopInstanceUid)),
  );
  const pool = byFrame.length > 0 ? byFrame : candidates;
  const ct = pool.filter(({ modality }) => modality === 'CT');
  const left = ct.length > 0 ? ct : pool;
  if (left.length > 1) {
    throw new CohortflowError(
      'AmbiguousSeries',
      `the segmentation refers to ${left.length} series of the study: ${left.map(describeSeries).join('; ')}. Choose with --series.`,
      { candidates: left.map(describeSeries).slice(0, 50) },
    );
  }
  return left[0]!;
}

/** Refuses folders with images of several studies, unless the request decides. */
function oneStudy(images: readonly Series[], requested: readonly Series[] | undefined): Series[] {
  const studies = [...new Set(images.map(({ studyUid }) => studyUid))];
  if (studies.length <= 1) return [...images];
  const asked = new Set((requested ?? []).map(({ studyUid }) => studyUid));
  const chosen = studies.filter((uid) => asked.has(uid));
  if (chosen.length === 1) return images.filter(({ studyUid }) => studyUid === chosen[0]);
  const listed = studies.map((uid, at) => {
    const series = images.filter(({ studyUid }) => studyUid === uid).map(describeSeries);
    return `study ${at + 1}: ${series.join('; ')}`;
  });
  throw new CohortflowError(
    'SeveralStudies',
    `the folder holds ${studies.length} studies (${listed.slice(0, 8).join(' | ')}). Give each its own folder and row, or choose with --series.`,
    { studies: listed.slice(0, 50) },
  );
}

/**
 * Chooses the segmentation and the image series it was drawn on.
 *
 * A segmentation fits when the images it refers to are in the study and share its frame of reference; one that refers to
 * nothing fits the series with its frame of reference. Several that fit are refused unless `series` or `roi` decides; a
 * SEG is preferred to an RTSTRUCT, with a warning, and they are never merged.
 *
 * Throws `NoImageSeries`, `SeveralStudies`, `SeriesNotFound`, `SegNotFound`, `SegReferencesOtherSeries`, `RoiNotFound`,
 * `SegAmbiguous`, `AmbiguousSeries`.
 */
export function selectSeries(instances: readonly Instance[], request: SelectionRequest): Selection {
  const all = groupSeries(instances);
  const images = all
    .map((series) => ({
      ...series,
      instances: series.instances.filter((instance) => roleOf(instance) === 'image'),
    }))
    .filter(({ instances: members }) =>
      members.some((member) => isVolumeClass(member.sopClassUid) || hasPosition(member)),
    );
  const requested = request.series === undefined ? undefined : requestedSeries(all, request.series);
  const asked = new Set((requested ?? []).map(({ uid }) => uid));
  if (images.length === 0) {
    throw new CohortflowError(
      'NoImageSeries',
      `the study has ${instances.length} DICOM object(s) but no series of images that lie in the patient (${all.map(describeSeries).slice(0, 8).join('; ')}).`,
    );
  }
  const ofStudy = oneStudy(images, requested);
  const askedImages = ofStudy.filter(({ uid }) => asked.has(uid));
  const usable = askedImages.length > 0 ? askedImages : ofStudy;

  let sources = instances.flatMap((instance) => sourceOf(instance) ?? []);
  const askedSources = sources.filter(({ instance }) => asked.has(instance.seriesInstanceUid));
  if (askedSources.length > 0) sources = askedSources;
  if (sources.length === 0) {
    throw new CohortflowError(
      'SegNotFound',
      `the study has no segmentation (DICOM SEG or RTSTRUCT) beside its images: ${ofStudy.map(describeSeries).slice(0, 8).join('; ')}.`,
    );
  }

  const warnings: Warning[] = [];
  const fits = sources.map((source) => {
    const fit = fitOf(source, usable);
    const elsewhere = fit.series === undefined && usable !== ofStudy && fitOf(source, ofStudy).series !== undefined;
    return { source, fit: elsewhere ? { why: 'it was drawn on another series than the one asked for' } : fit };
  });
  const fitting = fits.flatMap(({ source, fit }) => (fit.series === undefined ? [] : [{ source, fit }]));
  const strangers = fits.flatMap(({ source, fit }) => (fit.series === undefined ? [{ source, why: fit.why }] : []));
  if (fitting.length === 0) {
    const listed = strangers.map(({ source, why }) => `${describeSource(source)}: ${why}`).slice(0, 8);
    throw new CohortflowError(
      'SegReferencesOtherSeries',
      `${listed.join('; ')}. Add that series, or the segmentation of this one.`,
      {
        segmentations: listed,
      },
    );
  }
  for (const { source, why } of strangers) {
    warnings.push({ code: 'SegmentationIgnored', message: `${describeSource(source)} was left out: ${why}.` });
  }

  let candidates = fitting;
  if (request.roi !== undefined) {
    const wanted = request.roi;
    candidates = fitting.filter(({ source }) => matchNames(source.regions, wanted).length > 0);
    if (candidates.length === 0) {
      const regions = [...new Set(fitting.flatMap(({ source }) => source.regions))];
      throw new CohortflowError('RoiNotFound', `no region matches "${wanted}"; there are: ${listNames(regions)}.`, {
        regions: regions.slice(0, 50),
      });
    }
  }
  const segs = candidates.filter(({ source }) => source.kind === 'SEG');
  if (segs.length > 0 && segs.length < candidates.length) {
    warnings.push({
      code: 'StructureSetIgnored',
      message:
        'The study has a SEG and an RTSTRUCT of these images; the SEG was used. Choose with --series to use the other.',
    });
    candidates = segs;
  }
  if (candidates.length > 1) {
    const listed = candidates.map(({ source }) => describeSource(source));
    throw new CohortflowError(
      'SegAmbiguous',
      `${listed.length} segmentations fit: ${listed.slice(0, 8).join('; ')}. Choose with --roi or --series.`,
      { candidates: listed.slice(0, 50) },
    );
  }
  const { source, fit } = candidates[0]!;
  if (fit.warning !== undefined) warnings.push(fit.warning);
  const series = narrow(source, fit.series);
  if (series.modality !== 'CT') {
    warnings.push({
      code: 'NotCt',
      message: `The segmented series is ${series.modality || 'of no named modality'}, not CT.`,
    });
  }
  if (source.references.repeated > 0) {
    warnings.push({
      code: 'RepeatedReference',
      message: `The ${source.kind} lists ${source.references.repeated} referenced image(s) more than once.`,
    });
  }
  const present = new Set(all.flatMap((one) => one.instances.map(({ sopInstanceUid }) => sopInstanceUid)));
  const { byFrame, byObject } = source.references;
  const named = [...new Set([...byFrame, ...byObject])];
  const absent = named.filter((uid) => !present.has(uid)).length;
  if (absent > 0 && absent < named.length) {
    warnings.push({
      code: 'ReferencedImagesMissing',
      message: `${absent} of the ${named.length} images that the ${source.kind} names are not in the study.`,
    });
  }
  const others = all.filter(({ uid }) => uid !== series.uid && uid !== source.instance.seriesInstanceUid);
  const why = [
    `${source.kind} "${source.instance.seriesDescription}" was chosen: ${fitting.length === 1 ? 'the only segmentation that fits' : 'by request or kind, of several that fit'}; ${fit.how}`,
    `images: ${describeSeries(series)}`,
    ...(others.length > 0 ? [`left out: ${others.map(describeSeries).join('; ')}`] : []),
  ];
  return { images: series, segmentation: source, why, warnings };
}
