import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { CohortActivities, StepActivities, StepReport, StepRequest } from '../contracts/activities.js';
import type { OutcomeRecord } from '../contracts/outcome.js';
import { MOST_OWN_FAILURES, isOwnFailure } from '../contracts/own-failures.js';
import { CLAIM_SIGNAL } from '../contracts/pools.js';
import type { RemoteRequest, RemoteTicket } from '../contracts/remote-work.js';
import type { ServiceActivities } from '../contracts/service-activities.js';
import { poolWorkflowId } from '../contracts/workflow-ids.js';
import type { CohortUnit } from '../domain/cohort/manifest.js';
import { CohortflowError } from '../domain/errors.js';
import { succeeding, type StepBehaviour } from './behaviours.js';

/** One attempt of a mocked step. */
export interface MockedStep {
  readonly step: string;
  /** Empty for a step of the whole cohort. */
  readonly caseId: string;
  readonly attempt: number;
}

/** What mocks are made from. */
export interface MockOptions {
  /** The studies and samples of the cohort; a case may have several of both. */
  readonly units: readonly CohortUnit[];
  /** What the attempts of steps do; all succeed when not given. */
  readonly behave?: StepBehaviour;
  /** What waiting for work of a service comes to; all of it ends well when not given. */
  readonly behaveRemotely?: RemoteBehaviour;
}

/**
 * What waiting for the work of a service does; returning means that it ended well, throwing that it failed.
 *
 * @param ticket its name is `<case>-<try>`
 * @param attempt of the waiting, 1 for the first
 */
export type RemoteBehaviour = (ticket: RemoteTicket, attempt: number) => void | Promise<void>;

/** Work that was given to a service and has not ended. */
export type AliveWork = Set<string>;

/**
 * Activities in memory in place of files, programs and processes, and everything the workflows asked of them. A test may
 * empty the lists between its parts.
 */
export interface MockActivities {
  /** For a worker on the workflows' own queue. */
  readonly quick: CohortActivities;
  /** For a worker on `<taskQueue>-cpu`. */
  readonly heavy: StepActivities;
  /** For a worker on `<taskQueue>-remote`. */
  readonly remote: ServiceActivities;
  /** Names of the work that services have right now. */
  readonly alive: AliveWork;
  /** Names of all work that was ever given to a service, in order. */
  readonly given: string[];
  /** Outcomes of what did not succeed, as the workflows wrote them; in order. */
  readonly records: OutcomeRecord[];
  /** Every attempt of a step, in order. */
  readonly steps: MockedStep[];
  /** How runs were closed: `finished` or `cancelled`. */
  readonly closed: string[];
}

/** The same failure that a real step activity throws for an error with a code. */
function asFailure(error: unknown, attempt: number): unknown {
  if (!(error instanceof CohortflowError)) return error;
  const { code, message, details, retryable } = error;
  const facts = { attempt, started: new Date().toISOString(), seconds: 0 };
  return ApplicationFailure.create({
    type: code,
    message,
    nonRetryable: !retryable || (isOwnFailure(code) && attempt >= MOST_OWN_FAILURES),
    details: [{ ...facts, ...details }],
  });
}

async function claimThroughServer(claim: Parameters<CohortActivities['claimPool']>[0]): Promise<void> {
  const { client, info } = Context.current();
  await client.workflow.signalWithStart('resourcePool', {
    workflowId: poolWorkflowId(claim.pool),
    taskQueue: info.taskQueue,
    args: [{ pool: claim.pool }],
    signal: CLAIM_SIGNAL,
    signalArgs: [claim],
  });
}

/**
 * Mocks of all activities that cohortflow's workflows call, typed by the contract of the real ones. They keep the cohort in
 * memory: the sheet that a workflow names is not read, and nothing is written to its output. Make them anew for each test.
 */
