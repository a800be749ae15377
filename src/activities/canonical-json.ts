import { createHash } from 'node:crypto';
import { CohortflowError } from '../domain/errors.js';

/** JSON with sorted keys: equal values give equal text, whatever order they were written in. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
  }
  const text = JSON.stringify(value);
  if (text === undefined)
    throw new CohortflowError('InternalError', `a ${typeof value} cannot be part of a fingerprint`);
  return text;
}

/** SHA-256 of a text, hex. */
export function sha256Text(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
