import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Volume } from '../../../../src/domain/geometry/volume.js';
import { computeRadiomics, parseRadiomicsSettings } from '../../../../src/domain/radiomics/index.js';
import { relativeError } from '../../../support/statistics.js';

/** One small region and what pyradiomics 3.0.1 answers (scripts/oracle/radiomics-cases.py writes them). */
interface Case {
  readonly name: string;
  readonly size: [number, number, number];
  readonly spacing: [number, number, number];
  readonly type: 'short' | 'float' | 'double';
  readonly image: number[];
  /** A digit per voxel. */
  readonly mask: string;
  readonly document: Record<string, unknown>;
  readonly features?: Record<string, number | null>;
  /** pyradiomics' refusal. */
  readonly error?: string;
}

const ARRAYS = { short: Int16Array, float: Float32Array, double: Float64Array };
const CASES = readFileSync(new URL('golden/regions.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

function volumesOf({ size, spacing, type, image, mask }: Case): { image: Volume; mask: Volume } {
  const geometry: Volume['geometry'] = {
    size,
    spacing,
    origin: [0, 0, 0],
    directions: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  };
  return {
    image: { geometry, data: ARRAYS[type].from(image) },
    mask: { geometry, data: Uint8Array.from(mask, Number) },
  };
}

function compute(region: Case): ReturnType<typeof computeRadiomics> {
  const { image, mask } = volumesOf(region);
  // Cases without a document carry the deprecated features and the 2D shape of the largest slice too.
  const set = Object.keys(region.document).length === 0 ? 'seed' : 'default';
  return computeRadiomics(image, mask, parseRadiomicsSettings(region.document, set));
}

describe('small, strange and parametrised regions', () => {
  it.each(CASES.filter(({ features }) => features !== undefined))('$name: as pyradiomics 3.0.1', (region) => {
    const { features, nullReasons } = compute(region);
    const expected = region.features ?? {};
    const names = Object.keys(expected).filter((name) => name in features);
    expect(Object.keys(features).filter((name) => !(name in expected))).toEqual([]);
    const wrong = names.filter((name) => {
      const value = features[name]!;
      const wanted = expected[name]!;
      if (value === null || wanted === null) return value !== wanted;
      // Axes without extent have the length 0 here and rounding noise of 1e-8 mm there.
      if (name.startsWith('original_shape') && Math.abs(value - wanted) < 1e-7) return false;
      return relativeError(value, wanted) > 1e-7;
    });
    expect(wrong.map((name) => `${name}: ${String(features[name])}, not ${String(expected[name])}`)).toEqual([]);
    const nulls = names.filter((name) => features[name] === null);
    expect(Object.keys(nullReasons).sort()).toEqual(nulls.sort());
  });

  it.each(CASES.filter(({ error }) => error !== undefined))('$name: refused, as by pyradiomics', (region) => {
    expect(() => compute(region)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/RoiTooSmall|EmptyMask/) }),
    );
  });
});
