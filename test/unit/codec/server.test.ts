import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { EncryptionCodec } from '../../../src/codec/encryption-codec.js';
import { GivenKeys } from '../../../src/codec/key-ring.js';
import { startCodecServer, type AuditEntry, type RunningCodecServer } from '../../../src/codec/server.js';

const key = { id: 'k1', bytes: new Uint8Array(randomBytes(32)) };
const codec = new EncryptionCodec(new GivenKeys(key, []));
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const SECRET = { patient: 'Mustermann^Erika' };
const PLAIN = {
  payloads: [{ metadata: { encoding: base64('json/plain') }, data: base64(JSON.stringify(SECRET)) }],
};
const UI = 'http://localhost:8233';

let server: RunningCodecServer | undefined;
const audit: AuditEntry[] = [];
afterEach(async () => {
  const running = server;
  server = undefined;
  audit.length = 0;
  await running?.close();
});

async function start(options: { token?: string; host?: string } = {}): Promise<void> {
  const { host = '127.0.0.1', ...rest } = options;
  server = await startCodecServer({
    codec,
    host,
    port: 0,
    origins: [UI],
    audit: (entry) => audit.push(entry),
    ...rest,
  });
}

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`http://127.0.0.1:${server!.port}${path}`, {
    method: 'POST',
    body: text,
    headers: { 'Content-Type': 'application/json', 'X-Namespace': 'default', ...headers },
  });
}

describe('the codec server', () => {
  test('encodes and decodes payloads in JSON, also below a prefix, and audits without contents', async () => {
    await start();
    const encoded = await (await post('/encode', PLAIN)).text();
    expect(encoded).not.toContain(PLAIN.payloads[0]!.data);
    expect(encoded).toContain(base64('binary/encrypted'));
    const decoded = await post('/default/decode', encoded);
    expect(await decoded.json()).toEqual(PLAIN);
    expect(audit).toMatchObject([
      { action: 'encode', status: 200, namespace: 'default', payloads: 1 },
      { action: 'decode', status: 200, namespace: 'default', payloads: 1 },
    ]);
    expect(JSON.stringify(audit)).not.toContain('Mustermann');
  });

  test('listed origins may ask, others are refused and told nothing', async () => {
    await start();
    const listed = await post('/decode', PLAIN, { Origin: UI });
    expect(listed.headers.get('access-control-allow-origin')).toBe(UI);
    const other = await post('/decode', PLAIN, { Origin: 'https://elsewhere.example' });
    expect(other.status).toBe(403);
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    expect(await other.text()).not.toContain(PLAIN.payloads[0]!.data);

    const options = (origin: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${server!.port}/decode`, { method: 'OPTIONS', headers: { Origin: origin } });
    const allowed = await options(UI);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-headers')).toMatch(/X-Namespace/);
    expect((await options('https://elsewhere.example')).status).toBe(403);
  });

  test('with a token, requests without it or with another are refused', async () => {
    await start({ token: 'a-long-token' });
    expect((await post('/decode', PLAIN)).status).toBe(401);
    expect((await post('/decode', PLAIN, { Authorization: 'Bearer a-long-tokem' })).status).toBe(401);
    expect((await post('/decode', PLAIN, { Authorization: 'Bearer a-long-token' })).status).toBe(200);
    expect(audit.map(({ status }) => status)).toEqual([401, 401, 200]);
  });

  test('listening beyond this machine without a token is refused', async () => {
    await expect(start({ host: '0.0.0.0' })).rejects.toThrow(/COHORTFLOW_CODEC_TOKEN/);
  });

  test('what is no payloads is refused without being repeated, an unknown key is named', async () => {
    await start();
    for (const body of ['no json: Mustermann', '{"payloads": 5}', '{"payloads":[{"data":"Mustermann^Erika"}]}']) {
      const refused = await post('/decode', body);
      expect(refused.status).toBe(400);
      expect(await refused.text()).not.toContain('Mustermann');
    }
    const foreign = new EncryptionCodec(new GivenKeys({ ...key, id: 'k2' }, []));
    const [sealed] = await foreign.encode([{ metadata: {}, data: Buffer.from('x') }]);
    const item = {
      metadata: Object.fromEntries(
        Object.entries(sealed!.metadata!).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
      ),
      data: Buffer.from(sealed!.data!).toString('base64'),
    };
    const unknown = await post('/decode', { payloads: [item] });
    expect(unknown.status).toBe(400);
    expect(await unknown.json()).toMatchObject({ error: { code: 'UnknownEncryptionKey' } });
    expect((await fetch(`http://127.0.0.1:${server!.port}/`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${server!.port}/decode`)).status).toBe(405);
  });
});
