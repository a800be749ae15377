import type { UnitFile } from '../../contracts/case-index.js';
import type { JsonObject, StepCall } from '../step.js';

/** A features file of a finished study, or of one of its segments. */
export interface FeatureFile {
  readonly caseId: string;
  readonly part: string;
  readonly date?: string;
  readonly segment?: string;
  readonly path: string;
}

interface FinishedUnit {
  readonly caseId: string;
  readonly part: string;
  readonly date?: string;
  readonly outputs: readonly UnitFile[];
}

const SEGMENT_FILE = /\/features-(.+)\.json$/;

/** Feature files of all finished studies in sheet order: of the whole region, or of the segments. */
export async function featureFiles<P extends JsonObject>(
  list: string,
  segments: boolean,
  call: StepCall<P>,
): Promise<FeatureFile[]> {
  const found: FeatureFile[] = [];
  for await (const line of call.io.files.lines(list, call.signal)) {
    if (line === '') continue;
    const { outputs, ...unit } = JSON.parse(line) as FinishedUnit;
    for (const { path } of outputs) {
      const segment = SEGMENT_FILE.exec(path)?.[1];
      if (segments && segment !== undefined) found.push({ ...unit, segment, path });
      else if (!segments && path.endsWith('/features.json')) found.push({ ...unit, path });
    }
  }
  return found;
}

/** The numbers of a features file; null where a feature could not be computed. */
export async function readFeatures<P extends JsonObject>(
  file: Pick<FeatureFile, 'path'>,
  call: StepCall<P>,
): Promise<Readonly<Record<string, number | null>>> {
  return JSON.parse(await call.io.files.readText(file.path)) as Record<string, number | null>;
}
