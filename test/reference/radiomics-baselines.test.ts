import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import type { Volume } from '../../src/domain/geometry/volume.js';
import { readNifti } from '../../src/domain/nifti/read.js';
import { computeRadiomics, parseRadiomicsSettings } from '../../src/domain/radiomics/index.js';
import { sharedData } from '../support/shared-data.js';
import { relativeError } from '../support/statistics.js';

const FOLDER = sharedData('pyradiomics');
const FAMILIES = ['firstorder', 'glcm', 'gldm', 'glrlm', 'glszm', 'ngtdm', 'shape', 'shape2D'] as const;

/** One column of a baseline table: an image under settings, and what pyradiomics' authors got. */
interface Baseline {
  readonly title: string;
  readonly family: string;
  readonly image: string;
  readonly settings: Record<string, unknown>;
  readonly values: readonly (readonly [string, number])[];
}

/** The settings column is a Python dictionary of plain values. */
function pythonDictionary(text: string): Record<string, unknown> {
  const json = text
    .replaceAll("'", '"')
    .replace(/\b(True|False|None)\b/g, (word) => (word === 'None' ? 'null' : word.toLowerCase()));
  return JSON.parse(json) as Record<string, unknown>;
}

function baselinesOf(family: string): Baseline[] {
  if (FOLDER === undefined) return [];
  const [header, ...rows] = parse(readFileSync(join(FOLDER, `baseline_${family}.csv`))) as [string[], ...string[][]];
  const baselines = header.slice(1).map((title, index): Baseline => {
    const cell = (key: string): string => rows.find(([name]) => name === key)?.[index + 1] ?? '';
    return {
      title,
      family,
      image: cell('diagnostics_Configuration_TestCase').replace('_2D', ''),
      settings: pythonDictionary(cell('diagnostics_Configuration_Settings') || '{}'),
      values: rows
        .filter(([name = '']) => name.startsWith('original_'))
        .map((row) => [row[0]!, Number(row[index + 1])] as const),
    };
  });
  return baselines.filter(({ image }) => existsSync(join(FOLDER, `${image}_image.nii.gz`)));
}

/** One table is older than the mesh of pyradiomics 2.1 and later: 3.0.1 itself gives our numbers, 2e-4 beside it. */
function toleranceOf(family: string, title: string): number {
  return family === 'shape' && title === 'brain1' ? 1e-3 : 1e-6;
}

const volumes = new Map<string, Volume>();

function volume(name: string): Volume {
  const read = volumes.get(name) ?? readNifti(gunzipSync(readFileSync(join(FOLDER!, name))), name);
  volumes.set(name, read);
  return read;
}

describe.skipIf(FOLDER === undefined)('the baselines that pyradiomics is tested with', () => {
  describe.each(FAMILIES)('%s', (family) => {
    it.each(baselinesOf(family))('$title', ({ title, image, settings, values }) => {
      const document = { setting: settings, featureClass: { [family]: values.map(([name]) => name.split('_', 3)[2]) } };
      const mask = volume(`${image}_label.nii.gz`);
      const { features } = computeRadiomics(volume(`${image}_image.nii.gz`), mask, parseRadiomicsSettings(document));
      expect(Object.keys(features).sort()).toEqual(values.map(([name]) => name).sort());
      const off = values.filter(([name, wanted]) => {
        const value = features[name];
        return value === null || value === undefined || relativeError(value, wanted) > toleranceOf(family, title);
      });
      expect(off.map(([name, wanted]) => `${name}: ${String(features[name])}, not ${String(wanted)}`)).toEqual([]);
    });
  });
});