export function mockActivities({ units, behave = succeeding, behaveRemotely }: MockOptions): MockActivities {
  const records: OutcomeRecord[] = [];
  const steps: MockedStep[] = [];
  const closed: string[] = [];
  const rounds = new Map<string, CohortUnit[]>();
  const of = (modality: string): CohortUnit[] => units.filter((unit) => unit.modality === modality);
  const keyOf = ({ caseId, part }: Pick<OutcomeRecord, 'caseId' | 'part'>): string => `${caseId}/${part}`;
  const partOf = (unit: CohortUnit): string => (unit.modality === 'imaging' ? unit.studyId : unit.sampleId) ?? '';

  /** The units of a modality that failed last, and with which record. */
  function failed(modality: string): { unit: CohortUnit; record: OutcomeRecord }[] {
    const ours = records.filter((record) => record.modality === modality);
    const last = new Map(ours.map((record) => [keyOf(record), record]));
    return of(modality).flatMap((unit) => {
      const record = last.get(keyOf({ caseId: unit.caseId, part: partOf(unit) }));
      return record?.outcome === 'failed' ? [{ unit, record }] : [];
    });
  }

  const quick: CohortActivities = {
    prepareCohort: async ({ runId, modalities }) => ({
      runId,
      cases: new Set(units.map((unit) => unit.caseId)).size,
      imaging: modalities.includes('imaging') ? of('imaging').length : 0,
      genomics: modalities.includes('genomics') ? of('genomics').length : 0,
    }),
    nextUnits: async ({ modality, round, first, stride, from, limit }) => {
      const whole = round === 0 ? of(modality) : (rounds.get(`${modality}-${round}`) ?? []);
      const slice = whole.filter((_, index) => index >= first && (index - first) % stride === 0);
      const found = slice.slice(from, from + limit).map((unit, index) => ({ unit, at: from + index, reused: 0 }));
      return { units: found, reused: 0, next: from + found.length };
    },
    selectFailed: async ({ modality, round, choice }) => {
      const chosen = failed(modality)
        .filter(({ record }) => choice.code === undefined || record.code === choice.code)
        .filter(({ record }) => choice.step === undefined || record.step === choice.step)
        .map(({ unit }) => unit);
      rounds.set(`${modality}-${round}`, chosen);
      return { total: chosen.length };
    },
    claimPool: claimThroughServer,
    openWorkflows: async ({ ids }) => ({ open: ids }),
    recordOutcome: async ({ record }) => void records.push(record),
    listFinished: async () => ({ list: '/list.jsonl', units: 1, segments: 0 }),
    compactOutcomes: async () => ({
      file: '/outcomes.csv',
      cases: '/cases.jsonl',
      failed: records.filter((record) => record.outcome === 'failed').length,
    }),
    closeRun: async ({ state }) => void closed.push(state),
  };
  const heavy: StepActivities = {
    runStep: async (request: StepRequest): Promise<StepReport> => {
      const { attempt } = Context.current().info;
      steps.push({ step: request.step, caseId: request.unit?.caseId ?? '', attempt });
      try {
        await behave(request, attempt);
      } catch (error) {
        throw asFailure(error, attempt);
      }
      return { outcome: 'done', why: 'new', folder: '/out', outputs: ['a.txt'], summary: { rows: 1, columns: 1 } };
    },
  };
  return { quick, heavy, ...mockRemote(behaveRemotely), records, steps, closed };
}

function mockRemote(behave: RemoteBehaviour = () => undefined): Pick<MockActivities, 'remote' | 'alive' | 'given'> {
  const alive: AliveWork = new Set();
  const given: string[] = [];
  const nameOf = (request: RemoteRequest): string =>
    `${'input' in request ? request.input.unit.caseId : 'hash-table'}-${request.attempt}`;
  const remote: ServiceActivities = {
    submitWork: async (request) => {
      const name = nameOf(request);
      alive.add(name);
      given.push(name);
      return { reused: false, ticket: { executor: request.executor, name, place: `s3://work/${name}` } };
    },
    awaitWork: async ({ ticket }) => {
      const { attempt } = Context.current().info;
      try {
        await behave(ticket, attempt);
      } catch (error) {
        throw asRemoteFailure(error, attempt);
      }
      // A machine stays until someone ends it.
      if (ticket.executor === 'sagemaker') alive.delete(ticket.name);
      return { results: ticket.executor === 'dragen' ? { quant: [`${ticket.place}/quant.sf`] } : {} };
    },
    adoptWork: async () => ({ outcome: 'done' }),
    stopWork: async (request) => void alive.delete(nameOf(request)),
    ingestFeatures: async ({ group }) => ({
      ...{ group, outcome: 'done', form: 'whole', said: 'one group', records: 1, failed: 0 },
      ...{ latestEventTime: '2026-01-01T00:00:00Z', featureGroups: [] },
    }),
    sweepRemote: async () => ({ alive: alive.size, belongs: alive.size, found: [], unasked: [] }),
  };
  return { remote, alive, given };
}

/** The end of work is not waited for again, even where the work itself may be tried again. */
function asRemoteFailure(error: unknown, attempt: number): unknown {
  const failure = asFailure(error, attempt);
  if (!(error instanceof CohortflowError) || !(failure instanceof ApplicationFailure)) return failure;
  const { message, details } = failure;
  return ApplicationFailure.create({
    type: error.code,
    message,
    nonRetryable: true,
    details: [...(details ?? [])],
  });
}
