import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';

/** One line of a shell block, continued lines joined. */
export interface ShellLine {
  readonly file: string;
  readonly text: string;
}

/** A link or picture of a page. */
export interface MarkdownLink {
  readonly file: string;
  readonly target: string;
}

const FENCE = /^( *)(```|~~~)(\S*)[^\n]*\n([\s\S]*?)^\1\2[ ]*$/gm;

/** Every page of documentation, by its path below the root. */
export function pages(): readonly string[] {
  const below = (folder: string): string[] =>
    existsSync(join(PACKAGE_ROOT, folder))
      ? readdirSync(join(PACKAGE_ROOT, folder), { recursive: true, encoding: 'utf8' })
          .filter((path) => path.endsWith('.md') && !path.includes('node_modules'))
          .map((path) => join(folder, path))
      : [];
  const own = readdirSync(PACKAGE_ROOT).filter((path) => path.endsWith('.md'));
  return [...own, ...below('docs'), ...below('examples')].sort();
}

export function page(file: string): string {
  return readFileSync(join(PACKAGE_ROOT, file), 'utf8');
}

/** The shell lines of a page: blocks marked `sh`, comments left out. */
export function shellLines(file: string): readonly ShellLine[] {
  return [...page(file).matchAll(FENCE)]
    .filter(([, , , language]) => language === 'sh')
    .flatMap(([, , , , body = '']) => body.replaceAll(/\\\n\s*/g, ' ').split('\n'))
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')
    .map((text) => ({ file, text }));
}

/** Links and pictures of a page, also those of definitions (`[name]: target`); what stands in code is none. */
export function links(file: string): readonly MarkdownLink[] {
  const prose = page(file)
    .replaceAll(FENCE, '')
    .replaceAll(/`[^`\n]*`/g, '');
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const defined = [...prose.matchAll(/^\s*\[[^\]]+\]:\s*(\S+)/gm)];
  return [...inline, ...defined].map(([, target = '']) => ({ file, target }));
}

/** The anchors of a page, as GitHub makes them of its headings, and those given by hand. */
export function anchors(file: string): ReadonlySet<string> {
  const text = page(file);
  const seen = new Map<string, number>();
  const found = new Set<string>();
  for (const [, title = ''] of text.replaceAll(FENCE, '').matchAll(/^#{1,6}\s+(.+?)\s*#*\s*$/gm)) {
    const words = title.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = words.replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replaceAll(' ', '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    found.add(before === 0 ? slug : `${slug}-${before}`);
  }
  for (const [, id = ''] of text.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) found.add(id);
  return found;
}

/** Whether a path below the root is a file. */
export function isFile(path: string): boolean {
  const full = join(PACKAGE_ROOT, path);
  return existsSync(full) && statSync(full).isFile();
}
