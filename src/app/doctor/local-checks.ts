import { LocalToolRunner } from '../../adapters/local/tool-runner.js';
import { programFolder } from '../../adapters/local/tool-cache.js';
import type { Config } from '../../config/config.js';
import { thisMachine } from '../../config/machine.js';
import type { Check } from './check.js';
import { folderChecks } from './local/folders.js';
import { diskCheck, memoryCheck } from './local/machine.js';
import { nodeCheck } from './local/node.js';
import { programChecks } from './local/programs.js';
import { queueCheck, temporalCheck } from './local/temporal.js';

/** Everything of this machine that a run needs. */
export function localChecks(config: Config, folder: string, remote: boolean): readonly Check[] {
  return [
    nodeCheck(),
    ...folderChecks(config),
    diskCheck(config, folder),
    memoryCheck(config, thisMachine()),
    ...programChecks(new LocalToolRunner([programFolder(config.cacheFolder)])),
    temporalCheck(config),
    queueCheck(config, remote),
  ];
}
