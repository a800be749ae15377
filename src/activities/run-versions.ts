import { layout } from '../contracts/layout.js';
import type { GenomicsUnit } from '../domain/cohort/manifest.js';
import type { Files } from '../ports/files.js';
import type { JsonObject } from '../steps/step.js';

/** Versions by program, as run/versions.json has them. */
export type Versions = Readonly<Record<string, string>>;

/** What the versions of a program are called that nobody has said. */
const NOT_KNOWN = 'not known';

/** What quantifies reads. */
const QUANTIFIERS = ['salmon', 'dragen'] as const;

/**
 * The versions at the start of a run: of what quantifies its reads only that which will. Which DRAGEN the machines have, they
 * say themselves.
 *
 * @param here versions of this machine
 */
export function versionsAtStart(
  here: Versions,
  samples: readonly GenomicsUnit[],
  executor: 'local' | 'dragen' = 'local',
): Versions {
  const { salmon, ...others } = here;
  const reads = samples.some(({ source }) => source.kind !== 'quant');
  if (!reads) return others;
  if (executor === 'dragen') return { ...others, dragen: NOT_KNOWN };
  return salmon === undefined ? others : { ...others, salmon };
}

/** Versions as they were written; none where someone damaged the file: no run fails for it. */
function parsed(text: string): Versions {
  try {
    return (JSON.parse(text) as Versions | null) ?? {};
  } catch {
    return {};
  }
}

/** What quantified the samples of a run, as the summaries of their steps tell. */
export class Quantified {
  readonly #versions = new Map<string, Set<string>>();

  /** @param summary of `genomics.quantify` */
  add({ program, version }: JsonObject): void {
    const name = QUANTIFIERS.find((known) => typeof program === 'string' && program.toLowerCase() === known);
    if (name === undefined) return;
    const versions = this.#versions.get(name) ?? new Set();
    this.#versions.set(name, versions);
    if (typeof version === 'string' && version !== '') versions.add(version);
  }

  /** Puts into run/versions.json what made the results in place of what was meant to; nothing where nobody knows. */
  async write(files: Files, output: string): Promise<void> {
    const place = layout.versions(output);
    if (this.#versions.size === 0 || (await files.stat(place)) === undefined) return;
    const { salmon: _salmon, dragen: _dragen, ...others } = parsed(await files.readText(place));
    const found = [...this.#versions].sort(([a], [b]) => (a < b ? 1 : -1));
    const named = found.map(([name, versions]) => [name, [...versions].sort().join(', ') || NOT_KNOWN] as const);
    await files.write(place, versionsText({ ...others, ...Object.fromEntries(named) }));
  }
}

/** The text of run/versions.json. */
export const versionsText = (versions: Versions): string => `${JSON.stringify(versions, null, 2)}\n`;
