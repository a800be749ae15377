// Stands for the processing image where only its time matters: waits, then leaves small results as our container would.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [seconds = '1', versions = '{}'] = process.argv.slice(2);
const results = `${process.env.COHORTFLOW_CONTAINER_ROOT}/opt/ml/processing/output/results`;
const MADE = {
  'imaging.convert': ['ct.nii.gz', 'seg.nii.gz', 'conversion.json'],
  'imaging.radiomics': ['features.json', 'geometry.json'],
  'imaging.overlay': ['overlay-ortho.png', 'overlay-z.png'],
};

await sleep(Number(seconds) * 1000);
mkdirSync(results, { recursive: true });
const started = new Date().toISOString();
const steps = Object.entries(MADE).map(([step, names]) => {
  const outputs = names.map((path) => {
    const content = path.endsWith('.json') ? '{}\n' : path;
    writeFileSync(`${results}/${path}`, content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { path, size: content.length, sha256 };
  });
  return { step, version: JSON.parse(versions)[step], outputs, summary: {}, started, seconds: 1 };
});
writeFileSync(`${results}/steps.json`, JSON.stringify({ steps }));
