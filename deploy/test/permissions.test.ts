import { describe, expect, it } from 'vitest';
import { EVERYWHERE } from '../src/roles/everywhere.js';
import { ACTIONS, AGENT_ACTIONS, CLI_ACTIONS } from './support/actions.js';
import { CALLERS, NOT_BY_WORKERS, USES, type Caller } from './support/callers.js';
import { cliCalls, reachableFrom, sdkCalls, type SdkCall } from './support/sdk-calls.js';
import { actionsOf, allGrants, placesOf, statementsOf, type Statement } from './support/statements.js';
import { FULL, PLAIN, templatesOf, WITH_NAT } from './support/templates.js';

const calls = sdkCalls();
const templates = templatesOf(FULL);
const DESCRIBED: Readonly<Record<Caller, RegExp>> = {
  orchestration: /^cohortflow orchestration$/,
  io: /^cohortflow io$/,
  cpu: /^cohortflow cpu$/,
  sweep: /^cohortflow sweep$/,
  operator: /^cohortflow on the command line/,
};

function rowOf({ file, service, command }: SdkCall): readonly string[] | undefined {
  return ACTIONS[`${service} ${command} ${file}`] ?? ACTIONS[`${service} ${command}`];
}

function makes(caller: Caller, { file, command }: SdkCall): boolean {
  const uses = USES[file]?.[caller];
  return uses === 'all' || uses?.includes(command) === true;
}

const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();
const granted = (statements: readonly Statement[]): string[] => sorted(statements.flatMap(actionsOf));

describe('the calls of AWS in src/', () => {
  it('are found: S3, KMS, SageMaker, Feature Store, Athena, EC2, ECR, SSM, Secrets Manager, quotas, STS', () => {
    expect(sorted(calls.map(({ service }) => service))).toEqual([
      ...['athena', 'ec2', 'ecr', 'kms', 's3', 'sagemaker', 'sagemaker-featurestore-runtime', 'secrets-manager'],
      ...['service-quotas', 'ssm', 'sts'],
    ]);
    expect(calls.length).toBeGreaterThan(50);
  });

  it('each have a row of IAM actions in test/support/actions.ts', () => {
    const without = calls.filter((call) => rowOf(call) === undefined);
    expect(without.map(({ file, service, command }) => `${file}: add the actions of '${service} ${command}'`)).toEqual(
      [],
    );
  });

  it('are each made by somebody: test/support/callers.ts says who', () => {
    const orphans = calls.filter((call) => !CALLERS.some((caller) => makes(caller, call)));
    expect(orphans.map(({ file, command }) => `${file}: who calls ${command}?`)).toEqual([]);
  });

  it('leave no row that names what is gone', () => {
    const files = new Set(calls.map(({ file }) => file));
    expect(Object.keys(USES).filter((file) => !files.has(file))).toEqual([]);
    for (const [file, uses] of Object.entries(USES)) {
      const here = calls.filter((call) => call.file === file).map(({ command }) => command);
      for (const named of Object.values(uses)) {
        if (named !== 'all') expect(here, file).toEqual(expect.arrayContaining([...named]));
      }
    }
  });

  it('are attributed to workers and operators as their imports say', () => {
    const byWorkers = reachableFrom(['src/workers/serve.ts', 'src/workers/step-host.ts']);
    const byPeople = reachableFrom(['src/cli/main.ts']);
    const files = sorted(calls.map(({ file }) => file));
    for (const file of files) {
      const uses = USES[file] ?? {};
      const workers = uses.orchestration ?? uses.io ?? uses.cpu;
      expect(workers !== undefined, `${file}: called by workers?`).toBe(
        byWorkers.has(file) && NOT_BY_WORKERS[file] === undefined,
      );
      if (uses.operator !== undefined) expect(byPeople.has(file), `${file}: used by the command line?`).toBe(true);
    }
    expect(Object.keys(NOT_BY_WORKERS).filter((file) => !byWorkers.has(file))).toEqual([]);
  });
});

