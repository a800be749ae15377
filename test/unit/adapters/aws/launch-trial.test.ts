import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { MachineReader } from '../../../../src/adapters/aws/account/machines.js';

afterEach(() => vi.unstubAllEnvs());

it('tries a launch with the tag that permissions to launch hang on, and starts nothing', async () => {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      bodies.push(body);
      const answer =
        '<Response><Errors><Error><Code>DryRunOperation</Code><Message>m</Message></Error></Errors></Response>';
      response.writeHead(412, { 'content-type': 'text/xml' }).end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL_EC2', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  try {
    const trial = { image: 'ami-1', type: 'f2.6xlarge', securityGroups: [], spot: false };
    const verdict = await new MachineReader('eu-central-1').tryLaunch(trial, new AbortController().signal);
    expect(verdict).toEqual({ allowed: true });
    const [sent] = bodies.map((body) => new URLSearchParams(body));
    expect(sent?.get('DryRun')).toBe('true');
    expect(sent?.get('TagSpecification.1.ResourceType')).toBe('instance');
    expect(sent?.get('TagSpecification.1.Tag.1.Key')).toBe('cohortflow:work');
  } finally {
    server.close();
  }
});
