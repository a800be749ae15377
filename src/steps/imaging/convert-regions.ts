import { CohortflowError } from '../../domain/errors.js';
import { safeNames } from '../../domain/dicom/name-match.js';
import type { Warning } from '../../domain/dicom/warning.js';
import type { Geometry } from '../../domain/geometry/volume.js';
import { allocateNifti } from '../../domain/nifti/write.js';
import type { StepIo } from '../step.js';
import type { Region, RegionReport } from './convert-masks.js';

/** The written masks, for conversion.json. */
export interface WrittenRegions {
  readonly segments: readonly (RegionReport & { readonly file: string | null })[];
  readonly roiVoxels: number;
  /** Voxels that belong to more than one region. */
  readonly overlapVoxels: number;
  readonly warnings: readonly Warning[];
}

/** Every second slice or fewer: contours or frames that were drawn on thicker slices than the image has. */
function hasStride(slices: readonly number[]): boolean {
  return slices.length >= 3 && slices.slice(1).every((k, at) => k - slices[at]! >= 2);
}

/**
 * Draws the regions one after the other, writes each into `segments/` when there are several, and their union as
 * `seg.nii.gz`. One region's mask and the union are in memory at a time, however many there are.
 *
 * Throws `EmptyMask` when the union has no voxel.
 */
export async function writeRegions(
  io: StepIo,
  grid: Geometry,
  regions: readonly Region[],
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<WrittenRegions> {
  const union = allocateNifti(grid, 'uint8');
  const files = safeNames(regions.map(({ name }) => name));
  const segments: (RegionReport & { file: string | null })[] = [];
  const warnings: Warning[] = [];
  let overlapVoxels = 0;
  for (const [at, region] of regions.entries()) {
    signal.throwIfAborted();
    if (regions.length > 1) progress(`segment ${at + 1} of ${regions.length}`);
    const single = regions.length === 1 ? union : allocateNifti(grid, 'uint8');
    const { report, warnings: found } = await region.draw(single.data);
    warnings.push(...found);
    let file: string | null = null;
    if (regions.length > 1) {
      const plane = grid.size[0] * grid.size[1];
      for (const k of report.slices) {
        for (let voxel = k * plane; voxel < (k + 1) * plane; voxel++) {
          if (single.data[voxel] === 0) continue;
          if (union.data[voxel] === 1) overlapVoxels++;
          else union.data[voxel] = 1;
        }
      }
      if (report.voxelsOut === 0)
        warnings.push({ code: 'EmptySegment', message: `Segment "${region.name}" has no voxel.` });
      else {
        file = `segments/${files[at]!}.nii.gz`;
        await io.files.makeFolder(`${io.outputFolder}/segments`);
        await io.files.writeGzip(`${io.outputFolder}/${file}`, single.bytes);
      }
    }
    if (hasStride(report.slices)) {
      warnings.push({
        code: 'SparseSlices',
        message: `"${region.name}" skips slices all along: it was drawn on thicker slices than the image has.`,
      });
    }
    segments.push({ ...report, file });
  }
  const roiVoxels = segments.reduce((sum, { voxelsOut }) => sum + voxelsOut, 0) - overlapVoxels;
  if (roiVoxels === 0) {
    // What was noticed on the way is most of the times the reason.
    const noticed = warnings.filter(({ code }) => code !== 'EmptySegment').map(({ message }) => message);
    throw new CohortflowError(
      'EmptyMask',
      ['the region of interest has no voxel on the image grid.', ...noticed.slice(0, 3)].join(' '),
      { segments: segments.length },
    );
  }
  if (overlapVoxels > 0) {
    warnings.push({
      code: 'SegmentOverlap',
      message: `${overlapVoxels} voxel(s) belong to more than one segment; the union counts them once.`,
    });
  }
  await io.files.writeGzip(`${io.outputFolder}/seg.nii.gz`, union.bytes);
  return { segments, roiVoxels, overlapVoxels, warnings };
}
