import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  configuredServer,
  ensureServer,
  serverStatus,
  stopServer,
} from '../../../../src/adapters/local/temporal-server.js';
import { freePorts, isServerProcess } from '../../../../src/adapters/local/temporal-server-process.js';
import { temporaryFolder } from '../../../support/run-step.js';

/** An environment without a Temporal configuration of the user who runs the tests. */
function environment(toml?: string, more: Record<string, string> = {}): Record<string, string> {
  const file = join(temporaryFolder('profile'), 'temporal.toml');
  writeFileSync(file, toml ?? '');
  return { TEMPORAL_CONFIG_FILE: file, ...more };
}

describe('the configured server', () => {
  it('is the address of the environment, before any profile', () => {
    const env = environment('[profile.default]\naddress = "file:7233"\n', {
      TEMPORAL_ADDRESS: 'env:7233',
      TEMPORAL_NAMESPACE: 'imaging',
    });
    expect(configuredServer(env)).toEqual({ address: 'env:7233', namespace: 'imaging', kind: 'environment' });
  });

  it('is the address of the profile that the environment names', () => {
    const toml = '[profile.lab]\naddress = "lab:7233"\nnamespace = "cohorts"\n';
    expect(configuredServer(environment(toml, { TEMPORAL_PROFILE: 'lab' }))).toEqual({
      address: 'lab:7233',
      namespace: 'cohorts',
      kind: 'profile',
    });
  });

  it('is the CLI’s own default profile when nothing is named', () => {
    const env = environment('[profile.default]\naddress = "home:7233"\n');
    expect(configuredServer(env)).toEqual({ address: 'home:7233', namespace: 'default', kind: 'profile' });
  });

  it('is the CLI’s default address for a named profile without one', () => {
    const env = environment('[profile.lab]\nnamespace = "cohorts"\n', { TEMPORAL_PROFILE: 'lab' });
    expect(configuredServer(env)).toEqual({ address: 'localhost:7233', namespace: 'cohorts', kind: 'profile' });
  });

  it('is none when neither environment nor profile names an address', () => {
    expect(configuredServer(environment())).toBeUndefined();
  });

  it('is refused with a code when the named profile does not exist', () => {
    expect(() => configuredServer(environment('', { TEMPORAL_PROFILE: 'nobody' }))).toThrow(
      expect.objectContaining({ code: 'InvalidInput' }),
    );
  });

  it('is taken without starting anything', async () => {
    const [stateFolder, lines] = [temporaryFolder('state'), [] as string[]];
    const env = environment('', { TEMPORAL_ADDRESS: 'env:7233' });
    const server = await ensureServer({ env, stateFolder, cacheFolder: stateFolder, log: (line) => lines.push(line) });
    expect(server.kind).toBe('environment');
    expect(lines).toEqual(['Temporal server: env:7233, from TEMPORAL_ADDRESS']);
    expect((await serverStatus(stateFolder)).running).toBe(false);
  });
});

describe('the state of the embedded server', () => {
  it('is "not running" in an empty folder, and stopping is no error', async () => {
    const stateFolder = temporaryFolder('state');
    expect(await serverStatus(stateFolder)).toMatchObject({ running: false, answering: false, databaseBytes: 0 });
    expect(await stopServer(stateFolder)).toBe(false);
  });

  it('does not mistake another process with a recorded id for the server', async () => {
    expect(await isServerProcess(process.pid, '/somewhere/temporal.db')).toBe(false);
  });
});

describe('free ports', () => {
  it('are different and can be bound', async () => {
    const ports = await freePorts(4);
    expect(new Set(ports).size).toBe(4);
    for (const port of ports) {
      await new Promise<void>((resolve, reject) => {
        const server = createServer();
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => server.close(() => resolve()));
      });
    }
  });
});
