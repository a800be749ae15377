import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { commandLine, quoted } from '../../../../../src/domain/genomics/dragen/shell.js';
import { seeded } from '../../../../support/aws/faults.js';

const HOSTILE = [
  '',
  ' ',
  "it's",
  "''",
  '"double"',
  '$(touch ran)',
  '`touch ran`',
  '; touch ran',
  '&& touch ran',
  '| touch ran',
  '> ran',
  '\ntouch ran\n',
  'reads_1.fastq\n',
  '$HOME',
  '${PATH}',
  '$((1+1))',
  '\\',
  '\\n',
  "\\'; touch ran; '",
  "'\\''",
  '*',
  '?[a-z]',
  '{a,b}',
  '~',
  '~root/x',
  '!!',
  '# comment',
  '-rf',
  '--output=x',
  '--',
  'a=b',
  '%s%n',
  '\t',
  '\r\n',
  'Grüße, 試料 🧬',
  '\u0001\u001b[2J',
  's3://bucket/a b/c+d=e,f@g:h%20.fastq.gz',
];

describe('words of a shell', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cohortflow-shell-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What a program is given when a shell runs the line. */
  function argvOf(shell: string, words: readonly string[]): readonly string[] {
    const program = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
    const line = commandLine([process.execPath, '-e', program, '--', ...words]);
    const { status, stdout, stderr } = spawnSync(shell, ['-c', line], { cwd: folder, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return JSON.parse(stdout) as readonly string[];
  }

  // Machines read the first lines by sh, the script itself by bash.
  it.each(['bash', 'sh'])('reach a program as they are, whatever they hold, and run nothing: %s', (shell) => {
    expect(argvOf(shell, HOSTILE)).toEqual(HOSTILE);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  it('reach a program as they are, whatever characters meet', () => {
    const random = seeded(5);
    const characters = [...'\'"\\$`(){}[]<>|&;*?!#~=%^ \t\n-az09./:,@+_'];
    const pick = (): string => characters[Math.floor(random() * characters.length)]!;
    const words = Array.from({ length: 500 }, () => Array.from({ length: 12 }, pick).join(''));
    expect(argvOf('bash', words)).toEqual(words);
  });

  it('stay readable where nothing in them means anything', () => {
    expect(quoted('s3://bucket/reads_1.fastq.gz')).toBe('s3://bucket/reads_1.fastq.gz');
    expect(commandLine(['dragen', '--RGID', 'R01-001', '--output-directory=.'])).toBe(
      'dragen --RGID R01-001 --output-directory=.',
    );
  });
});
