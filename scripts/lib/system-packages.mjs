// Programs of other makers that the system's package manager has: Salmon, the SRA tools, Java and Maven.
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { onPath, quietly, say } from './console.mjs';

/** What a program is for, and the Debian or Ubuntu package that has it. */
const PROGRAMS = {
  salmon: { package: 'salmon', use: 'quantifying RNA reads' },
  'fastq-dump': { package: 'sra-toolkit', use: 'reading SRA archives' },
  java: { package: 'default-jre-headless', use: "the time-skipping test server's Java form" },
  mvn: { package: 'maven', use: 'fetching the time-skipping test server' },
};

function isContainer() {
  return existsSync('/.dockerenv') || existsSync('/run/.containerenv') || process.env.container !== undefined;
}

function isOn(value) {
  return value !== undefined && !['', '0', 'false'].includes(value.toLowerCase());
}

async function agreed(packages) {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question(`Install ${packages.join(', ')} with apt-get? [y/N] `);
  prompt.close();
  return /^y(es)?$/i.test(answer.trim());
}

/**
 * Makes sure that programs are on PATH, as far as the machine and its user allow: as root in CI or a container they are
 * installed, on a terminal the user is asked, elsewhere nothing is touched. Says what is missing and for what.
 * Returns the programs that are still missing.
 */
export async function ensurePrograms(names) {
  const missing = names.filter((name) => onPath(name) === undefined);
  if (missing.length === 0) return [];
  const packages = missing.map((name) => PROGRAMS[name].package);
  const isRoot = process.getuid?.() === 0;
  if (onPath('apt-get') !== undefined && (isRoot || onPath('sudo') !== undefined)) {
    const freely = isRoot && (isOn(process.env.CI) || isContainer());
    if (freely || (await agreed(packages))) await aptInstall(packages, isRoot);
  }
  const still = names.filter((name) => onPath(name) === undefined);
  for (const name of still) {
    say(
      `${name} is not installed (for ${PROGRAMS[name].use}): sudo apt-get install ${PROGRAMS[name].package}, or your system's way`,
    );
  }
  return still;
}

/** Python 3 with its module for virtual environments, where packages may be installed without asking. */
export async function ensurePythonVenv() {
  const isRoot = process.getuid?.() === 0;
  if (onPath('apt-get') === undefined || !isRoot || !(isOn(process.env.CI) || isContainer())) return;
  await aptInstall(['python3', 'python3-venv'], isRoot);
}

async function aptInstall(packages, isRoot) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (title, args) =>
    isRoot ? quietly(title, 'apt-get', args, { env }) : quietly(title, 'sudo', ['apt-get', ...args], { env });
  if (!(await apt('refreshing the package lists (apt-get update)', ['update']))) return;
  await apt(`installing ${packages.join(', ')}`, ['install', '-y', '--no-install-recommends', ...packages]);
}
