import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FAIR_QUEUES } from '../../../src/adapters/local/temporal-server-process.js';
import { PACKAGE_ROOT } from '../../../src/app/package-root.js';
import { registerCommand } from '../../../src/app/search-attributes.js';
import { createProgram } from '../../../src/cli/main.js';
import { SETTINGS, WORKER_ROLES } from '../../../src/config/config.js';
import { loadConfig } from '../../../src/config/load-config.js';
import { SEARCH_ATTRIBUTES } from '../../../src/contracts/search-attributes.js';
import {
  composeFile,
  composeVariables,
  imageStages,
  type ComposeService,
  type ImageStage,
} from '../../support/compose-file.js';

const { services, volumes, configs } = composeFile();
const stages = imageStages();
const each = Object.entries(services);
const read = (path: string): string => readFileSync(join(PACKAGE_ROOT, path), 'utf8');

const stageOf = ({ build }: ComposeService): ImageStage | undefined => stages.get(build?.target ?? '');
/** Services of the worker image: workers, codec server, command line. */
const ours = each.filter(([, { build }]) => build?.target === 'worker');
const workers = ours.filter(([, { command }]) => command?.[0] === 'worker');
/** What runs once and ends. */
const isJob = ({ restart = '' }: ComposeService): boolean => restart.startsWith('on-failure');
const hasHealth = (service: ComposeService): boolean =>
  service.healthcheck?.test !== undefined ||
  (stageOf(service)?.lines.some((line) => line.startsWith('HEALTHCHECK ')) === true &&
    service.healthcheck?.disable !== true);

/** Parses a command line by the product's own definitions; nothing is run. */
async function parsed(command: readonly string[]): Promise<Command> {
  const program = createProgram().exitOverride();
  let chosen: Command | undefined;
  const disarm = (verb: Command): void => {
    verb.exitOverride().action(() => {
      chosen = verb;
    });
    verb.commands.forEach(disarm);
  };
  program.commands.forEach(disarm);
  await program.parseAsync(['node', 'cohortflow', ...command]);
  if (chosen === undefined) throw new Error(`no verb: ${command.join(' ')}`);
  return chosen;
}

