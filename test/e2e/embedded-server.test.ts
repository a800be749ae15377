import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ensureServer, serverStatus, stopServer } from '../../src/adapters/local/temporal-server.js';
import { temporaryFolder } from '../support/run-step.js';
import { temporalCli } from '../support/temporal-servers.js';

const cli = await temporalCli();

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: 2_000 });
    const end = (result: boolean) => () => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

describe.skipIf(cli === undefined)('the embedded server', () => {
  const root = temporaryFolder('embedded');
  const stateFolder = join(root, 'state');
  const cacheFolder = join(root, 'cache');
  const lines: string[] = [];
  const emptyProfile = join(root, 'temporal.toml');
  const options = {
    env: { TEMPORAL_CONFIG_FILE: emptyProfile },
    stateFolder,
    cacheFolder,
    log: (line: string) => void lines.push(line),
  };
  const folder = join(stateFolder, 'temporal-server');
  mkdirSync(join(cacheFolder, 'bin'), { recursive: true });
  writeFileSync(emptyProfile, '');
  if (cli !== undefined) symlinkSync(cli, join(cacheFolder, 'bin', 'temporal'));

  afterAll(async () => {
    await stopServer(stateFolder);
    rmSync(root, { recursive: true, force: true });
  });

  it('is started once for two that ask at the same time, and outlives the one who started it', async () => {
    const [one, two] = await Promise.all([ensureServer(options), ensureServer(options)]);
    expect(one).toEqual(two);
    expect(one.kind).toBe('embedded');
    const status = await serverStatus(stateFolder);
    expect(status).toMatchObject({ running: true, answering: true, address: one.address, uiUrl: one.uiUrl });
    expect(status.databaseBytes).toBeGreaterThan(0);
  });

  it('listens on the loopback interface only', async () => {
    const { address, uiUrl } = await ensureServer(options);
    const ports = [Number(address.split(':')[1]), Number(new URL(uiUrl!).port)];
    const outside = Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).filter((entry) => !entry.internal && entry.family === 'IPv4').map((entry) => entry.address),
    );
    for (const port of ports) {
      expect(await connects('127.0.0.1', port)).toBe(true);
      for (const host of outside) expect(await connects(host, port), `${host}:${port}`).toBe(false);
    }
  });

  it('is started anew, with its database, after it was killed', async () => {
    const before = await serverStatus(stateFolder);
    execFileSync(cli!, ['operator', 'namespace', 'create', '--address', before.address!, '--namespace', 'kept']);
    process.kill(before.pid!, 'SIGKILL');
    const after = await ensureServer(options);
    expect((await serverStatus(stateFolder)).pid).not.toBe(before.pid);
    const known = execFileSync(cli!, ['operator', 'namespace', 'list', '--address', after.address], {
      encoding: 'utf8',
    });
    expect(known).toContain('kept');
  });

  it('puts a database that cannot be opened aside, and says so', async () => {
    await stopServer(stateFolder);
    for (const name of readdirSync(folder)) if (name.startsWith('temporal.db')) rmSync(join(folder, name));
    writeFileSync(join(folder, 'temporal.db'), 'this is no database\n'.repeat(100));
    const server = await ensureServer(options);
    expect(server.kind).toBe('embedded');
    expect(lines.at(-1)).toMatch(/could not be opened and is now temporal\.unreadable-/);
    const aside = readdirSync(folder).find((name) => name.startsWith('temporal.unreadable-'));
    expect(readFileSync(join(folder, aside!), 'utf8')).toContain('this is no database');
  });

  it('keeps the database of a newer server out of an older one’s hands', async () => {
    await stopServer(stateFolder);
    writeFileSync(join(folder, 'temporal.db.version'), '99.0.0\n');
    await ensureServer(options);
    expect(lines.join('\n')).toMatch(/written by server 99\.0\.0, newer than .*: kept as temporal\.server-99\.0\.0/);
  });

  it('stops when asked, and its database stays', async () => {
    expect(await stopServer(stateFolder)).toBe(true);
    expect(await serverStatus(stateFolder)).toMatchObject({ running: false });
    expect(existsSync(join(folder, 'temporal.db'))).toBe(true);
  });

  it('that cannot start is a coded error with the end of its log, and the database is left as it was', async () => {
    const broken = join(root, 'broken-cache', 'bin', 'temporal');
    mkdirSync(dirname(broken), { recursive: true });
    const version = 'echo "temporal version 1.5.1 (Server 99.1.0, UI 2.42.1)"';
    writeFileSync(
      broken,
      `#!/bin/sh\n[ "$1" = --version ] && ${version} && exit 0\necho "no such luck" >&2\nexit 3\n`,
      { mode: 0o755 },
    );
    const before = readFileSync(join(folder, 'temporal.db'));
    const path = process.env['PATH'];
    process.env['PATH'] = '/usr/bin:/bin';
    try {
      await expect(ensureServer({ ...options, cacheFolder: join(root, 'broken-cache') })).rejects.toMatchObject({
        code: 'ServerUnavailable',
        message: expect.stringMatching(/exit code 3[\s\S]*no such luck/),
      });
    } finally {
      process.env['PATH'] = path;
    }
    expect(Buffer.compare(readFileSync(join(folder, 'temporal.db')), before)).toBe(0);
  });
});
