import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../../src/app/package-root.js';
import { anchors, isFile, links, pages } from '../../support/markdown.js';

const all = pages().flatMap((file) => links(file));
const relative = all.filter(({ target }) => !/^[a-z][a-z0-9+.-]*:/i.test(target));

/** What is wrong with a link of this repository; undefined when nothing is. */
function fault(file: string, target: string): string | undefined {
  const [path = '', anchor] = target.split('#');
  const place = path === '' ? file : normalize(join(dirname(file), decodeURIComponent(path)));
  if (place.startsWith('..')) return 'leads out of the repository';
  if (!existsSync(join(PACKAGE_ROOT, place))) return 'nothing is there';
  if (anchor === undefined) return undefined;
  if (!isFile(place) || !place.endsWith('.md')) return 'only pages have anchors';
  return anchors(place).has(decodeURIComponent(anchor)) ? undefined : 'there is no such heading';
}

describe('the documentation', () => {
  it('has links that lead somewhere, to headings that are there', () => {
    expect(relative.length).toBeGreaterThan(60);
    const faults = relative.flatMap(({ file, target }) => {
      const found = fault(file, target);
      return found === undefined ? [] : [`${file}: ${target}: ${found}`];
    });
    expect(faults).toEqual([]);
  });

  it('is found from the README: every page of docs/ is linked from another', () => {
    const linked = new Set(
      relative.map(({ file, target }) => normalize(join(dirname(file), target.split('#')[0] ?? ''))),
    );
    expect(pages().filter((file) => file.startsWith('docs/') && !linked.has(file))).toEqual([]);
  });

  it('would be found wrong: a missing page, a missing heading, a place outside', () => {
    expect(fault('README.md', 'docs/nothing.md')).toBe('nothing is there');
    expect(fault('README.md', 'docs/usage.md#nothing')).toBe('there is no such heading');
    expect(fault('README.md', '#two-commands')).toBeUndefined();
    expect(fault('README.md', '../elsewhere.md')).toBe('leads out of the repository');
  });
});
