import { Command } from 'commander';
import { ensureServer, serverStatus, stopServer } from '../../adapters/local/temporal-server.js';
import { loadConfig } from '../../config/load-config.js';
import { EXIT } from '../../contracts/exit-codes.js';
import { jsonOption } from '../options.js';
import { printJson, say } from '../output.js';

interface Options {
  readonly json?: boolean;
}

async function start(options: Options): Promise<void> {
  const { stateFolder, cacheFolder } = loadConfig();
  const server = await ensureServer({ env: process.env, stateFolder, cacheFolder, log: say });
  if (options.json === true) printJson(server);
  else say(`${server.address}${server.uiUrl === undefined ? '' : `, UI at ${server.uiUrl}`}`);
}

async function stop(options: Options): Promise<void> {
  const stopped = await stopServer(loadConfig().stateFolder);
  if (options.json === true) printJson({ stopped });
  else say(stopped ? 'stopped' : 'was not running');
}

async function status(options: Options): Promise<void> {
  const found = await serverStatus(loadConfig().stateFolder);
  if (options.json === true) printJson(found);
  else {
    say(found.running ? `running at ${found.address ?? '?'}, UI at ${found.uiUrl ?? '?'}` : 'not running');
    say(`database ${found.database} (${found.databaseBytes} bytes), log ${found.log}`);
  }
  if (!found.answering) process.exitCode = EXIT.other;
}

export function serverCommand(): Command {
  const sub = (name: string, about: string, action: (options: Options) => Promise<void>): Command =>
    new Command(name).description(about).addOption(jsonOption()).action(action);
  return new Command('server')
    .description(
      'The embedded Temporal server: one background process of this user, with its data in the state folder.',
    )
    .addCommand(sub('start', 'Start it, or find the one that runs.', start))
    .addCommand(sub('stop', 'Stop it; its data stays.', stop))
    .addCommand(sub('status', 'Say whether and where it runs.', status));
}
