// moto: AWS's S3, KMS and a few more in memory, for the tests, and the AWS CLI beside it.
import { existsSync } from 'node:fs';
import { onPath } from './console.mjs';
import { obtainPythonProgram } from './python-programs.mjs';

// With the AWS CLI, which machines of the tests call: one environment, so that both agree about what they share.
const PACKAGES = ['moto[server]==5.2.5', 'awscli==1.46.3'];

/** `moto_server`: the one that COHORTFLOW_TEST_MOTO names, on PATH, or ours. */
export async function obtainMoto() {
  const named = process.env.COHORTFLOW_TEST_MOTO ?? onPath('moto_server');
  if (named !== undefined && existsSync(named)) return { path: named };
  return obtainPythonProgram('moto_server', 'moto-5.2.5-aws-1.46.3', PACKAGES);
}
