import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHECKOUT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line as a user would, behind the command `through` if given; the exit code is a result. */
export async function cli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  through: readonly string[] = [],
): Promise<CliResult> {
  const [program = '', ...rest] = [...through, process.execPath, join(CHECKOUT, 'bin', 'cohortflow.js'), ...args];
  const child = spawn(program, rest, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
  return { exitCode, stdout, stderr };
}

/** Runs a `--json` command and parses its one document; a failure to parse shows what was printed instead. */
export async function cliJson(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  through: readonly string[] = [],
): Promise<CliResult & { readonly document: Record<string, unknown> }> {
  const result = await cli([...args, '--json'], env, through);
  try {
    return { ...result, document: JSON.parse(result.stdout) as Record<string, unknown> };
  } catch {
    throw new Error(
      `no JSON document on standard output (exit ${result.exitCode}):\n${result.stdout}\n${result.stderr}`,
    );
  }
}
