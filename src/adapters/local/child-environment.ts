/** Keys and tokens of this process that nothing it starts has a use for: a crash dump or `ps` of a tool must not show them. */
const SECRETS = /^(COHORTFLOW_(ENCRYPTION|PSEUDONYM|CODEC|REQUIRE)_|TEMPORAL_)/;

/** Credentials of AWS: our own steps read tables and features in S3, the programs they run do not. */
const CREDENTIALS = /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|WEB_IDENTITY|CONTAINER_)/;

/** The environment for processes of steps: this process's own without its secrets. */
export function childEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !SECRETS.test(name)));
}

/** The environment for programs of other makers: without credentials of any kind. */
export function toolEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(childEnvironment(environment)).filter(([name]) => !CREDENTIALS.test(name)));
}
