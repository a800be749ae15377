import { describe, expect, it } from 'vitest';
import { childEnvironment, toolEnvironment } from '../../../../src/adapters/local/child-environment.js';

describe('the environment of steps and tools', () => {
  it('has no key or token of the worker, and everything else', () => {
    const environment = {
      PATH: '/bin',
      HOME: '/home/somebody',
      AWS_REGION: 'eu-central-1',
      COHORTFLOW_CACHE: '/cache',
      COHORTFLOW_ENCRYPTION_KEY: 'secret',
      COHORTFLOW_ENCRYPTION_KEYS_OLD: 'secret',
      COHORTFLOW_PSEUDONYM_KEY: 'secret',
      COHORTFLOW_CODEC_TOKEN: 'secret',
      TEMPORAL_API_KEY: 'secret',
    };
    expect(Object.keys(childEnvironment(environment))).toEqual(['PATH', 'HOME', 'AWS_REGION', 'COHORTFLOW_CACHE']);
  });

  it('has the credentials of AWS for our own steps, and none for programs of other makers', () => {
    const environment = {
      PATH: '/bin',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_SESSION_TOKEN: 'secret',
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/credentials',
      COHORTFLOW_ENCRYPTION_KEY: 'secret',
    };
    expect(Object.keys(toolEnvironment(environment))).toEqual(['PATH', 'AWS_REGION']);
    expect(childEnvironment(environment)).toMatchObject({ AWS_SECRET_ACCESS_KEY: 'secret' });
  });
});
