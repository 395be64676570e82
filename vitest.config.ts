import { defineConfig } from 'vitest/config'

const below = (...rooms: string[]) => rooms.map((room) => `test/${room}/**/*.test.ts`)

/**
 * Files whose tests leave nothing in their process, so its modules are loaded once for all of a group. The gateway and
 * the agent are two groups, since a process that has grown starts others more slowly.
 */
const shared = {
  agent: below('agent', 'commands/!(start)', 'log', 'web'),
  gateway: below(
    ...['basics', 'client', 'config', 'dial', 'envvars', 'gateway/!(runbooks)', 'golang'],
    ...['policy', 'template', 'wire'],
  ),
  /** One browser serves them all. */
  page: below('e2e/page'),
}

/**
 * Each of all others has a process of its own. The gateway's runbooks start git all the time, which takes three times
 * as long in a process that has grown; those of `operations` look at all sockets of their process, those of
 * `commands/start` at its memory.
 */
const own = { include: below('.'), exclude: Object.values(shared).flat() }

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'own', ...own } },
      { extends: true, test: { name: 'agent', isolate: false, include: shared.agent } },
      { extends: true, test: { name: 'gateway', isolate: false, include: shared.gateway } },
      {
        extends: true,
        test: {
          ...{ name: 'page', isolate: false, include: shared.page },
          globalSetup: 'test/support/browser-server.ts',
        },
      },
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
