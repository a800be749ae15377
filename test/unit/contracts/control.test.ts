import { describe, expect, it } from 'vitest';
import { checkRetryRequest, checkStartRate, checkWidthRequest } from '../../../src/contracts/control.js';
import { fanOutChoice, fanOutFields } from '../../../src/contracts/fan-out-choice.js';

describe('what a running cohort may be told', () => {
  it.each([[1], [500], [{ imaging: 3 }], [{ imaging: 3, genomics: 4 }]])('a width: %j', (request) => {
    expect(() => checkWidthRequest(request)).not.toThrow();
  });

  it.each([
    [0, 'concurrency must be a whole number from 1 to 500, found 0'],
    ['4', 'found a string'],
    [{ imaging: 501 }, 'concurrency.imaging'],
    [{ images: 3 }, 'unknown: images; known: imaging, genomics'],
    [{}, 'nothing is given'],
  ])('no width: %j', (request, message) => {
    expect(() => checkWidthRequest(request)).toThrow(message);
  });

  it.each([[0], [60_000]])('a start rate: %i', (rate) => {
    expect(() => checkStartRate(rate)).not.toThrow();
  });

  it.each([[-1], [1.5], ['60'], [60_001]])('no start rate: %j', (rate) => {
    expect(() => checkStartRate(rate)).toThrow('startRate must be a whole number');
  });

  it.each([[undefined], [{}], [{ code: 'DiskFull' }], [{ step: 'imaging.convert' }]])(
    'what to retry: %j',
    (request) => {
      expect(() => checkRetryRequest(request)).not.toThrow();
    },
  );

  it.each([
    ['all', 'found a string'],
    [{ codes: [] }, 'unknown: codes; known: code, step'],
    [{ code: 'Diskfull' }, 'Diskfull is no failure code'],
    [{ step: 3 }, 'step must be a text'],
  ])('nothing to retry by: %j', (request, message) => {
    expect(() => checkRetryRequest(request)).toThrow(message);
  });
});

describe('how a fan-out is to run', () => {
  it('has defaults, and values for both modalities or for each', () => {
    expect(fanOutChoice({}, 'imaging')).toEqual({ concurrency: 50, startRate: 0, pauseAfter: 5 });
    const pool = { name: 'jobs', size: 20 };
    const given = { concurrency: { imaging: 3 }, startRate: 60, pool: { genomics: pool }, pauseAfter: 9 };
    expect(fanOutChoice(given, 'imaging')).toEqual({ concurrency: 3, startRate: 60, pauseAfter: 9 });
    expect(fanOutChoice(given, 'genomics')).toEqual({ concurrency: 50, startRate: 60, pauseAfter: 9, pool });
  });

  it('can be passed on to another workflow as it is', () => {
    const choice = fanOutChoice({ concurrency: 7, pool: { name: 'a', size: 1 } }, 'imaging');
    expect(fanOutChoice(fanOutFields(choice), 'imaging')).toEqual(choice);
  });

  it.each([
    [{ concurrency: 501 }, 'concurrency must be a whole number from 1 to 500'],
    [{ concurrency: { imaging: 0 } }, 'concurrency.imaging must be'],
    [{ startRate: -1 }, 'startRate must be a whole number from 0'],
    [{ pauseAfter: 0 }, 'pauseAfter must be'],
    [{ pool: { name: 'a b', size: 3 } }, 'pool.name must be'],
    [{ pool: { name: 'a' } as never }, 'pool.size must be'],
    [{ pool: { imaging: { name: 'a', size: 3, slots: 3 } } as never }, 'unknown: slots; known: name, size'],
  ])('is refused: %j', (fields, message) => {
    expect(() => fanOutChoice(fields, 'imaging')).toThrow(message);
  });
});
