/** What every client of an AWS service is made with. Endpoints and credentials are the SDK's own business. */
export interface ClientOptions {
  readonly region?: string;
  readonly maxAttempts: number;
  readonly requestHandler: { readonly connectionTimeout: number; readonly requestTimeout: number };
}

/**
 * Two tries close together take care of a dropped connection; whatever goes on longer is the workflow engine's: it backs off
 * for minutes, survives the worker, and shows what it waits for.
 */
const ATTEMPTS = 2;

const CONNECT_MS = 5_000;
const ANSWER_MS = 60_000;

/** The SDK tells users of Node 20 at every start when it will need another one; which versions are used is decided here. */
const QUIET = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

/** @param region the SDK's own choice when absent */
export function clientOptions(region: string | undefined, maxAttempts: number = ATTEMPTS): ClientOptions {
  process.env[QUIET] ??= 'true';
  return {
    ...(region === undefined ? {} : { region }),
    maxAttempts,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS },
  };
}

/** How a call of the SDK is told of a signal. */
export function abortable(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
