import { isGrpcServiceError, type Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes.js';
import { CohortflowError, messageOf } from '../domain/errors.js';

/** `IndexedValueType` of the API, and how the CLI calls it. */
const KINDS = { Keyword: 2, Int: 3 } as const;

/** The type of every search attribute that the product may set. */
const KIND_OF: Readonly<Record<string, keyof typeof KINDS>> = {
  [SEARCH_ATTRIBUTES.modality]: 'Keyword',
  [SEARCH_ATTRIBUTES.code]: 'Keyword',
  [SEARCH_ATTRIBUTES.failed]: 'Int',
};

// Codes of gRPC.
const ALREADY_EXISTS = 6;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;

function hasCode(error: unknown, ...codes: readonly number[]): boolean {
  return isGrpcServiceError(error) && codes.includes(error.code);
}

/**
 * The product's search attributes that the client's namespace does not have, or has with another type. Setting one of them
 * would make a workflow's task fail again and again, which looks like a hang. A server that does not say (the time-skipping
 * test server, a namespace whose operator interface is closed to this client) counts as having none.
 *
 * @throws CohortflowError `ServerUnavailable` when the server does not answer: that says nothing about the attributes
 */
export async function missingSearchAttributes(client: Client): Promise<string[]> {
  const names = Object.keys(KIND_OF);
  try {
    const { namespace } = client.options;
    const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
    return names.filter((name) => Number(customAttributes[name]) !== KINDS[KIND_OF[name]!]);
  } catch (error) {
    if (hasCode(error, UNIMPLEMENTED, PERMISSION_DENIED)) return names;
    const message = `asking for the search attributes: ${messageOf(error)}`;
    throw new CohortflowError('ServerUnavailable', message, {}, error);
  }
}

/**
 * Registers search attributes of the product in the client's namespace. Several workers may do so at once.
 *
 * @param names some of what {@link missingSearchAttributes} returned
 * @throws CohortflowError `ServerUnavailable` when the server refuses or does not answer
 */
export async function registerSearchAttributes(client: Client, names: readonly string[]): Promise<void> {
  const { namespace } = client.options;
  // One by one: a request of which one name is there already is refused as a whole.
  for (const name of names) {
    const kind = KIND_OF[name];
    if (kind === undefined) throw new CohortflowError('InternalError', `${name} is no search attribute of ours`);
    const searchAttributes = { [name]: KINDS[kind] };
    try {
      await client.connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
    } catch (error) {
      if (hasCode(error, ALREADY_EXISTS)) continue;
      const message = `registering the search attribute ${name}: ${messageOf(error)}`;
      throw new CohortflowError('ServerUnavailable', message, {}, error);
    }
  }
}

/** The command that registers search attributes by hand. */
export function registerCommand(namespace: string, names: readonly string[]): string {
  const flags = names.map((name) => `--name ${name} --type ${KIND_OF[name] ?? 'Keyword'}`).join(' ');
  return `temporal operator search-attribute create --namespace ${namespace} ${flags}`;
}
