/** Tags on everything that services make for us: by them the sweep finds what it is and whose. */
export const WORK_TAG = 'cohortflow:work';
export const NAMESPACE_TAG = 'cohortflow:namespace';
export const WORKFLOW_TAG = 'cohortflow:workflow';
/** Which run of the workflow: the same command given again has the same workflow ids. */
export const RUN_TAG = 'cohortflow:run';

/** Most characters of a value. */
const LONGEST = 256;
/** A workflow id has at most 1000 bytes, each at most three characters of a value. */
export const MOST_WORKFLOW_TAGS = 12;

type Tags = Readonly<Record<string, string>>;

/** Characters that are as they are besides letters, digits, `-`, `_` and `.`; the others become `=` and two hex digits. */
const PLAIN: Readonly<Record<string, string>> = { '%2F': '/', '%3A': ':', '%40': '@', '%2B': '+' };

/**
 * A text in the characters that values of tags may have: SageMaker's are letters, digits, spaces and `_.:/=+-@`. Spaces are
 * written out too, since services cut them off at the ends.
 */
function encoded(text: string): string {
  const hex = (one: string): string => `%${one.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text)
    .replaceAll(/[!~*'()]/g, hex)
    .replaceAll(/%[0-9A-F]{2}/g, (code) => PLAIN[code] ?? code)
    .replaceAll('%', '=');
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('=', '%'));
  } catch {
    return undefined;
  }
}

/** A namespace as the value of its tag: it is only compared, so that of one too long its end is left out. */
export function namespaceTag(namespace: string): string {
  return encoded(namespace).slice(0, LONGEST);
}

const keyOf = (part: number): string => (part === 0 ? WORKFLOW_TAG : `${WORKFLOW_TAG}.${part + 1}`);

/** The tags of work of a workflow; an id that is too long for one goes on in `cohortflow:workflow.2`, … */
export function workTags(
  name: string,
  workflowId: string,
  namespace: string,
  runId = '',
): Readonly<Record<string, string>> {
  const text = encoded(workflowId);
  const parts = Array.from({ length: Math.ceil(text.length / LONGEST) }, (_, part): [string, string] => [
    keyOf(part),
    text.slice(part * LONGEST, (part + 1) * LONGEST),
  ]);
  const run = runId === '' ? {} : { [RUN_TAG]: runId };
  return { [WORK_TAG]: name, ...Object.fromEntries(parts), ...run, [NAMESPACE_TAG]: namespaceTag(namespace) };
}

/** The workflow that tags name; undefined when they name none. */
export function workflowOf(tags: Tags): string | undefined {
  let text = '';
  for (let part = 0; tags[keyOf(part)] !== undefined; part += 1) text += tags[keyOf(part)] ?? '';
  return text === '' ? undefined : decoded(text);
}

/** Tags without those that say which work and whose: what machines have that many pieces of work use. */
export function withoutWork(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(tags).filter(
      ([key]) => ![WORK_TAG, WORKFLOW_TAG, RUN_TAG].includes(key) && !key.startsWith(`${WORKFLOW_TAG}.`),
    ),
  );
}
