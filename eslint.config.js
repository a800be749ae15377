// Style is prettier's; what is linted here is what a reader cannot see at a glance: promises nobody awaits, `any`,
// cycles, and an import that crosses a layer. The layers are those of docs/development.md.
import { existsSync } from 'node:fs';
import js from '@eslint/js';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import { importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

const SDKS = ['@aws-sdk', '@smithy', '@duckdb', '@napi-rs'];
const LAYERS = [
  ...['activities', 'adapters', 'api', 'app', 'cli', 'codec', 'config', 'contracts', 'demo', 'domain', 'observability'],
  ...['plugin', 'ports', 'processing', 'report', 'steps', 'testing', 'workers', 'workflows'],
];

/** A pattern for packages, by scope or full name, with everything below them. */
const packages = (names) => `^(${names.map((name) => name.replaceAll('/', '\\/')).join('|')})(\\/|$)`;

/** Node's own modules but the named ones, however written. */
const builtinsBut = (...allowed) =>
  `^node:(?!(${['-', ...allowed].join('|')})$)|^(fs|path|os|crypto|child_process|worker_threads|stream|zlib|url|util|events|http|https|net)(\\/|$)`;

const refuse = (regex, message) => ({ regex, message, allowTypeImports: true });

/**
 * What one layer may not import as values. Type-only imports are exempt: they leave no trace in the running program.
 *
 * @param name folder of the layer below `src/`
 * @param rule `layers`: the other layers it may import; `builtins`: Node modules it may use, `true` for all;
 *   `temporal`: `@temporalio/*` packages it may use, `true` for all; `sdks`: whether SDKs and native packages are allowed
 */
function layer(name, { layers, builtins = [], temporal = [], sdks = false }) {
  const foreign = LAYERS.filter((other) => other !== name && !layers.includes(other));
  const patterns = [
    refuse(
      `^(\\.\\.\\/)+(${foreign.join('|')})\\/`,
      `src/${name} may import values of: ${[name, ...layers].join(', ')}.`,
    ),
  ];
  if (builtins !== true) {
    patterns.push(refuse(builtinsBut(...builtins), `src/${name} does no I/O of its own: take it through a port.`));
  }
  if (temporal !== true) {
    const allowed = temporal.map((part) => `${part}(\\/|$)`).join('|') || '-';
    patterns.push(refuse(`^@temporalio\\/(?!(${allowed}))`, `src/${name} may not use this Temporal package.`));
  }
  if (!sdks) patterns.push(refuse(packages(SDKS), 'SDKs and native packages live in src/adapters.'));
  return {
    files: [`src/${name}/**/*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
  };
}

/** No clock, no randomness, no process: what both the domain and replayed workflow code must do without. */
const DETERMINISTIC = {
  'no-restricted-globals': ['error', 'process', 'Buffer', 'fetch', 'performance', 'crypto', 'require', '__dirname'],
};
const PURE = {
  'no-restricted-globals': [
    ...DETERMINISTIC['no-restricted-globals'],
    ...['console', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'The domain has no clock: take the time as an argument.' },
    { object: 'Math', property: 'random', message: 'The domain has no randomness: take a seeded generator.' },
  ],
  'no-restricted-syntax': [
    'error',
    {
      selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
      message: 'The domain has no clock: take the time as an argument.',
    },
  ],
};

export default tseslint.config(
  { ignores: ['**/dist/', 'node_modules/', '.cache/', 'coverage/', 'cohortflow-demo/', 'test/fixtures/', 'examples/'] },
  // The CDK app is a package of its own: without its packages its types are unknown. `npm test` installs them, or says not.
  { ignores: ['deploy/cdk.out/', ...(existsSync('deploy/node_modules/aws-cdk-lib') ? [] : ['deploy/**/*.ts'])] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          ...['process', 'console', 'URL', 'Buffer', 'fetch', 'setTimeout', 'clearTimeout', 'setInterval'],
          ...['clearInterval', 'AbortController', 'AbortSignal', 'TextDecoder', 'TextEncoder', 'performance'],
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: {
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver-next': [createTypeScriptImportResolver({ project: 'tsconfig.json' })],
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Template literals with numbers are the daily bread of messages; objects in them are still refused.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Values of parsed JSON are printed as they are.
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      // An interface's implementation may have nothing to await.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // `total += await x` reads the left side first and loses updates: it has happened.
      'require-atomic-updates': ['error', { allowProperties: true }],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true } }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  layer('domain', { layers: [] }),
  layer('contracts', { layers: ['domain'] }),
  layer('ports', { layers: ['domain', 'contracts'] }),
  layer('report', { layers: ['domain', 'contracts'] }),
  layer('demo', { layers: ['domain', 'ports'] }),
  layer('steps', { layers: ['domain', 'contracts', 'ports', 'report'] }),
  layer('workflows', { layers: ['domain', 'contracts'], temporal: ['workflow', 'common'] }),
  layer('activities', {
    layers: ['domain', 'contracts', 'ports', 'observability'],
    builtins: ['path', 'crypto'],
    temporal: ['activity', 'common'],
  }),
  layer('adapters', {
    layers: ['domain', 'contracts', 'ports', 'observability'],
    builtins: true,
    temporal: true,
    sdks: true,
  }),
  layer('config', { layers: ['domain'], builtins: true }),
  layer('workers', {
    layers: ['activities', 'adapters', 'app', 'config', 'contracts', 'domain', 'observability', 'ports', 'steps'],
    builtins: true,
    temporal: true,
  }),
  // What a processing container runs: the steps and their plan, without Temporal and without AWS.
  layer('processing', { layers: ['app', 'contracts', 'domain', 'ports', 'steps'], builtins: ['fs', 'path'] }),
  layer('plugin', {
    layers: ['app', 'config', 'contracts', 'domain', 'observability', 'workers'],
    builtins: ['vm', 'fs', 'fs/promises', 'path', 'assert', 'async_hooks', 'url', 'util'],
    temporal: true,
  }),
  // Runs in a user's tests: needs nothing of this machine.
  layer('testing', {
    layers: ['contracts', 'domain', 'plugin'],
    builtins: ['crypto'],
    temporal: ['activity', 'common', 'worker', 'client', 'proto'],
  }),
  layer('cli', {
    layers: LAYERS.filter((name) => !['activities', 'workflows'].includes(name)),
    builtins: true,
    temporal: ['client', 'common'],
  }),
  { files: ['src/domain/**/*.ts', 'src/contracts/**/*.ts', 'src/demo/**/*.ts'], rules: PURE },
  { files: ['src/workflows/**/*.ts'], rules: DETERMINISTIC },
  {
    files: ['**/*.d.ts', '**/vitest.config.ts', 'eslint.config.js'],
    rules: { 'no-restricted-exports': 'off' },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'deploy/test/**/*.ts'],
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      // Tests read what the product wrote: values of unknown shape are looked at, not trusted.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      // `vi.mocked(object.method)` names a method without calling it.
      '@typescript-eslint/unbound-method': 'off',
      'no-control-regex': 'off',
    },
  },
);
