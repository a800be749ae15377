import { Command, Option } from 'commander';
import { featureNames } from '../../domain/radiomics/index.js';
import { jsonOption } from '../options.js';
import { printJson } from '../output.js';

function list(options: { readonly set: 'default' | 'seed'; readonly json?: boolean }): void {
  const names = featureNames(options.set);
  if (options.json === true) printJson({ set: options.set, count: names.length, features: names });
  else process.stdout.write(`${names.join('\n')}\n`);
}

export function featuresCommand(): Command {
  const listCommand = new Command('list')
    .description('Name the features of a set, one a line, in the order of the columns.')
    .addOption(
      new Option('--set <name>', 'default: the 107 of pyradiomics; seed: the 120 of the original pipeline')
        .choices(['default', 'seed'])
        .default('default'),
    )
    .addOption(jsonOption())
    .action(list);
  return new Command('features').description('What is measured in a tumour.').addCommand(listCommand);
}
