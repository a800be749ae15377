import { CohortflowError } from '../../domain/errors.js';
import { instanceOf, frameBytes, type Instance } from '../../domain/dicom/instance.js';
import { scan, scanDataset, type Layout } from '../../domain/dicom/layout.js';
import { parseHeader } from '../../domain/dicom/parse-header.js';
import { inflateRaw } from '../../domain/dicom/pixels/inflate.js';
import { shownName } from '../../domain/dicom/shown-name.js';
import type { Warning } from '../../domain/dicom/warning.js';
import type { FileEntry } from '../../ports/files.js';
import type { StepIo } from '../step.js';

/** A file that says it is DICOM, but ends early or cannot be read. */
export interface DamagedFile {
  readonly shown: string;
  readonly reason: string;
  /** What is known of it; the series is empty when the damage lies before it. */
  readonly instance: Instance;
}

/** What a study's folder holds. */
export interface StudyIndex {
  readonly instances: readonly Instance[];
  readonly damaged: readonly DamagedFile[];
  readonly files: number;
  /** Files that are no DICOM objects, by why. */
  readonly skipped: { readonly notDicom: number; readonly empty: number; readonly copies: number };
  readonly warnings: readonly Warning[];
}

/** Most headers fit; longer ones are read again, four times as far. */
const FIRST_READ = 32 * 1024;
/** Files whose headers are read at a time: enough to hide the latency of a disk, little memory. */
const AT_ONCE = 8;

type Read =
  | { readonly kind: 'instance'; readonly instance: Instance }
  | { readonly kind: 'damaged'; readonly file: DamagedFile }
  | { readonly kind: 'not-dicom' };

async function readOne(io: StepIo, entry: FileEntry, shown: string): Promise<Read> {
  const source = await io.files.open(entry.path);
  try {
    const file = { path: entry.path, shown, size: source.size, deflated: false };
    for (let length = FIRST_READ; ; length *= 4) {
      const bytes = await source.read(0, Math.min(length, source.size));
      if (bytes.length < Math.min(length, source.size)) {
        throw new CohortflowError('IoError', `${shown}: the file became shorter while it was read.`);
      }
      let result = scan(bytes, source.size);
      let held = bytes;
      let { deflated } = file;
      if (result.kind === 'deflated') {
        const whole = bytes.length === source.size ? bytes : await source.read(0, source.size);
        held = await inflateRaw(whole.subarray(result.offset), shown);
        result = scanDataset(held, result.mediaClass);
        deflated = true;
      }
      if (result.kind === 'more') {
        // Jump to what is needed when that is far: a large element that is skipped needs no reading, but its end does.
        length = Math.max(length, Math.ceil(result.need / 4));
        continue;
      }
      if (result.kind === 'not-dicom' || result.kind === 'deflated') return { kind: 'not-dicom' };
      const read = (layout: Layout) => {
        const parsed = parseHeader(held, layout);
        return { instance: instanceOf({ ...file, deflated }, layout, parsed.dataset), unread: parsed.unread };
      };
      const { instance, unread } = read(result.layout);
      const lost = unread[0];
      const reason =
        result.kind === 'damaged'
          ? result.reason
          : lost === undefined
            ? undefined
            : `element (${lost.slice(0, 4)},${lost.slice(4)}) cannot be read`;
      return reason === undefined
        ? { kind: 'instance', instance }
        : { kind: 'damaged', file: { shown, reason, instance } };
    }
  } finally {
    await source.close();
  }
}

/** True when the pixel data that the header promises are there. */
function isComplete({ pixels, format, fileSize, deflated }: Instance): boolean {
  if (pixels === undefined) return false;
  return deflated || pixels.length === undefined || fileSize - pixels.offset >= frameBytes(format) * format.frames;
}

/**
 * Keeps one of the files that hold the same object. Different objects under one UID (a de-identifier's mistake) are all
 * kept: they lie at different places or are of different kinds.
 */
function withoutCopies(instances: readonly Instance[]): { kept: Instance[]; copies: number; clashes: number } {
  const seen = new Map<string, number>();
  const uids = new Map<string, number>();
  const kept: Instance[] = [];
  let copies = 0;
  for (const instance of instances) {
    const { sopInstanceUid: uid, dataset, format } = instance;
    const place = (dataset.numbers('00200032') ?? []).join('\\');
    const key = [uid, instance.seriesInstanceUid, place, format.rows, format.columns, format.frames].join('|');
    const before = uid === '' ? undefined : seen.get(key);
    if (before === undefined) {
      seen.set(key, kept.length);
      uids.set(uid, (uids.get(uid) ?? 0) + 1);
      kept.push(instance);
    } else {
      copies++;
      if (!isComplete(kept[before]!) && isComplete(instance)) kept[before] = instance;
    }
  }
  const clashes = [...uids].filter(([uid, count]) => uid !== '' && count > 1).length;
  return { kept, copies, clashes };
}

