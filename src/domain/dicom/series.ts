import type { Instance } from './instance.js';

/** The instances of one series in the order they were found. */
export interface Series {
  readonly uid: string;
  readonly studyUid: string;
  readonly modality: string;
  readonly description: string;
  readonly number: string;
  readonly instances: readonly Instance[];
}

/** Groups instances by SeriesInstanceUID, in order of first appearance. */
export function groupSeries(instances: readonly Instance[]): Series[] {
  const groups = new Map<string, Instance[]>();
  for (const instance of instances) {
    const group = groups.get(instance.seriesInstanceUid);
    if (group === undefined) groups.set(instance.seriesInstanceUid, [instance]);
    else group.push(instance);
  }
  return [...groups].map(([uid, members]) => {
    const first = members[0]!;
    return {
      uid,
      studyUid: first.studyInstanceUid,
      modality: first.modality,
      description: first.seriesDescription,
      number: first.seriesNumber,
      instances: members,
    };
  });
}

/** A series for messages: modality, description, number, count; no UID. */
export function describeSeries({ modality, description, number, instances }: Series): string {
  const name = description === '' ? '' : ` "${description}"`;
  const numbered = number === '' ? '' : ` (series ${number})`;
  const frames = instances.reduce((sum, { format }) => sum + format.frames, 0);
  return `${modality || 'unknown'}${name}${numbered}, ${frames} image(s)`;
}
