// Counting what ran, and saying at the end what did not and why.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** An empty count. */
export function newSummary() {
  return { passed: 0, failed: 0, skipped: 0, failures: [], skips: new Map(), reasons: new Set() };
}

/** Counts a check that is no vitest test (lint, types) as one. */
export function countCheck(summary, title, passed) {
  if (passed) summary.passed += 1;
  else {
    summary.failed += 1;
    summary.failures.push(title);
  }
}

/** Counts something that could not be done on this machine. */
export function countSkip(summary, title, reason) {
  summary.skipped += 1;
  summary.skips.set(title, 1);
  summary.reasons.add(reason);
}

/** Colours of a terminal: escape, bracket, numbers, m. */
const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** Tests print why they skip as a line of their own: `skipped: reason`. */
export function noteReasons(summary, text) {
  for (const line of text.replace(COLOURS, '').split(/\r?\n/)) {
    const reason = /^\s*skipped: (.+)$/.exec(line)?.[1];
    if (reason !== undefined) summary.reasons.add(reason);
  }
}

/** Why a test failed, in a few indented lines: of a long output often only the end is kept. */
function why(test) {
  const [message = ''] = test.failureMessages ?? [];
  const lines = message
    .replace(COLOURS, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  return lines
    .slice(0, 8)
    .map((line) => `\n      ${line.slice(0, 300)}`)
    .join('');
}

/** Adds a vitest JSON report. A run that failed without a failed test (a file that does not load) counts as one failure. */
export function addReport(summary, title, path, exitCode, root) {
  const failedBefore = summary.failed;
  const report = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { testResults: [] };
  for (const file of report.testResults) {
    const name = relative(root, file.name);
    for (const test of file.assertionResults) {
      if (test.status === 'passed') summary.passed += 1;
      else if (test.status === 'failed') {
        summary.failed += 1;
        summary.failures.push(`${title}: ${name}: ${test.fullName}${why(test)}`);
      } else {
        summary.skipped += 1;
        summary.skips.set(name, (summary.skips.get(name) ?? 0) + 1);
      }
    }
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) {
      summary.failed += 1;
      summary.failures.push(`${title}: ${name}: ${(file.message || 'the file did not run').split('\n')[0]}`);
    }
  }
  if (exitCode !== 0 && summary.failed === failedBefore) {
    summary.failed += 1;
    summary.failures.push(`${title}: ended with exit code ${exitCode}`);
  }
}

/** The end of the output: failures, what was skipped and why, and the closing line. */
export function closing(summary) {
  const lines = [];
  if (summary.failures.length > 0) lines.push('', 'Failed:', ...summary.failures.map((line) => `  ${line}`));
  if (summary.skipped > 0) {
    lines.push('', 'Skipped:', ...[...summary.skips].map(([name, count]) => `  ${name}: ${count}`));
    lines.push('Why:', ...[...summary.reasons].map((reason) => `  ${reason}`));
    if (summary.reasons.size === 0) lines.push('  (the tests did not say)');
  }
  lines.push('', `${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped`);
  return lines.join('\n');
}
