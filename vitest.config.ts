import { defineConfig } from 'vitest/config'

/**
 * Their tests leave nothing behind in their process, so its modules are loaded once: a quarter of their time. The
 * gateway's runbooks start git all the time, which takes three times as long in a process that has grown. Those of
 * `operations` look at all sockets of their process.
 */
const shared = [
  ...['basics', 'client', 'config', 'dial', 'envvars', 'gateway/!(runbooks)', 'golang'],
  ...['policy', 'template', 'wire'],
].map((room) => `test/${room}/**/*.test.ts`)

/** Their browser is started once. */
const page = ['test/e2e/page/**/*.test.ts']

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'shared', isolate: false, include: shared } },
      {
        extends: true,
        test: { name: 'page', isolate: false, include: page, globalSetup: 'test/support/browser-server.ts' },
      },
      { extends: true, test: { name: 'own', include: ['test/**/*.test.ts'], exclude: [...shared, ...page] } },
    ],
    setupFiles: ['test/support/machine/own-folders.ts', 'test/support/machine/leaks.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
    reporters: process.env['CI']
      ? ['default', ['json', { outputFile: 'coverage/results.json' }]]
      : ['default'],
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary'], clean: false },
  },
})
