import { actionsOf, placesOf, type Statement } from './statements.js';
import { rendered } from './rendered.js';

/** One thing that is asked of IAM. */
export interface Question {
  readonly action: string;
  readonly resource: string;
  /** Condition keys as the service fills them in. */
  readonly context?: Readonly<Record<string, string>>;
}

const like = (pattern: string, text: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  ).test(text);

const OPERATORS: Readonly<Record<string, (wanted: string, found: string) => boolean>> = {
  StringEquals: (wanted, found) => wanted === found,
  StringLike: like,
  Bool: (wanted, found) => wanted === found,
};

function holds({ Condition = {} }: Statement, context: Readonly<Record<string, string>>): boolean {
  return Object.entries(Condition).every(([operator, keys]) => {
    const fits = OPERATORS[operator];
    if (fits === undefined) throw new Error(`the operator ${operator} is not evaluated here`);
    return Object.entries(keys).every(([key, wanted]) => {
      const found = context[key];
      const choices = (Array.isArray(wanted) ? wanted : [wanted]) as readonly unknown[];
      return found !== undefined && choices.some((one) => fits(String(one), found));
    });
  });
}

/** Whether statements, as a template has them, allow what is asked: what IAM does, as far as we use it. */
export function allows(statements: readonly Statement[], { action, resource, context = {} }: Question): boolean {
  return (rendered(statements) as readonly Statement[]).some(
    (statement) =>
      statement.Effect === 'Allow' &&
      actionsOf(statement).includes(action) &&
      placesOf(statement).some((place) => like(String(place), resource)) &&
      holds(statement, context),
  );
}
