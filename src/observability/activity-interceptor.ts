import type { Context } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { NextUnits, StepReport, StepRequest, UnitPage } from '../contracts/activities.js';
import type { Ending, Metrics } from './metrics.js';
import { endingOf, stepLabels, type StepLabels } from './step-labels.js';

function logEnd({ log }: Context, ending: Ending): void {
  const { outcome, code, seconds } = ending;
  const meta = { outcome, seconds: Math.round(seconds * 1000) / 1000, ...(code === '' ? {} : { code }) };
  if (outcome === 'failed') log.warn('step failed', meta);
  else if (outcome === 'retried') log.warn('step is tried again', meta);
  else log.info(`step ${outcome}`, meta);
}

/**
 * Measures and logs every activity in one place: steps by outcome, code and seconds; units that were found finished. Log
 * lines that come from within a step say which step of which case it is. Nothing of a request but its kinds and the case's
 * pseudonym is looked at.
 */
export function activityInterceptor(metrics: Metrics): ActivityInterceptorsFactory {
  return (context) => {
    let labels: StepLabels | undefined;

    async function observeStep(request: StepRequest, run: () => Promise<unknown>): Promise<unknown> {
      labels = stepLabels(context, request);
      const { step, modality } = labels;
      const unit = request.unit && `${request.output}\n${request.unit.caseId}\n${request.unit.part}`;
      const began = performance.now();
      const end = (ending: Omit<Ending, 'seconds'>): void => {
        const full = { ...ending, seconds: (performance.now() - began) / 1000 };
        metrics.stepEnded(step, modality, unit, full);
        logEnd(context, full);
      };
      metrics.stepStarted(step, modality, unit);
      context.log.debug('step started');
      try {
        const report = (await run()) as StepReport;
        end({ outcome: report.outcome, code: '' });
        return report;
      } catch (error) {
        end(endingOf(error, context));
        throw error;
      }
    }

    async function observeUnits({ modality }: UnitPage, run: () => Promise<unknown>): Promise<unknown> {
      const found = (await run()) as NextUnits;
      const before = found.units.reduce((total, unit) => total + unit.reused, 0);
      metrics.unitsReused(modality, before + found.reused);
      return found;
    }

    return {
      inbound: {
        execute: (input, next) => {
          const { activityType } = context.info;
          const run = (): Promise<unknown> => next(input);
          if (activityType === 'runStep') return observeStep(input.args[0] as StepRequest, run);
          return activityType === 'nextUnits' ? observeUnits(input.args[0] as UnitPage, run) : run();
        },
      },
      outbound: { getLogAttributes: (input, next) => next({ ...input, ...labels }) },
    };
  };
}
