import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Steps run in child processes and the Temporal SDK is a native addon: forks keep each file's state apart.
    pool: 'forks',
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
