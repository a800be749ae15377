import { resourcesOf, type Templates } from './templates.js';

export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const asList = <T>(value: T | readonly T[]): readonly T[] =>
  Array.isArray(value) ? (value as readonly T[]) : [value as T];

export const actionsOf = ({ Action }: Statement): readonly string[] => asList(Action);
export const placesOf = ({ Resource }: Statement): readonly unknown[] => asList(Resource);

type Policy = { readonly Statement: readonly Statement[] };

/** Statements of the role that is described so, or of the managed policies that are. */
export function statementsOf(templates: Templates, description: RegExp): readonly Statement[] {
  const found: Statement[] = [];
  for (const [id, { Properties }] of resourcesOf(templates, 'AWS::IAM::Role')) {
    if (!description.test(String(Properties['Description']))) continue;
    const name = id.split('/')[1];
    for (const { Properties: policy } of resourcesOf(templates, 'AWS::IAM::Policy').values()) {
      const roles = policy['Roles'] as readonly { readonly Ref?: string }[];
      if (roles.some(({ Ref }) => Ref === name)) found.push(...(policy['PolicyDocument'] as Policy).Statement);
    }
  }
  for (const { Properties } of resourcesOf(templates, 'AWS::IAM::ManagedPolicy').values()) {
    if (description.test(String(Properties['Description']))) {
      found.push(...(Properties['PolicyDocument'] as Policy).Statement);
    }
  }
  return found;
}

/** Every statement that allows anything to a role or to a person, with where it stands. */
export function allGrants(templates: Templates): readonly (readonly [where: string, statement: Statement])[] {
  return ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) =>
    [...resourcesOf(templates, type)].flatMap(([id, { Properties }]) =>
      (Properties['PolicyDocument'] as Policy).Statement.map((statement) => [id, statement] as const),
    ),
  );
}
