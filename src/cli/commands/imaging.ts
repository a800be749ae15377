import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Command, Option } from 'commander';
import { convertStep } from '../../steps/imaging/convert.js';
import { overlayStep } from '../../steps/imaging/overlay.js';
import { correctsMask, parseParameterText } from '../../domain/radiomics/index.js';
import { radiomicsStep } from '../../steps/imaging/radiomics.js';
import type { JsonObject } from '../../steps/step.js';
import { absolute, existing, jsonOption, readDocument, wholeNumber } from '../options.js';
import { printJson, say } from '../output.js';
import { interruptSignal, runSingleStep } from '../single-step.js';

interface ImagingOptions {
  readonly output: string;
  readonly mask?: string;
  readonly label?: number;
  readonly radiomics?: string;
  readonly set: 'default' | 'seed';
  readonly roi?: string;
  readonly series?: string;
  readonly title?: string;
  readonly json?: boolean;
}

/** Only the keys that were given: an absent option is not the same as an undefined one in a step's fingerprint. */
function given<T extends Readonly<Record<string, unknown>>>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** What this command writes after the conversion. */
const MEASURED = /^(?:features.*\.json|geometry\.json|overlay-.*\.png)$/;

/**
 * Removes what an earlier run left of another conversion: its features beside the new mask, when measuring that one fails,
 * or its segments, would be taken for those of this study.
 */
async function removeEarlier(folder: string, converted: readonly string[]): Promise<void> {
  const list = async (below: string): Promise<string[]> =>
    (await readdir(join(folder, below)).catch(() => [])).map((name) => join(below, name));
  const earlier = [...(await list('')).filter((name) => MEASURED.test(name)), ...(await list('segments'))];
  await Promise.all(earlier.filter((path) => !converted.includes(path)).map((path) => rm(join(folder, path))));
}

/** What the conversion warned of, in sentences. */
async function warningsOf(conversion: string): Promise<string[]> {
  const { warnings } = JSON.parse(await readFile(conversion, 'utf8')) as {
    readonly warnings: readonly { readonly code: string; readonly message: string }[];
  };
  return warnings.map(({ code, message }) => `warning: ${code}: ${message}`);
}

async function imaging(study: string, options: ImagingOptions): Promise<void> {
  const folder = absolute(options.output);
  const source: Record<string, readonly string[]> =
    options.mask === undefined
      ? { study: [existing(study, 'study folder')] }
      : { image: [existing(study, 'image')], mask: [existing(options.mask, 'mask')] };
  const settings: { readonly settings?: JsonObject } =
    options.radiomics === undefined
      ? {}
      : { settings: await readDocument(options.radiomics, '--radiomics', parseParameterText) };
  const signal = interruptSignal();
  const { roi, series, label } = options;

  const correctMask = options.mask !== undefined && correctsMask(settings.settings) ? true : undefined;
  const params = given({ roi, series, label, correctMask });
  const converted = await runSingleStep(convertStep, params, source, folder, signal);
  await removeEarlier(folder, converted.outputs);
  const at = (name: string): string => join(folder, name);
  const volumes = { image: [at('ct.nii.gz')], mask: [at('seg.nii.gz')] };
  const segments = converted.outputs.filter((path) => path.startsWith('segments/')).map(at);
  const measured = await runSingleStep(
    radiomicsStep,
    { set: options.set, ...settings },
    { ...volumes, conversion: [at('conversion.json')], segments },
    folder,
    signal,
  );
  const title = options.title ?? basename(absolute(study));
  const drawn = await runSingleStep(overlayStep, { title }, volumes, folder, signal);

  const outputs = [...new Set([...converted.outputs, ...measured.outputs, ...drawn.outputs])].sort();
  if (options.json === true) {
    printJson({ output: folder, outputs, conversion: converted.summary, radiomics: measured.summary });
  } else {
    for (const path of outputs) say(at(path));
    for (const line of await warningsOf(at('conversion.json'))) say(line);
    say(`${String(measured.summary.features)} features, ${String(measured.summary.nulls)} of them null`);
  }
}

export function imagingCommand(): Command {
  return new Command('imaging')
    .description('Convert one study, measure its tumour and draw it, without Temporal.')
    .argument('<study>', 'folder with the DICOM files of one study; or an image.nii[.gz] together with --mask')
    .requiredOption(
      '--output <folder>',
      'where ct.nii.gz, seg.nii.gz, features.json, geometry.json and the overlays go',
    )
    .option('--mask <file>', 'NIfTI mask of a NIfTI image')
    .option('--label <n>', 'the value in the mask that is the tumour', wholeNumber)
    .option('--radiomics <file>', 'pyradiomics parameter file (YAML), unchanged')
    .addOption(new Option('--set <name>', 'which features').choices(['default', 'seed']).default('default'))
    .option('--roi <name>', 'name or pattern of the segments to measure (default: all of them together)')
    .option('--series <name>', 'the segmentation or CT series to take, where several fit')
    .option('--title <text>', 'title of the pictures (default: the folder name)')
    .addOption(jsonOption())
    .action(imaging);
}
