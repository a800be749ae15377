import { describe, expect, it } from 'vitest';
import { trippedModalities, trippedModality, type ModalityProgress } from '../../../src/app/run-progress.js';
import { NO_UNITS } from '../../../src/contracts/outcome.js';

const now = '2026-01-01T00:00:00.000Z';

function progress(modality: 'imaging' | 'genomics', changes: Partial<ModalityProgress> = {}): ModalityProgress {
  const steering = { width: 2, paused: true, startRate: 0, retried: 0, lanes: [], lastFailures: [] };
  return { ...NO_UNITS, modality, workflowId: `run/${modality}`, running: 0, ...steering, asOf: now, ...changes };
}

describe('a run that its circuit breaker paused', () => {
  const breaker = { code: 'DiskFull', failures: 5, since: now } as const;
  const run = (imaging: ModalityProgress) => {
    const genomics = progress('genomics', { running: 1 });
    return { phase: 'running', startedAt: now, modalities: { imaging, genomics } } as const;
  };

  it('goes on in the modality that tripped, also while others of its cases are under way, and in no other', () => {
    const tripped = run(progress('imaging', { running: 3, breaker }));
    expect(trippedModalities(tripped).map(({ workflowId }) => workflowId)).toEqual(['run/imaging']);
    // Whoever follows it stays until they have ended.
    expect(trippedModality(tripped)).toBeUndefined();
    expect(trippedModality(run(progress('imaging', { breaker })))).toBe('imaging');
  });

  it('is not one that someone paused', () => {
    expect(trippedModalities(run(progress('imaging')))).toEqual([]);
  });
});
