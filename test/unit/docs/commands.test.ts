import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../../src/app/package-root.js';
import { createProgram } from '../../../src/cli/main.js';
import { composeFile } from '../../support/compose-file.js';
import { pages, shellLines, type ShellLine } from '../../support/markdown.js';

const lines = pages().flatMap((file) => shellLines(file));
const words = (text: string): string[] => text.split(/[\s[\]]+/).filter((word) => word !== '');
const scriptsOf = (path: string): string[] =>
  Object.keys((JSON.parse(readFileSync(join(PACKAGE_ROOT, path), 'utf8')) as { scripts: object }).scripts);

/** The words behind `cohortflow`, however it is called: alone, by npx, in a container. */
function ofOurs({ text }: ShellLine): string[] | undefined {
  const [, rest] = /(?:^|&&\s+|\s)(?:npx )?cohortflow (.*)$/.exec(text) ?? [];
  const head = text.split(' cohortflow ')[0] ?? '';
  const called =
    /^(npx )?cohortflow /.test(text) ||
    /^([A-Z_]+=\S+ )+(npx )?$/.test(`${head} `) ||
    /^docker compose .*\brun\b/.test(head);
  return called && rest !== undefined ? words(rest) : undefined;
}

/** What a command line has that the product does not know. */
function unknownParts(given: readonly string[]): readonly string[] {
  let verb: Command = createProgram();
  let at = 0;
  for (; at < given.length; at += 1) {
    const next = verb.commands.find((one) => [one.name(), ...one.aliases()].includes(given[at]!));
    if (next === undefined) break;
    verb = next;
  }
  if (at === 0 && given[0]?.startsWith('-') !== true) return [given[0] ?? ''];
  const known = new Set([
    '--help',
    '-h',
    '--version',
    '-V',
    ...verb.options.flatMap(({ long, short }) => [long, short]),
  ]);
  return given.slice(at).flatMap((word) => {
    const flag = word.split('=')[0]!;
    return /^--?[a-z]/i.test(flag) && !known.has(flag) ? [`${verb.name()} ${flag}`] : [];
  });
}

describe('the commands that the documentation shows', () => {
  it('are verbs and flags of the command line', () => {
    const shown = lines.flatMap((line) => {
      const given = ofOurs(line);
      return given === undefined ? [] : [{ line, given }];
    });
    expect(shown.length).toBeGreaterThan(30);
    const faults = shown.flatMap(({ line, given }) => unknownParts(given).map((part) => `${line.file}: ${part}`));
    expect(faults).toEqual([]);
  });

  it('would be found wrong: a verb or a flag that is not there', () => {
    expect(unknownParts(['runn', '--cohort', 'c.csv'])).toEqual(['runn']);
    expect(unknownParts(['server', 'status', '--cohort=c.csv'])).toEqual(['status --cohort']);
  });

  it('are scripts of the package, of the CDK app, or of the example whose page it is', () => {
    const scripts = (file: string): string[] => [
      ...scriptsOf('package.json'),
      ...scriptsOf('deploy/package.json'),
      ...(file.startsWith('examples/') ? scriptsOf(join(dirname(file), 'package.json')) : []),
    ];
    const named = lines.flatMap(({ file, text }) =>
      [...text.matchAll(/\bnpm (?:run(?: --silent| -s)? )(?<name>[\w-]+)/g)].map(
        ({ groups }) => [file, groups!['name']!] as const,
      ),
    );
    expect(named.length).toBeGreaterThan(4);
    for (const [file, name] of named) expect(scripts(file), `${file}: npm run ${name}`).toContain(name);
  });

  it('are services and profiles of docker-compose.yml', () => {
    const { services } = composeFile();
    const profiles = new Set(Object.values(services).flatMap(({ profiles = [] }) => profiles));
    const compose = lines.filter(({ text }) => text.startsWith('docker compose '));
    for (const { file, text } of compose) {
      for (const [, name = ''] of text.matchAll(/--profile (\S+)/g))
        expect([...profiles], `${file}: ${text}`).toContain(name);
      for (const [, name = ''] of text.matchAll(/--scale (\w+)=/g))
        expect(Object.keys(services), `${file}: ${text}`).toContain(name);
      const [, name] = /\b(?:logs|exec|restart|run --rm)(?: -\S+)* ([a-z0-9-]+)/.exec(text) ?? [];
      if (name !== undefined) expect(Object.keys(services), `${file}: ${text}`).toContain(name);
    }
  });
});
