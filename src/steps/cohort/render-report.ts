import { reportHtml } from '../../report/html.js';
import { collectReport } from '../../report/collect.js';
import { CohortflowError } from '../../domain/errors.js';
import type { JsonObject, Step } from '../step.js';

/** Parameters of `report.render`. */
export type ReportParams = {
  /** Cases whose pictures are embedded; failures and the first of the sheet first. */
  readonly pictures?: number;
  /** What run/run.json will say when the run is over: its `result`, and `joinedAt`. */
  readonly run?: JsonObject;
};

/**
 * Renders `report.html`: one file that needs nothing else. Input `output`: the output folder with run/run.json,
 * run/outcomes.csv, run/cases.jsonl and the results; what is missing is left out.
 */
export const renderReportStep: Step<ReportParams, { readonly cases: number }> = {
  name: 'report.render',
  version: 3,
  async run(call) {
    const [output] = call.inputs['output'] ?? [];
    if (output === undefined) throw new CohortflowError('InvalidInput', 'report.render needs the input output');
    const { pictures, run } = call.params;
    const model = await collectReport(output, call.io.files, call.signal, pictures, run);
    await call.io.files.write(`${call.io.outputFolder}/report.html`, reportHtml(model));
    return { cases: model.cases.length };
  },
};
