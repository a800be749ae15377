import type { Client } from '@temporalio/client';
import type { Logger } from '@temporalio/common';
import { missingSearchAttributes, registerCommand, registerSearchAttributes } from '../app/search-attributes.js';
import { messageOf } from '../domain/errors.js';

/**
 * Looks once, at the start of a worker, whether the namespace has our search attributes; registers them where that was
 * asked for, else says what is missing and how to have it. Runs work without: they are then found by workflow id only.
 *
 * @throws CohortflowError `ServerUnavailable` when the server does not answer
 */
export async function checkSearchAttributes(client: Client, register: boolean, log: Logger): Promise<void> {
  const missing = await missingSearchAttributes(client);
  if (missing.length === 0) return;
  const names = missing.join(', ');
  const byHand = registerCommand(client.options.namespace, missing);
  if (!register) {
    log.warn(`search attributes are not registered: ${names}; runs go on without them. To have them: ${byHand}`);
    return;
  }
  try {
    await registerSearchAttributes(client, missing);
    log.info(`search attributes registered: ${names}`);
  } catch (error) {
    log.warn(`search attributes could not be registered (${messageOf(error)}); by hand: ${byHand}`);
  }
}
