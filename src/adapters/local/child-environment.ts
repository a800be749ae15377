/** Keys and tokens of this process that nothing it starts has a use for: a crash dump or `ps` of a tool must not show them. */
const SECRETS = /^(COHORTFLOW_(ENCRYPTION|PSEUDONYM|CODEC|REQUIRE)_|TEMPORAL_)/;

/** The environment for processes of steps and tools: this process's own without its secrets. */
export function childEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !SECRETS.test(name)));
}
