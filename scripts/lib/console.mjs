// What the set-up prints: one line per step, elapsed time on long ones, everything on standard error.
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const REPORT_MS = 10_000;
const HEAD_LINES = 15;
const TAIL_LINES = 25;

export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Elapsed time since `began` (milliseconds of Date.now), as "1 m 05 s". */
export function seconds(began) {
  const total = Math.round((Date.now() - began) / 1000);
  return total < 60 ? `${total} s` : `${Math.floor(total / 60)} m ${String(total % 60).padStart(2, '0')} s`;
}

/** Full path of a program on PATH, or undefined. */
export function onPath(program, env = process.env) {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue;
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/**
 * Runs a program quietly, with a line of progress every ten seconds; its output is shown only when it fails.
 * Returns true when it ended with exit code 0.
 */
export async function quietly(title, program, args, options = {}) {
  const began = Date.now();
  say(`${title} …`);
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  // The beginning usually says what is wrong, the end what became of it.
  const [head, tail] = [[], []];
  const keep = (chunk) => {
    for (const line of chunk.toString().split(/\r?\n/)) {
      if (line.trim() === '' || line.startsWith('npm warn')) continue;
      if (head.length < HEAD_LINES) head.push(line);
      else tail.push(line);
    }
    tail.splice(0, tail.length - TAIL_LINES);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const timer = setInterval(() => {
    const last = (tail.at(-1) ?? head.at(-1) ?? '').trim().slice(0, 80);
    say(`${title}: ${seconds(began)}${last === '' ? '' : ` (${last})`}`);
  }, REPORT_MS);
  const code = await ended(child);
  clearInterval(timer);
  if (code === 0) say(`${title}: done, ${seconds(began)}`);
  else say(`${title}: failed after ${seconds(began)} (exit code ${code})\n${[...head, ...tail].join('\n')}`);
  return code === 0;
}

/** Runs a program in the foreground; resolves to its exit code. */
export async function inForeground(program, args, options = {}) {
  return ended(spawn(program, args, { stdio: 'inherit', ...options }));
}

function ended(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      say(`${child.spawnfile}: ${error.message}`);
      resolve(127);
    });
    child.once('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 130)));
  });
}
