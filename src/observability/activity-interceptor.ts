import type { Context } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { NextUnits, StepReport, StepRequest, UnitPage } from '../contracts/activities.js';
import { Harmless } from './harmless.js';
import type { Ending, Metrics } from './metrics.js';
import { FAILURE_LOGGED } from './noise.js';
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
 * pseudonym is looked at. Whatever goes wrong with that, the activity ends as it would have ended unseen.
 */
export function activityInterceptor(metrics: Metrics): ActivityInterceptorsFactory {
  const harmless = new Harmless();
  return (context) => {
    const { log } = context;
    let labels: StepLabels | undefined;
    let failureLogged = false;

    async function observeStep(request: StepRequest, run: () => Promise<unknown>): Promise<unknown> {
      const known = harmless.try('labels', log, () => stepLabels(context, request));
      if (known === undefined) return run();
      labels = known;
      const { step, modality } = labels;
      const unit = request.unit && `${request.output}\n${request.unit.caseId}\n${request.unit.part}`;
      const began = performance.now();
      /** True when the line of the end was written. */
      const end = (ending: Omit<Ending, 'seconds'>): boolean => {
        const full = { ...ending, seconds: (performance.now() - began) / 1000 };
        harmless.try('metrics', log, () => metrics.stepEnded(step, modality, unit, full));
        const written = harmless.try('log', log, () => {
          logEnd(context, full);
          return true;
        });
        return written === true;
      };
      harmless.try('metrics', log, () => metrics.stepStarted(step, modality, unit));
      harmless.try('log', log, () => void log.debug('step started'));
      let report: unknown;
      try {
        report = await run();
      } catch (error) {
        const ending = harmless.try('labels', log, () => endingOf(error, context));
        if (ending !== undefined) failureLogged = end(ending) && ending.outcome !== 'cancelled';
        throw error;
      }
      const ended = harmless.try('labels', log, () => (report as StepReport).outcome);
      if (ended !== undefined) end({ outcome: ended, code: '' });
      return report;
    }

    async function observeUnits(page: UnitPage, run: () => Promise<unknown>): Promise<unknown> {
      const found = await run();
      harmless.try('metrics', log, () => {
        const { units, reused } = found as NextUnits;
        const before = units.reduce((total, unit) => total + unit.reused, 0);
        metrics.unitsReused(page.modality, before + reused);
      });
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
      outbound: {
        getLogAttributes: (input, next) =>
          next({ ...input, ...labels, ...(failureLogged ? { [FAILURE_LOGGED]: true } : {}) }),
      },
    };
  };
}
