import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { parse } from 'yaml';
import { createFiles } from '../app/create-files.js';
import { isUri, placeFault } from '../domain/cohort/sheet-paths.js';
import { CohortflowError, messageOf } from '../domain/errors.js';
import type { WidthRequest } from '../contracts/control.js';
import type { PerModality, PoolChoice } from '../contracts/fan-out-choice.js';
import type { FanOutModality } from '../contracts/workflow-ids.js';
import type { JsonObject } from '../steps/step.js';

/** `--json`, the same for every verb that has a result. */
export function jsonOption(): Option {
  return new Option('--json', 'print exactly one JSON document on standard output');
}

/** A count given on the command line. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1 is wanted.');
  return value;
}

/** `20`, or `imaging=20,genomics=4`. */
export function concurrency(text: string): WidthRequest {
  if (!text.includes('=')) return wholeNumber(text);
  const widths: Record<string, number> = {};
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.split('=');
    if (name !== 'imaging' && name !== 'genomics') throw new InvalidArgumentError('imaging=N,genomics=N is wanted.');
    widths[name] = wholeNumber(value);
  }
  return widths;
}

/** `NAME:SLOTS`, or `imaging=NAME:SLOTS,genomics=NAME:SLOTS`. */
export function pool(text: string): PerModality<PoolChoice> {
  const one = (part: string): PoolChoice => {
    const [, name, size] = /^([A-Za-z0-9][A-Za-z0-9._-]*):(\d+)$/.exec(part) ?? [];
    if (name === undefined) throw new InvalidArgumentError('NAME:SLOTS is wanted, as jobs:50.');
    return { name, size: wholeNumber(size ?? '') };
  };
  if (!text.includes('=')) return one(text);
  const pools: Partial<Record<FanOutModality, PoolChoice>> = {};
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.split('=');
    if (name !== 'imaging' && name !== 'genomics') throw new InvalidArgumentError('imaging=NAME:SLOTS is wanted.');
    pools[name] = one(value);
  }
  return pools;
}

/**
 * A path made absolute once; URIs stay.
 *
 * @throws CohortflowError `InvalidInput` for what was meant for S3 and would be a folder of this machine
 */
export function absolute(path: string): string {
  const fault = placeFault(path);
  if (fault !== undefined) throw new CohortflowError('InvalidInput', `${path}: ${fault}`);
  return isUri(path) ? path : resolve(path);
}

/** A path that must exist on this machine (URIs are left to the workflows). */
export function existing(path: string, what: string): string {
  const full = absolute(path);
  if (!isUri(full) && !existsSync(full)) throw new CohortflowError('FileNotFound', `${what} ${path}: nothing is there`);
  return full;
}

/** The same where a file is wanted and no folder. */
export function existingFile(path: string, what: string): string {
  const full = existing(path, what);
  if (!isUri(full) && statSync(full).isDirectory()) {
    throw new CohortflowError('InvalidInput', `${what} ${path}: is a folder, a file is wanted`);
  }
  return full;
}

/** Refuses a folder for results that cannot be made on this machine, since a file is in its way. */
export function refuseFileAsFolder(path: string): void {
  if (isUri(path)) return;
  for (let at = path; ; at = dirname(at)) {
    // Below a file the system says that it is no folder, instead of that nothing is there.
    const found = existsSync(at) ? statSync(at) : undefined;
    if (found?.isDirectory() === true || at === dirname(at)) return;
    if (found !== undefined) throw new CohortflowError('InvalidInput', `--output: ${at} is a file, a folder is wanted`);
  }
}

/** The content of a file that an option names, wherever it is. */
export async function readGiven(path: string, what: string): Promise<Uint8Array> {
  return createFiles().read(existingFile(path, what));
}

/** A YAML or JSON document that must be a mapping. */
export async function readDocument(
  path: string,
  what: string,
  parseText: (text: string) => unknown = parse,
): Promise<JsonObject> {
  const text = new TextDecoder().decode(await readGiven(path, what));
  let document: unknown;
  try {
    document = parseText(text);
  } catch (error) {
    if (error instanceof CohortflowError) throw error;
    throw new CohortflowError('InvalidInput', `${what} ${path}: not readable as YAML or JSON (${messageOf(error)})`);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new CohortflowError('InvalidInput', `${what} ${path}: a mapping of keys is wanted`);
  }
  return document as JsonObject;
}
