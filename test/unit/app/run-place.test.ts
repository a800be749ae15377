import { describe, expect, it } from 'vitest';
import { heldElsewhere, refuseEarlier, withPlace, type PlaceServices } from '../../../src/app/run-place.js';
import { CohortflowError } from '../../../src/domain/errors.js';
import type { ServerIdentity } from '../../../src/ports/cohort-server.js';
import type { RunOwner } from '../../../src/ports/run-ledger.js';

const HERE: ServerIdentity = { namespaceId: 'n-here', namespace: 'default', address: '127.0.0.1:7233' };
const THERE: ServerIdentity = { namespaceId: 'n-there', namespace: 'trials', address: 'temporal.example.org:7233' };
const OUTPUT = '/data/out';
const ID = 'cohortflow-abc';

function owner(server: ServerIdentity | undefined, changes: Partial<RunOwner> = {}): RunOwner {
  const run = { workflowId: ID, runId: 'r', startedAt: '2026-03-01T10:00:00.000Z', state: 'running' as const };
  return { ...run, ...(server === undefined ? {} : { server }), ...changes };
}

function services(found: RunOwner | undefined): PlaceServices {
  return { server: { identity: async () => HERE }, ledger: { owner: async () => found } };
}

const NOT_FOUND = new CohortflowError('RunNotFound', `no run ${ID} is open on this server`);
const told = async (found: RunOwner | undefined, output: string | undefined = OUTPUT): Promise<string> =>
  (await withPlace(NOT_FOUND, ID, output, services(found))).message;

describe('a command that finds no run', () => {
  it('names the server that holds it, and what to do', async () => {
    const message = await told(owner(THERE));
    expect(message).toContain('127.0.0.1:7233 (namespace default) was asked');
    expect(message).toContain(
      `held by workflow ${ID} on the Temporal server at temporal.example.org:7233 (namespace trials)`,
    );
    expect(message).toMatch(/TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.*--take-over/);
    expect(message).not.toContain('n-there');
  });

  it('says that a server of the same name is another one now, which nobody can ask', async () => {
    const message = await told(owner({ ...HERE, namespaceId: 'n-before' }));
    expect(message).toContain('has been set up anew since');
    expect(message).toContain('--take-over');
    expect(message).not.toContain('TEMPORAL_ADDRESS');
  });

  it('says where the last run ended, and that it may be given again', async () => {
    const message = await told(owner(THERE, { state: 'finished' }));
    expect(message).toMatch(
      /temporal\.example\.org:7233 .* is finished: ask that server, or give the command of run again/,
    );
    expect(message).not.toContain('--take-over');
  });

  it('names the id of a run that was started under another one', async () => {
    expect(await told(owner(HERE, { workflowId: 'mine' }))).toContain('workflow mine: give that id');
  });

  it.each([
    ['nobody has written there', undefined],
    ['a run of this server, which has ended', owner(HERE, { state: 'finished' })],
    ['a run that did not say on which server it is', owner(undefined)],
  ])('says only who was asked: %s', async (_, found) => {
    expect(await told(found)).toBe(
      `${NOT_FOUND.message}; the Temporal server at 127.0.0.1:7233 (namespace default) was asked`,
    );
  });

  it('says what would tell more where the run was named by its id', async () => {
    const { message } = await withPlace(NOT_FOUND, ID, undefined, services(owner(THERE)));
    expect(message).toContain('--output');
    expect(message).not.toContain('example.org');
  });

  it('keeps its first failure when server or folder cannot be asked', async () => {
    const fails = async (): Promise<never> => {
      throw new CohortflowError('ServerUnavailable', 'away');
    };
    const { ledger, server } = services(owner(THERE));
    expect(await withPlace(NOT_FOUND, ID, OUTPUT, { ledger, server: { identity: fails } })).toBe(NOT_FOUND);
    expect((await withPlace(NOT_FOUND, ID, OUTPUT, { server, ledger: { owner: fails } })).message).toContain(
      'was asked',
    );
  });
});

describe('a run of the same id that ended on this server', () => {
  it('does not stand for a later one on another', async () => {
    await expect(refuseEarlier(ID, OUTPUT, services(owner(THERE)))).rejects.toMatchObject({ code: 'RunNotFound' });
    await expect(refuseEarlier(ID, OUTPUT, services(owner(THERE, { state: 'finished' })))).rejects.toThrow('earlier');
  });

  it('is what is meant when it was the last', async () => {
    await refuseEarlier(ID, OUTPUT, services(owner(HERE, { state: 'finished' })));
    await refuseEarlier(ID, undefined, services(owner(THERE)));
    expect(await heldElsewhere(OUTPUT, services(owner(HERE)))).toBeUndefined();
  });
});
