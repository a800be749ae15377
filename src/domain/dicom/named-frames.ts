import type { Frame } from './frame.js';
import type { ImageReferences } from './references.js';

/** What a segmentation says of the images it was drawn on. */
export type References = Pick<ImageReferences, 'byFrame' | 'frameNumbers' | 'byObject'>;

/** True when frames or contours of the segmentation name this frame. */
export function isNamed({ instance, index }: Frame, { byFrame, frameNumbers }: References): boolean {
  const numbers = frameNumbers.get(instance.sopInstanceUid);
  return byFrame.has(instance.sopInstanceUid) && (numbers === undefined || numbers.has(index + 1));
}

/** The one group that the segmentation's references fall into, or undefined when they name none or several. */
export function referencedGroup(groups: readonly (readonly Frame[])[], references: References): number | undefined {
  const byFrame = (frame: Frame): boolean => isNamed(frame, references);
  const byObject = ({ instance }: Frame): boolean => references.byObject.has(instance.sopInstanceUid);
  for (const isReferenced of [byFrame, byObject]) {
    const named = groups.flatMap((group, at) => (group.some(isReferenced) ? [at] : []));
    if (named.length === 1) return named[0];
    // The frames' own references are the stronger word: when they name several groups, a list of all images cannot help.
    if (named.length > 1 && isReferenced === byFrame) return undefined;
  }
  return undefined;
}

/** True when the segmentation names every image of one part and none of the others: it was drawn on that volume. */
export function namesOnePart(parts: readonly (readonly Frame[])[], { byFrame, byObject }: References): boolean {
  const isNamedAtAll = ({ instance: { sopInstanceUid: uid } }: Frame): boolean => byFrame.has(uid) || byObject.has(uid);
  const touched = parts.filter((part) => part.some(isNamedAtAll));
  return touched.length === 1 && touched[0]!.every(isNamedAtAll);
}
