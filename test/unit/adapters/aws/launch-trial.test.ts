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
    const dragen = { rootVolume: { type: 'gp9', gb: 120 }, securityGroups: ['sg-1'], instanceProfile: 'p' };
    const settings = { region: 'eu-central-1', kmsKey: 'alias/k', dragen };
    const trial = { image: 'ami-1', rootDevice: '/dev/xvda', type: 'f2.6xlarge' };
    const verdict = await new MachineReader(settings).tryLaunch(trial, new AbortController().signal);
    expect(verdict).toEqual({ allowed: true });
    const [sent] = bodies.map((body) => new URLSearchParams(body));
    expect(sent?.get('DryRun')).toBe('true');
    expect(sent?.get('TagSpecification.1.ResourceType')).toBe('instance');
    const tags = [1, 2, 3].map((at) => sent?.get(`TagSpecification.1.Tag.${at}.Key`));
    expect(tags).toContain('cohortflow:work');
    // As a run's machine has it: what that is refused for, the trial must be too.
    const disk = 'BlockDeviceMapping.1';
    const named = ['DeviceName', 'Ebs.VolumeType', 'Ebs.VolumeSize', 'Ebs.KmsKeyId'];
    expect(named.map((name) => sent?.get(`${disk}.${name}`))).toEqual(['/dev/xvda', 'gp9', '120', 'alias/k']);
    expect(sent?.get('MetadataOptions.HttpTokens')).toBe('required');
    expect(sent?.get('IamInstanceProfile.Name')).toBe('p');
    // The SDK's own, another for each trial.
    expect(sent?.get('ClientToken')).toMatch(/.{20}/);
  } finally {
    server.close();
  }
});
