/**
 * Times the 107 default features on ellipsoids of several sizes, and beside them pyradiomics when a Python that has it is
 * given:
 *
 *     npm run build && node bench/radiomics.mjs [--python /path/to/python] [--json] [--sizes 5000,17000] [--bin-width 25]
 *
 * Both sides get the image and the mask in memory, take turns on one core and are warm; medians are printed, and the
 * largest relative difference between the two sides' features.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { writeNifti } from '../dist/domain/nifti/write.js';
import { computeRadiomics, parseRadiomicsSettings } from '../dist/domain/radiomics/index.js';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string' },
    json: { type: 'boolean', default: false },
    sizes: { type: 'string', default: '5000,17000,150000,1000000' },
    rounds: { type: 'string', default: '5' },
    'bin-width': { type: 'string', default: '25' },
  },
});
const rounds = Number(options.rounds);
const binWidth = Number(options['bin-width']);
// Exact in single precision, as NIfTI keeps it.
const spacing = [0.75, 0.75, 1.5];

/** A sequence of numbers in [0, 1), the same in every run (mulberry32). */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A lumpy ellipsoid of about `voxels` voxels in soft tissue with noise. */
function phantom(voxels) {
  const r = Math.cbrt((voxels * 3) / (4 * Math.PI));
  const radii = [r * 1.2, r, r / 1.2];
  const size = radii.map((radius) => Math.ceil(2 * radius * 1.15) + 8);
  const data = new Int16Array(size[0] * size[1] * size[2]);
  const inside = new Uint8Array(data.length);
  const next = random(voxels);
  let at = 0;
  for (let k = 0; k < size[2]; k += 1)
    for (let j = 0; j < size[1]; j += 1)
      for (let i = 0; i < size[0]; i += 1, at += 1) {
        const [x, y, z] = [i, j, k].map((n, axis) => (n - size[axis] / 2) / radii[axis]);
        const lump = 0.12 * Math.sin(5 * x) * Math.cos(4 * y + 3 * z);
        inside[at] = x * x + y * y + z * z < 1 + lump ? 1 : 0;
        const noise = (next() + next() + next() - 1.5) * 120;
        data[at] = Math.round(inside[at] ? 60 + 200 * lump + noise : -80 + noise);
      }
  const geometry = {
    size,
    spacing,
    origin: [0, 0, 0],
    directions: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  };
  return { image: { geometry, data }, mask: { geometry, data: inside } };
}

/** Reads two files, then extracts once per line of its input. */
const PYTHON = `
import json, sys, time
import SimpleITK as sitk
import radiomics
from radiomics import featureextractor
radiomics.setVerbosity(60)
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
image, mask = sitk.ReadImage(sys.argv[1]), sitk.ReadImage(sys.argv[2])
extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False, binWidth=float(sys.argv[3]))
for line in sys.stdin:
    start = time.perf_counter()
    result = extractor.execute(image, mask)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "features": {k: float(v) for k, v in result.items() if k.startswith("original")}}), flush=True)
`;

function startPython(python, imagePath, maskPath) {
  const child = spawn(python, ['-c', PYTHON, imagePath, maskPath, String(binWidth)], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async extract() {
      child.stdin.write('go\n');
      const { value, done } = await answers.next();
      if (done) throw new Error('Python ended: does it have pyradiomics and SimpleITK?');
      return JSON.parse(value);
    },
    end: () => child.stdin.end(),
  };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function largestDifference(ours, theirs) {
  let worst = 0;
  for (const [name, value] of Object.entries(theirs))
    worst = Math.max(worst, Math.abs(ours[name] - value) / Math.max(Math.abs(value), 1e-9));
  return worst;
}

async function measure(voxels, folder) {
  const { image, mask } = phantom(voxels);
  const settings = parseRadiomicsSettings({ setting: { binWidth } });
  const ours = [];
  const theirs = [];
  let difference;
  let python;
  if (options.python !== undefined) {
    const paths = ['image', 'mask'].map((name) => join(folder, `${name}-${voxels}.nii`));
    writeFileSync(paths[0], writeNifti(image));
    writeFileSync(paths[1], writeNifti(mask));
    python = startPython(options.python, ...paths);
  }
  let roiVoxels = 0;
  // The first round warms both sides up and is not counted.
  for (let round = 0; round <= rounds; round += 1) {
    const start = performance.now();
    const result = computeRadiomics(image, mask, settings);
    const seconds = (performance.now() - start) / 1000;
    roiVoxels = result.roiVoxels;
    if (round > 0) ours.push(seconds);
    if (python === undefined) continue;
    const answer = await python.extract();
    difference = largestDifference(result.features, answer.features);
    if (round > 0) theirs.push(answer.seconds);
  }
  python?.end();
  const row = { roiVoxels, cohortflowSeconds: median(ours) };
  if (theirs.length === 0) return row;
  return { ...row, pyradiomicsSeconds: median(theirs), ratio: median(theirs) / median(ours), difference };
}

const folder = mkdtempSync(join(tmpdir(), 'radiomics-bench-'));
try {
  const rows = [];
  for (const voxels of options.sizes.split(',').map(Number)) rows.push(await measure(voxels, folder));
  if (options.json) console.log(JSON.stringify({ node: process.version, rounds, binWidth, rows }, null, 1));
  else console.table(rows.map((row) => ({ ...row, difference: row.difference?.toExponential(1) })));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
