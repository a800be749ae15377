import { Command } from 'commander';
import { createFiles } from '../../app/create-files.js';
import { EXIT } from '../../contracts/exit-codes.js';
import { describeFault, type SheetFault } from '../../domain/cohort/index.js';
import { clinicalFeatures, overlapNotes, readClinicalTable } from '../../domain/clinical/index.js';
import { isUri } from '../../domain/cohort/sheet-paths.js';
import { CohortflowError } from '../../domain/errors.js';
import { parseRadiomicsSettings, parseParameterText } from '../../domain/radiomics/index.js';
import { readCheckedSheet } from '../../steps/cohort/check-sheet.js';
import { absolute, existingFile, jsonOption, readDocument, readGiven } from '../options.js';
import { printJson, say } from '../output.js';
import { existsSync } from 'node:fs';

interface ValidateOptions {
  readonly cohort?: string;
  readonly clinical?: string;
  readonly clinicalSpec?: string;
  readonly radiomics?: string;
  readonly json?: boolean;
}

interface Verdict {
  readonly what: string;
  readonly valid: boolean;
  readonly facts: Readonly<Record<string, unknown>>;
}

async function attempt(
  what: string,
  check: () => Promise<Record<string, unknown>> | Record<string, unknown>,
): Promise<Verdict> {
  try {
    return { what, valid: true, facts: await check() };
  } catch (error) {
    if (!(error instanceof CohortflowError)) throw error;
    const { code, message, details } = error;
    return { what, valid: false, facts: { code, message, ...details } };
  }
}

/** @param cases takes the ids of the sheet's cases */
async function sheetFacts(path: string, cases: string[]): Promise<Record<string, unknown>> {
  const { manifest, warnings } = await readCheckedSheet(absolute(path), createFiles());
  const { imaging, genomics } = manifest;
  for (const { caseId } of manifest.cases) cases.push(caseId);
  return {
    cases: cases.length,
    studies: imaging.length,
    samples: genomics.length,
    warnings: warnings.map((warning) => describeFault(warning)),
  };
}

async function clinicalFacts(
  path: string,
  spec: string | undefined,
  cases: readonly string[],
): Promise<Record<string, unknown>> {
  const named = spec !== undefined && (isUri(spec) || existsSync(spec));
  const chosen = named ? await readDocument(spec, '--clinical-spec') : spec;
  const {
    features,
    dropped,
    spec: name,
    caseIds,
    warnings,
  } = clinicalFeatures(readClinicalTable(await readGiven(path, '--clinical')), chosen);
  return {
    spec: name,
    rows: features.rows.length,
    columns: features.columns.length,
    dropped: dropped.length,
    warnings: [...warnings, ...overlapNotes(cases, caseIds)],
  };
}

function show({ what, valid, facts }: Verdict): void {
  if (!valid) {
    say(`${what}: ${String(facts['code'])}: ${String(facts['message'])}`);
    const faults = facts['faults'] as readonly SheetFault[] | undefined;
    // The message holds the first twenty; the rest is for those who asked for everything.
    for (const fault of faults?.slice(20) ?? []) say(`  ${describeFault(fault)}`);
    return;
  }
  const { warnings, ...rest } = facts;
  say(
    `${what}: valid (${Object.entries(rest)
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', ')})`,
  );
  for (const warning of (warnings ?? []) as readonly string[]) say(`  warning: ${warning}`);
}

async function validate(options: ValidateOptions): Promise<void> {
  const { cohort, clinical, clinicalSpec, radiomics } = options;
  const verdicts: Verdict[] = [];
  const cases: string[] = [];
  if (cohort !== undefined) {
    verdicts.push(await attempt('cohort', () => sheetFacts(existingFile(cohort, '--cohort'), cases)));
  }
  if (clinical !== undefined) {
    verdicts.push(await attempt('clinical', () => clinicalFacts(clinical, clinicalSpec, cases)));
  }
  if (radiomics !== undefined) {
    const check = async (): Promise<Record<string, unknown>> => {
      const document = await readDocument(radiomics, '--radiomics', parseParameterText);
      return { imageTypes: parseRadiomicsSettings(document).imageTypes.map(({ name }) => name) };
    };
    verdicts.push(await attempt('radiomics', check));
  }
  if (verdicts.length === 0) {
    throw new CohortflowError('InvalidInput', 'validate: give --cohort, --clinical or --radiomics');
  }
  const valid = verdicts.every((verdict) => verdict.valid);
  if (options.json === true) {
    const parts = Object.fromEntries(verdicts.map(({ what, valid: good, facts }) => [what, { valid: good, ...facts }]));
    const bad = verdicts.find((verdict) => !verdict.valid);
    const error =
      bad === undefined
        ? {}
        : { error: { code: bad.facts['code'], message: bad.facts['message'], details: bad.facts } };
    printJson({ valid, ...parts, ...error });
  } else for (const verdict of verdicts) show(verdict);
  process.exitCode = valid ? EXIT.ok : EXIT.input;
}

export function validateCommand(): Command {
  return new Command('validate')
    .description('Check the inputs of a run and name every fault at once; nothing is started.')
    .option('--cohort <sheet>', 'cohort sheet (CSV); its files are looked for')
    .option('--clinical <table>', 'clinical table (CSV)')
    .option('--spec, --clinical-spec <name or file>', 'how to read the clinical table')
    .option('--radiomics <file>', 'pyradiomics parameter file (YAML)')
    .addOption(jsonOption())
    .action(validate);
}
