import { Command, InvalidArgumentError } from 'commander';
import { serverStatus } from '../../adapters/local/temporal-server.js';
import { dataConverter } from '../../app/data-converter.js';
import { startCodecServer } from '../../codec/server.js';
import { loadConfig } from '../../config/load-config.js';
import { CohortflowError } from '../../domain/errors.js';
import { say } from '../output.js';

interface Options {
  readonly host: string;
  readonly port: number;
  readonly origin: readonly string[];
}

const DEFAULT_PORT = 8888;

function portNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535) throw new InvalidArgumentError('0 to 65535 is wanted.');
  return value;
}

/** An origin as browsers write it: scheme, host and port, nothing behind. */
function origin(text: string, before: readonly string[]): readonly string[] {
  if (!/^https?:\/\/[^/\s,*]+$/.test(text)) throw new InvalidArgumentError('http(s)://host[:port] is wanted.');
  return [...before, text];
}

/** The UI of the embedded server, by both names of this machine. */
async function embeddedUi(): Promise<readonly string[]> {
  const { uiUrl } = await serverStatus(loadConfig().stateFolder);
  return uiUrl === undefined ? [] : [uiUrl, uiUrl.replace('127.0.0.1', 'localhost')];
}

async function codecServer(options: Options): Promise<void> {
  const { host, port } = options;
  const [codec] = dataConverter()?.payloadCodecs ?? [];
  if (codec === undefined) {
    const message = 'there is no key to serve: set COHORTFLOW_ENCRYPTION_KEY or COHORTFLOW_ENCRYPTION_KMS_KEY';
    throw new CohortflowError('BadEncryptionKey', message);
  }
  const token = process.env['COHORTFLOW_CODEC_TOKEN'];
  const origins = options.origin.length > 0 ? options.origin : await embeddedUi();
  const server = await startCodecServer({
    codec,
    host,
    port,
    origins,
    ...(token === undefined || token === '' ? {} : { token }),
    audit: (entry) => say(JSON.stringify(entry)),
  });
  say(`codec server ready at http://${host}:${server.port}, pages of: ${origins.join(', ') || 'none'}`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await server.close();
}

export function codecServerCommand(): Command {
  return new Command('codec-server')
    .description(
      "Encrypt and decrypt for Temporal's CLI (--codec-endpoint) and UI, with the keys of the environment. Whoever reaches\n" +
        'it can read payloads: it listens on this machine only, or wants COHORTFLOW_CODEC_TOKEN.',
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0 takes a free one', portNumber, DEFAULT_PORT)
    .option(
      '--origin <url>',
      "web pages that may ask, repeatable (default: the embedded server's UI)",
      origin,
      [] as readonly string[],
    )
    .action(codecServer);
}
