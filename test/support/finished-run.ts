import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FileLedger } from '../../src/adapters/local/file-ledger.js';
import { LocalFiles } from '../../src/adapters/local/files.js';
import { layout } from '../../src/contracts/layout.js';
import type { PanelChoice } from '../../src/domain/feature-table/gene-panel.js';
import { joinDatasetStep } from '../../src/steps/cohort/join-dataset.js';
import { writeFeatureGroupStep } from '../../src/steps/cohort/write-feature-group.js';
import type { JsonObject } from '../../src/steps/step.js';
import { runStep, temporaryFolder } from './run-step.js';

/** A study or sample of a made-up run. */
interface Unit {
  readonly part: string;
  readonly date?: string;
  readonly status?: string;
  readonly code?: string;
  readonly features?: Readonly<Record<string, number | null>>;
  /** TPM by gene. */
  readonly tpm?: Readonly<Record<string, number>>;
}

/** A made-up cohort as a run leaves it. */
export interface MadeUpRun {
  readonly cases: readonly {
    readonly caseId: string;
    readonly carried?: Readonly<Record<string, string>>;
    readonly imaging?: readonly Unit[];
    readonly genomics?: readonly Unit[];
  }[];
  /** clinical/features.csv and dropped.csv. */
  readonly clinical?: string;
  readonly dropped?: string;
  readonly params?: JsonObject;
  readonly eventTime?: string;
  readonly runId?: string;
}

const jsonLines = (items: readonly unknown[]): string => items.map((item) => `${JSON.stringify(item)}\n`).join('');

/** Writes the output folder of a run by the steps that the workflows run; returns the folder, which holds dataset.csv. */
export async function finishedRun(made: MadeUpRun, output = join(temporaryFolder('run'), 'out')): Promise<string> {
  const { cases, clinical, dropped, params = {}, eventTime = '2026-03-04T05:06:07Z', runId = 'run-1' } = made;
  const put = (path: string, text: string): string => {
    mkdirSync(dirname(join(output, path)), { recursive: true });
    writeFileSync(join(output, path), text);
    return join(output, path);
  };
  const ledger = new FileLedger(new LocalFiles());
  const finished: Record<'imaging' | 'genomics', unknown[]> = { imaging: [], genomics: [] };
  const expression = new Map<string, Readonly<Record<string, number>>>();
  const indexed = cases.map(({ caseId, carried = {}, ...units }) => {
    const index = (modality: 'imaging' | 'genomics', unit: Unit): unknown => {
      const { part, date, status = 'done', code = '', features, tpm } = unit;
      const folder = `${modality}/${part === '' ? caseId : `${caseId}/${part}`}`;
      const path =
        modality === 'imaging'
          ? put(`${folder}/features.json`, JSON.stringify(features ?? {}))
          : put(`${folder}/quant.genes.sf`, '');
      const files = status === 'done' ? [{ path, sha256: 'x' }] : [];
      if (tpm !== undefined) expression.set(`${caseId},${part}`, tpm);
      const dated = date === undefined ? {} : { date };
      if (files.length > 0) finished[modality].push({ caseId, part, ...dated, outputs: files });
      return { part, ...dated, status, code, files };
    };
    const { imaging = [], genomics = [] } = units;
    return {
      caseId,
      carried,
      imaging: imaging.map((unit) => index('imaging', unit)),
      genomics: genomics.map((unit) => index('genomics', unit)),
    };
  });
  put('run/cases.jsonl', jsonLines(indexed));
  put('run/params.json', JSON.stringify({ output, ...params }));

  const sources: Record<string, string> = {};
  if (finished.imaging.length > 0) sources['imaging'] = put('run/finished-imaging.jsonl', jsonLines(finished.imaging));
  if (expression.size > 0) {
    const ids = [...new Set([...expression.values()].flatMap((tpm) => Object.keys(tpm)))].sort();
    const several = [...expression.keys()].some((key) => !key.endsWith(','));
    const rows = [...expression].map(([key, tpm]) =>
      [several ? key : key.slice(0, -1), ...ids.map((id) => tpm[id] ?? '')].join(','),
    );
    const head = [several ? 'case_id,sample_id' : 'case_id', ...ids].join(',');
    sources['genomics'] = put('genomics/expression-tpm.csv', `${[head, ...rows].join('\n')}\n`);
  }
  if (clinical !== undefined) sources['clinical'] = put('clinical/features.csv', clinical);
  const drops = dropped === undefined ? {} : { dropped: [put('clinical/dropped.csv', dropped)] };

  const featureGroups = [];
  for (const [group, rows] of Object.entries(sources)) {
    const folder = `features/${group}`;
    const stamps = { eventTime, runId };
    // As the workflow does.
    const genes =
      group === 'genomics' && params['genes'] !== undefined ? { genes: params['genes'] as PanelChoice } : {};
    const request = { ...genes, group, recordIdentifier: 'Case_ID', eventTimeName: 'timestamp', ...stamps };
    const ran = await runStep(writeFeatureGroupStep, request, { rows: [rows] }, join(output, folder));
    const outputs = ran.outputs.map((path) => ({ path, size: 0, sha256: 'x' }));
    const manifest = { step: 'features.write', version: 2, params: 'x', inputs: {}, outputs, summary: ran.summary };
    await ledger.setManifest(layout.stepManifest(output, folder, 'features.write'), manifest);
    featureGroups.push({ group, outcome: 'done', file: join(output, folder, outputs[0]!.path), ...ran.summary });
  }
  const inputs = {
    cases: [join(output, 'run/cases.jsonl')],
    ...(clinical === undefined ? {} : { clinical: [sources['clinical']!] }),
    ...drops,
    ...(sources['genomics'] === undefined ? {} : { expression: [sources['genomics']] }),
  };
  await runStep(joinDatasetStep, params, inputs, output);
  await ledger.setOwner(output, {
    workflowId: 'multimodal-cohort:test',
    runId,
    startedAt: eventTime,
    state: 'finished',
    result: { featureGroups, ...(clinical === undefined ? {} : { clinical: { outcome: 'done' } }) },
  });
  return output;
}
