import { CohortflowError, messageOf } from '../../domain/errors.js';
import { checkFastq, checkMates, checkSingle, type FastqFacts } from '../../domain/genomics/fastq-check.js';
import { shownName } from '../../domain/dicom/shown-name.js';
import type { JsonObject, StepCall } from '../step.js';
import { baseName } from '../file-names.js';

/** The reads of one sample, checked: files in lane order, mates side by side when paired. */
export interface SampleReads {
  readonly first: readonly string[];
  readonly second: readonly string[];
  readonly fragments: number;
}

async function check<P extends JsonObject>(path: string, { io, signal }: StepCall<P>): Promise<FastqFacts> {
  const shown = shownName(path);
  try {
    return await checkFastq(io.files.stream(path, signal), shown);
  } catch (error) {
    if (!(error instanceof CohortflowError) || error.details['damaged'] !== true) throw error;
    throw new CohortflowError('DamagedReads', `${shown}: the gzip stream is damaged or cut off`, {}, error);
  }
}

/**
 * Checks the files of a sample's lanes whole, before Salmon sees them: it maps what it can of a cut file and says nothing.
 *
 * @throws CohortflowError `DamagedReads`, `EmptyReads`, `UnpairedReads`, `InvalidInput`
 */
export async function checkReads<P extends JsonObject>(
  first: readonly string[],
  second: readonly string[],
  call: StepCall<P>,
): Promise<SampleReads> {
  if (second.length > 0 && second.length !== first.length) {
    throw new CohortflowError(
      'UnpairedReads',
      `${first.length} files of first reads but ${second.length} of second reads`,
    );
  }
  let fragments = 0;
  for (const [lane, path] of first.entries()) {
    call.progress(`checking reads, lane ${lane + 1} of ${first.length}`);
    const mate = second[lane];
    const [facts, mateFacts] = await Promise.all([
      check(path, call),
      mate === undefined ? undefined : check(mate, call),
    ]);
    if (mate === undefined || mateFacts === undefined) checkSingle(facts, shownName(path));
    else checkMates(facts, mateFacts, [shownName(path), shownName(mate)]);
    fragments += facts.records;
  }
  return { first, second, fragments };
}

/**
 * Unpacks SRA archives or accessions with fastq-dump (`-I --split-files`: one file per read of a spot, the read's number in
 * its name).
 *
 * @throws CohortflowError `DamagedArchive`, `ToolMissing`
 */
export async function unpackArchives<P extends JsonObject>(
  archives: readonly string[],
  call: StepCall<P>,
): Promise<{ readonly first: readonly string[]; readonly second: readonly string[] }> {
  const { io, signal } = call;
  const first: string[] = [];
  const second: string[] = [];
  for (const [number, archive] of archives.entries()) {
    const shown = shownName(archive);
    call.progress(`unpacking ${shown}`);
    const folder = `${io.scratchFolder}/sra-${number}`;
    await io.files.makeFolder(folder);
    const { exitCode, stderr } = await io.tools.run('fastq-dump', ['-I', '--split-files', '-O', folder, archive], {
      signal,
    });
    if (exitCode !== 0) {
      const last = (stderr.trim().split('\n').at(-1) ?? '').replaceAll(archive, shown);
      throw new CohortflowError('DamagedArchive', `${shown}: fastq-dump ended with exit code ${exitCode}: ${last}`);
    }
    const made = (await io.files.list(folder)).filter((entry) => entry.size > 0);
    const one = made.find((entry) => entry.name.endsWith('_1.fastq')) ?? made[0];
    const two = made.find((entry) => entry.name.endsWith('_2.fastq') && entry !== one);
    if (one === undefined) throw new CohortflowError('EmptyReads', `${shown} holds no read`);
    first.push(one.path);
    if (two !== undefined) second.push(two.path);
  }
  if (second.length > 0 && second.length !== first.length) {
    throw new CohortflowError('UnpairedReads', 'some of the archives hold pairs and some single reads');
  }
  return { first, second };
}

/** JSON that another program wrote; undefined when it is not there or damaged. */
export async function readToolJson<P extends JsonObject>(
  path: string,
  { io }: StepCall<P>,
): Promise<Record<string, unknown> | undefined> {
  if ((await io.files.stat(path)) === undefined) return undefined;
  try {
    return JSON.parse(await io.files.readText(path)) as Record<string, unknown>;
  } catch (error) {
    throw new CohortflowError('QuantificationFailed', `${baseName(path)} is not readable: ${messageOf(error)}`);
  }
}