/** The files of a path: of a folder all below it, of an archive all in it, else the file itself. */
async function filesOf(
  io: StepIo,
  entry: FileEntry,
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<readonly FileEntry[]> {
  const { files, archives, scratchFolder } = io;
  if (entry.kind === 'folder') return files.list(entry.path, { recursive: true, signal });
  progress('unpacking');
  const folder = `${scratchFolder}/unpacked/${(await files.names(`${scratchFolder}/unpacked`)).length}`;
  try {
    if (!(await archives.unpack(entry.path, folder, signal))) return [entry];
  } catch (error) {
    if (!(error instanceof CohortflowError)) throw error;
    throw new CohortflowError(error.code, `${shownName(entry.path)}: ${error.message}`, error.details, error);
  }
  return (await files.names(folder)).length === 0 ? [] : files.list(folder, { recursive: true, signal });
}

/**
 * Reads the headers of every file of a study, at any depth, archives unpacked; pixel data stay on disk. Files that are not DICOM are counted
 * and passed over.
 *
 * Throws `FileNotFound` when a path does not exist, `NoDicom` when there is nothing to read.
 */
export async function readStudy(
  io: StepIo,
  paths: readonly string[],
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<StudyIndex> {
  const entries: FileEntry[] = [];
  for (const path of paths) {
    const entry = await io.files.stat(path);
    if (entry === undefined) {
      throw new CohortflowError(
        'FileNotFound',
        `${shownName(path.replace(/\/+$/, ''))}: the study does not exist or cannot be read.`,
      );
    }
    entries.push(...(await filesOf(io, entry, signal, progress)));
  }
  const empty = entries.filter(({ size }) => size === 0).length;
  // "._name" are the resource forks that macOS leaves beside files on foreign disks.
  const candidates = entries.filter(({ size, name }) => size > 0 && !name.startsWith('._'));
  const results: Read[] = new Array<Read>(candidates.length);
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < candidates.length; at = next++) {
      signal.throwIfAborted();
      const entry = candidates[at]!;
      results[at] = await readOne(io, entry, shownName(entry.path, at + 1, candidates.length));
      if (++done % 50 === 0) progress(`headers: ${done} of ${candidates.length} files`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, candidates.length) }, work));

  const instances = results.flatMap((result) => (result.kind === 'instance' ? [result.instance] : []));
  const damaged = results.flatMap((result) => (result.kind === 'damaged' ? [result.file] : []));
  if (instances.length === 0 && damaged.length === 0) {
    throw new CohortflowError(
      'NoDicom',
      entries.length === 0
        ? 'the folder of the study is empty.'
        : `none of the ${entries.length} file(s) of the study is DICOM.`,
      { files: entries.length },
    );
  }
  const { kept, copies, clashes } = withoutCopies(instances);
  const warnings: Warning[] = [];
  if (empty > 0)
    warnings.push({ code: 'EmptyFiles', message: `${empty} file(s) of the study are empty and were passed over.` });
  // What is called a DICOM file and is none was one before it was damaged, or never arrived.
  const strangers = candidates.filter(
    ({ name }, at) => results[at]!.kind === 'not-dicom' && /\.(?:dcm|ima)$/i.test(name),
  );
  if (strangers.length > 0)
    warnings.push({
      code: 'NotDicomFiles',
      message: `${strangers.length} file(s) are named as DICOM files, but are none, and were passed over.`,
    });
  if (copies > 0)
    warnings.push({
      code: 'FileCopies',
      message: `${copies} file(s) hold an object that another file holds too; one of each was used.`,
    });
  if (clashes > 0)
    warnings.push({
      code: 'RepeatedInstanceUid',
      message: `${clashes} SOP instance UID(s) are used by several different images.`,
    });
  return {
    instances: kept,
    damaged,
    files: entries.length,
    skipped: {
      notDicom: results.length - instances.length - damaged.length + (entries.length - empty - candidates.length),
      empty,
      copies,
    },
    warnings,
  };
}