describe('the permissions of each caller', () => {
  it.each(CALLERS)('of %s are what its calls need, no more and no less', (caller) => {
    const needed = sorted(calls.filter((call) => makes(caller, call)).flatMap((call) => rowOf(call) ?? []));
    const statements = statementsOf(templates, DESCRIBED[caller]);
    expect(statements.length).toBeGreaterThan(0);
    const has = granted(statements);
    expect({
      'used and not granted': needed.filter((action) => !has.includes(action)),
      'granted and not used': has.filter((action) => !needed.includes(action)),
    }).toEqual({ 'used and not granted': [], 'granted and not used': [] });
  });

  it('of a DRAGEN machine are what its script calls and what the agent needs', () => {
    const used = cliCalls();
    expect(used).toContain('s3 cp');
    expect(used.filter((call) => CLI_ACTIONS[call] === undefined)).toEqual([]);
    // The licence of these settings is a secret.
    const needed = sorted([
      ...used.filter((call) => call !== 'ssm get-parameter').flatMap((call) => CLI_ACTIONS[call] ?? []),
      ...AGENT_ACTIONS,
    ]);
    expect(granted(statementsOf(templates, /^cohortflow DRAGEN machines$/))).toEqual(needed);
    const parameter = templatesOf({ ...FULL, dragen: { ...FULL.dragen, licence: '/dragen/licence' } });
    expect(granted(statementsOf(parameter, /^cohortflow DRAGEN machines$/))).toEqual(
      sorted([...needed.filter((action) => !action.startsWith('secretsmanager:')), 'ssm:GetParameter']),
    );
  });

  it('without DRAGEN touch no machine', () => {
    const plain = templatesOf(PLAIN);
    for (const caller of ['io', 'sweep'] as const) {
      expect(granted(statementsOf(plain, DESCRIBED[caller])).filter((action) => /^(ec2|ssm)/.test(action))).toEqual([]);
    }
    expect(statementsOf(plain, /^cohortflow DRAGEN machines$/)).toEqual([]);
  });
});

describe('every grant', () => {
  it.each([
    ['of the least', PLAIN],
    ['of everything', FULL],
    ['with a NAT gateway', WITH_NAT],
  ])('names its actions one by one, and its resources unless a reason is listed (%s)', (_, settings) => {
    for (const [where, statement] of allGrants(templatesOf(settings))) {
      for (const action of actionsOf(statement)) {
        expect(action, where).not.toContain('*');
        if (placesOf(statement).includes('*'))
          expect(Object.keys(EVERYWHERE), `${where}: ${action} on *`).toContain(action);
      }
    }
  });

  it('uses each reason that is listed', () => {
    const open = allGrants(templates).flatMap(([, statement]) =>
      placesOf(statement).includes('*') ? actionsOf(statement) : [],
    );
    expect(sorted(open)).toEqual(Object.keys(EVERYWHERE).sort());
  });

  it('hands a role to the one service that it is for', () => {
    for (const caller of ['io', 'operator'] as const) {
      for (const statement of statementsOf(templates, DESCRIBED[caller])) {
        if (!actionsOf(statement).includes('iam:PassRole')) continue;
        expect(statement.Condition?.['StringEquals']?.['iam:PassedToService']).toMatch(
          /^(sagemaker|ec2)\.amazonaws\.com$/,
        );
        expect(placesOf(statement)).toHaveLength(1);
      }
    }
  });

  it('starts, ends and commands machines of our namespace only, and lets people try to start one', () => {
    const conditionOf =
      (caller: Caller) =>
      (sid: string): unknown =>
        statementsOf(templates, DESCRIBED[caller]).find(({ Sid }) => Sid === sid)?.Condition;
    const { namespace } = FULL.temporal;
    const tag = (kind: string): object => ({ StringEquals: { [`${kind}/cohortflow:namespace`]: namespace } });
    const io = conditionOf('io');
    expect(io('LaunchTagged')).toMatchObject(tag('aws:RequestTag'));
    expect(io('LaunchTagged')).toMatchObject({ StringEquals: { 'ec2:MetadataHttpTokens': 'required' } });
    expect(io('SendToMachines')).toEqual(tag('ssm:resourceTag'));
    expect(io('TagAtLaunch')).toEqual({ StringEquals: { 'ec2:CreateAction': 'RunInstances' } });
    for (const caller of ['io', 'sweep', 'operator'] as const) {
      expect(conditionOf(caller)('EndMachines'), caller).toEqual(tag('ec2:ResourceTag'));
    }
    expect(conditionOf('operator')('LaunchTagged')).toMatchObject({
      StringEquals: { 'aws:RequestTag/cohortflow:work': 'trial' },
    });
  });

  it('lets jobs read only tagged objects where the settings say so, as the published original did', () => {
    const read = (settings: unknown): Statement | undefined =>
      statementsOf(templatesOf(settings), /^cohortflow processing jobs$/).find(({ Sid }) => Sid === 'Read');
    expect(read(FULL)?.Condition).toEqual({ StringEquals: { 's3:ExistingObjectTag/sagemaker': 'true' } });
    expect(read(PLAIN)?.Condition).toBeUndefined();
  });

  it('changes no input: what is written and deleted is in the bucket of results', () => {
    for (const caller of CALLERS) {
      for (const statement of statementsOf(templates, DESCRIBED[caller])) {
        if (!actionsOf(statement).some((action) => /^s3:(Put|Delete)/.test(action))) continue;
        expect(JSON.stringify(statement.Resource)).toMatch(/Results/);
        expect(JSON.stringify(statement.Resource)).not.toMatch(/Inputs|studies-of-others/);
      }
    }
  });
});