describe('docker-compose.yml', () => {
  it('gives our images commands that exist, with flags and values that they take', async () => {
    expect(ours.map(([name]) => name)).toEqual(['codec-server', 'orchestration', 'io', 'cpu', 'cohortflow']);
    for (const [name, { command = [] }] of ours) {
      if (name === 'cohortflow') expect(command).toEqual(['--help']);
      else expect((await parsed(command)).name()).toBe(command[0]);
    }
  });

  it('serves each role of worker once', async () => {
    const commands = await Promise.all(workers.map(([, { command = [] }]) => parsed(command)));
    const roles = commands.flatMap((verb) => verb.opts<{ role: readonly string[] }>().role);
    expect(roles.sort()).toEqual([...WORKER_ROLES].sort());
  });

  it('registers the search attributes before any worker looks for them', () => {
    const script = services['namespace']?.command?.[0]?.replaceAll(/\\\n\s*/g, '') ?? '';
    expect(script).toContain(registerCommand('default', Object.values(SEARCH_ATTRIBUTES)));
    for (const [name, { depends_on: needs = {} }] of workers) expect(Object.keys(needs), name).toContain('namespace');
  });

  it('gives the stand-in of AWS flags that its script takes', () => {
    const taken = [...read('scripts/aws-stand-in.mjs').matchAll(/^\s+(\w+): \{ type:/gm)].map(
      ([, name]) => `--${name}`,
    );
    const entry = stages.get('aws-stand-in')?.lines.find((line) => line.startsWith('ENTRYPOINT ')) ?? '';
    const given = [...(JSON.parse(entry.slice('ENTRYPOINT '.length)) as string[]), ...services['aws']!.command!];
    const flags = given.filter((word) => word.startsWith('--'));
    expect(flags).toHaveLength(6);
    expect(taken).toEqual(expect.arrayContaining(flags));
  });

  it('sets only variables that the product, or the SDK of AWS for a service it calls, reads', () => {
    const sources = readdirSync(join(PACKAGE_ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => read(join('src', path)))
      .join('\n');
    const settings = Object.values(SETTINGS).map(({ environment }) => environment);
    const reads = (name: string): boolean => {
      if (settings.includes(name) || sources.includes(`'${name}'`)) return true;
      const [, service] = /^AWS_ENDPOINT_URL_([A-Z0-9_]+)$/.exec(name) ?? [];
      if (service !== undefined)
        return sources.includes(`@aws-sdk/client-${service.toLowerCase().replaceAll('_', '-')}'`);
      return /^AWS_(REGION|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|ENDPOINT_URL)$/.test(name) || inSdk(name);
    };
    const inSdk = (name: string): boolean => name === 'TEMPORAL_NAMESPACE' && sources.includes('envconfig');
    for (const [service, { environment = {} }] of ours) {
      for (const name of Object.keys(environment)) expect(reads(name), `${service}: ${name}`).toBe(true);
    }
  });

  it('gives values that the settings take', () => {
    for (const [name, { environment = {} }] of ours) {
      const given = Object.fromEntries(
        Object.entries(environment).filter(([, value]) => value !== null && !value.includes('${')),
      ) as Record<string, string>;
      expect(() => loadConfig(given), name).not.toThrow();
    }
  });

  it('pins every image by an exact version, or builds it from a target of the Dockerfile', () => {
    for (const [name, { image, build }] of each) {
      if (build === undefined) expect(image, name).toMatch(/:\d+\.\d+(\.\d+)?(-[a-z0-9]+)?(@sha256:[0-9a-f]{64})?$/);
      else {
        expect(image, name).toMatch(/^cohortflow-[a-z-]+:local$/);
        expect([...stages.keys()], name).toContain(build.target);
      }
    }
    const versions = each.filter(([, { image }]) => /^temporalio\/(server|admin-tools):/.test(image));
    expect(new Set(versions.map(([, { image }]) => image.split(':')[1])).size).toBe(1);
  });

  it('looks after the health of all that stays, and waits for what is depended on to be healthy or done', () => {
    for (const [name, service] of each) {
      if (isJob(service) || service.profiles?.includes('cli')) continue;
      expect(hasHealth(service), name).toBe(true);
      expect(service.restart, name).toBe('unless-stopped');
    }
    for (const [name, { depends_on: needs = {} }] of each) {
      for (const [other, { condition }] of Object.entries(needs)) {
        const found = services[other];
        expect(found, `${name} needs ${other}`).toBeDefined();
        const wanted = isJob(found!) ? 'service_completed_successfully' : 'service_healthy';
        expect(condition, `${name} needs ${other}`).toBe(wanted);
      }
    }
  });

  it('starts what a worker needs before it, and what a profile hides only where it is wanted', () => {
    for (const [name, { depends_on: needs = {}, profiles }] of each) {
      for (const [other, { required = true }] of Object.entries(needs)) {
        const hidden = services[other]?.profiles ?? [];
        if (required) expect(profiles ?? [], `${name} needs ${other}`).toEqual(expect.arrayContaining([...hidden]));
      }
    }
    const reach = (name: string): string[] => [
      name,
      ...Object.keys(services[name]?.depends_on ?? {}).flatMap((other) => reach(other)),
    ];
    for (const [name] of workers) {
      expect(reach(name)).toEqual(expect.arrayContaining(['namespace', 'temporal', 'schema', 'postgres', 'aws', 's3']));
    }
  });

  it('checks health where the image serves it', () => {
    const { lines } = stages.get('worker')!;
    const [, port] = /COHORTFLOW_HEALTH_PORT=(\d+)/.exec(lines.join('\n')) ?? [];
    expect(lines.find((line) => line.startsWith('HEALTHCHECK '))).toContain(`127.0.0.1:${port}/healthz`);
    for (const [name, { environment = {}, command = [] }] of workers) {
      expect(environment, name).not.toHaveProperty('COHORTFLOW_HEALTH_PORT');
      expect(command, name).not.toContain('--health-port');
    }
  });

  it('takes secrets from the environment only, and says which is missing', () => {
    const secret = /PASSWORD|PWD|_KEY$|KEYS_OLD|TOKEN|ACCESS_KEY|SECRET/;
    for (const [name, { environment = {} }] of each) {
      for (const [variable, value] of Object.entries(environment)) {
        if (secret.test(variable) && value !== null)
          expect(value, `${name}: ${variable}`).toMatch(/^\$\{[A-Z_]+:\?.+\}$/);
      }
    }
    const required = [...composeVariables()].filter(([, how]) => how === 'required').map(([name]) => name);
    expect(required.sort()).toEqual(['COHORTFLOW_ENCRYPTION_KEY', 'DATA_FOLDER', 'POSTGRES_PASSWORD']);
    for (const [name, { environment = {} }] of ours)
      expect(environment, name).toHaveProperty('COHORTFLOW_REQUIRE_ENCRYPTION', '1');
  });

  it('opens ports on this machine alone', async () => {
    for (const [name, { ports = [], network_mode: mode }] of each) {
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
      expect(mode, name).toBe(name === 'codec-server' ? 'host' : undefined);
    }
    const { host } = (await parsed(services['codec-server']!.command!)).opts<{ host: string }>();
    expect(host).toBe('127.0.0.1');
  });

  it('lets the pages of its UI, and no others, ask the codec server that they are told of', async () => {
    const { port, origin } = (await parsed(services['codec-server']!.command!)).opts<{
      port: number;
      origin: readonly string[];
    }>();
    const { environment = {}, ports = [] } = services['ui']!;
    const uiPort = ports[0]?.split(':')[1];
    expect(environment['TEMPORAL_CODEC_ENDPOINT']).toBe(`http://127.0.0.1:${port}`);
    expect(origin).toEqual([`http://127.0.0.1:${uiPort}`, `http://localhost:${uiPort}`]);
    expect(environment['TEMPORAL_CORS_ORIGINS']?.split(',')).toEqual(origin);
  });

  it('runs our image without privileges, on a root that cannot be written', () => {
    for (const [name, { security_opt: options, cap_drop: dropped, read_only: readOnly }] of ours) {
      expect({ options, dropped, readOnly }, name).toEqual({
        options: ['no-new-privileges:true'],
        dropped: ['ALL'],
        readOnly: true,
      });
    }
    for (const [name, { security_opt: options }] of each) expect(options, name).toContain('no-new-privileges:true');
  });

  it('gives workers the time that they take to end', () => {
    const most = loadConfig({}).shutdownGrace + 20;
    for (const [name, { stop_grace_period: period = '' }] of workers) {
      expect(Number(/^(\d+)s$/.exec(period)?.[1]), name).toBeGreaterThanOrEqual(most);
    }
  });

  it('keeps what is written on volumes of their own: those of the image, where its settings point', () => {
    const { lines } = stages.get('worker')!;
    const declared = JSON.parse(lines.find((line) => line.startsWith('VOLUME '))!.slice('VOLUME '.length)) as string[];
    for (const [, place = ''] of lines.join('\n').matchAll(/COHORTFLOW_(?:STATE|CACHE)=(\S+)/g)) {
      expect(
        declared.some((volume) => place.startsWith(`${volume}/`)),
        place,
      ).toBe(true);
    }
    const used: string[] = [];
    for (const [name, { volumes: mounted = [] }] of each) {
      const named = mounted.filter((one): one is string => typeof one === 'string').map((one) => one.split(':'));
      used.push(...named.map(([source = '']) => source));
      if (ours.some(([one]) => one === name))
        expect(
          named.map(([, target]) => target),
          name,
        ).toEqual(declared);
    }
    expect(used.sort()).toEqual(Object.keys(volumes).sort());
  });

  it('shows the data under one path to all that read them: workers of files and the command line', () => {
    const withData = ours.filter(([, { volumes: mounted = [] }]) => mounted.some((one) => typeof one === 'object'));
    expect(withData.map(([name]) => name)).toEqual(['io', 'cpu', 'cohortflow']);
    for (const [, { volumes: mounted = [] }] of withData) {
      const bind = mounted.find((one) => typeof one === 'object');
      expect(bind).toMatchObject({ type: 'bind', source: expect.stringMatching(/^\$\{DATA_FOLDER:\?/) as string });
      expect(bind?.source).toBe(bind?.target);
    }
  });

  it('shares work fairly, as the embedded server does', () => {
    const content = parse(configs['temporal']!.content) as Record<string, readonly { readonly value: unknown }[]>;
    const set = Object.entries(content).map(([name, [first]]) => `${name}=${String(first?.value)}`);
    expect(set.sort()).toEqual(FAIR_QUEUES.filter((word) => word.includes('=')).sort());
  });

  it('has jobs whose scripts a shell can read', () => {
    const jobs = each.filter(([, service]) => isJob(service));
    expect(jobs.map(([name]) => name)).toEqual(['schema', 'namespace']);
    for (const [name, { command = [] }] of jobs) {
      const { status, stderr } = spawnSync('sh', ['-n'], {
        input: command[0]?.replaceAll('$$', '$'),
        encoding: 'utf8',
      });
      expect({ status, stderr }, name).toEqual({ status: 0, stderr: '' });
    }
  });
});

describe('.env.example', () => {
  const lines = read('.env.example').split('\n');

  it('has all variables that docker-compose.yml takes, and none more', () => {
    const names = lines.flatMap((line) => /^(?:# )?([A-Z][A-Z0-9_]*)=/.exec(line)?.[1] ?? []);
    expect([...names].sort()).toEqual([...composeVariables().keys()].sort());
    expect(new Set(names).size).toBe(names.length);
  });

  it('asks for what is required, leaves the rest alone, and has no value of either that could be a secret', () => {
    const open = lines.flatMap((line) => /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line)?.slice(1, 3).join('=') ?? []);
    expect(open).toEqual(['POSTGRES_PASSWORD=', 'COHORTFLOW_ENCRYPTION_KEY=', 'DATA_FOLDER=']);
    for (const line of lines.filter((one) => /^# [A-Z][A-Z0-9_]*=./.test(one))) {
      expect(line).toMatch(/^# (AWS_ENDPOINT_URL(_[A-Z0-9]+)?=http:\/\/(aws|s3):\d+|COHORTFLOW_LOG_LEVEL=INFO)$/);
    }
  });

  it('is copied to a file that is neither committed nor sent to the builder', () => {
    expect(read('.gitignore').split('\n')).toContain('.env');
    expect(read('.dockerignore').split('\n')).toContain('.env');
  });

  it('points to services of the profile, at the ports that they listen on', () => {
    for (const [, service = '', port] of read('.env.example').matchAll(/http:\/\/(\w+):(\d+)/g)) {
      const { command = [], entrypoint = [] } = services[service] ?? {};
      expect([...command, ...entrypoint], `${service}:${port}`).toContain(port);
    }
  });
});
