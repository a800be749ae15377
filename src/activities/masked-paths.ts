import type { StepRequest } from '../contracts/activities.js';
import { shownName } from '../domain/dicom/shown-name.js';
import { CohortflowError, messageOf, toFailure } from '../domain/errors.js';

/** What may follow an input's path in a message and still be of the path: everything up to what ends a name in prose. */
const REST = /^[^:'"`\n]*?(?=[:'"`\n]|, |$)/;

function masked(text: string, path: string): string {
  let found = '';
  let rest = text;
  for (;;) {
    const at = rest.indexOf(path);
    if (at === -1) return found + rest;
    const below = REST.exec(rest.slice(at + path.length))?.[0] ?? '';
    // A longer name that only begins alike is another path, and none of ours to show either.
    found += rest.slice(0, at) + shownName(`${path}${below}`.replace(/\/+$/, ''));
    rest = rest.slice(at + path.length + below.length);
  }
}

function maskedDeep(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === 'string') return mask(value);
  if (Array.isArray(value)) return value.map((item) => maskedDeep(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, maskedDeep(item, mask)]));
}

/** What is thrown may hold anything: a number too large for JSON, a circle. */
function textOf(details: unknown): string {
  try {
    return JSON.stringify(details);
  } catch {
    return '';
  }
}

/**
 * The error of a step without the places of its inputs. Whoever reads the message knows the case and its row in the sheet;
 * folders and files of archives are often named by patient, and messages travel into logs and records.
 */
export function withoutInputPaths(error: unknown, inputs: StepRequest['inputs']): unknown {
  // The longest first: one path may lie within another.
  const paths = Object.values(inputs)
    .flat()
    .sort((a, b) => b.length - a.length);
  const message = messageOf(error);
  const { code, details } = toFailure(error);
  const told = `${message} ${textOf(details)}`;
  if (error instanceof Error && error.name === 'AbortError') return error;
  if (!paths.some((path) => path !== '' && told.includes(path))) return error;
  const mask = (text: string): string =>
    paths.reduce((found, path) => (path === '' ? found : masked(found, path)), text);
  return new CohortflowError(code, mask(message), maskedDeep(details, mask) as Record<string, unknown>);
}
